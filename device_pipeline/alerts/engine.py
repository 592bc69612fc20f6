"""Every rule of the table with its own hold; rules do not know each other."""

from __future__ import annotations

from device_pipeline.alerts.alert import Alert
from device_pipeline.alerts.hold import Hold
from device_pipeline.alerts.rules import RULES, Evidence, Watches
from device_pipeline.config import Limits


class AlertEngine:
    """Takes evidence in order of time, per kind; gives each alert once when it is raised and once when it is over."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rules = tuple(
            (
                rule,
                Hold(
                    rule=rule.name,
                    hold_ns=round(rule.hold_s(limits) * 1e9),
                    clear_ns=round(rule.clear_s(limits) * 1e9),
                    patience_ns=round(rule.patience_s * 1e9),
                ),
            )
            for rule in RULES
        )

    def push(self, watches: Watches, start_ns: int, end_ns: int, evidence: Evidence) -> list[Alert]:
        alerts: list[Alert] = []
        for rule, hold in self._rules:
            if rule.watches is watches:
                verdict = rule.judge(evidence, self._limits)
                alerts += hold.push(start_ns, end_ns, verdict, rule.text(self._limits))
        return alerts

    def flush(self) -> list[Alert]:
        return [alert for _, hold in self._rules for alert in hold.flush()]
