"""Every rule of the table with its own hold; rules do not know each other."""

from __future__ import annotations

from device_pipeline.alerts.alert import Alert, Grounds
from device_pipeline.alerts.hold import Hold
from device_pipeline.alerts.rules import RULES, Evidence, Rule, Watches
from device_pipeline.config import Limits


class AlertEngine:
    """Takes evidence in order of time, per kind; gives each alert once when it is raised and once when it is over."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rules: dict[Watches, list[tuple[Rule, Hold, str]]] = {watches: [] for watches in Watches}
        for rule in RULES:
            hold = Hold(
                rule=rule.name,
                hold_ns=round(rule.hold_s(limits) * 1e9),
                clear_ns=round(rule.clear_s(limits) * 1e9),
                patience_ns=round(rule.patience_s * 1e9),
                dates_back=rule.dates_back,
            )
            self._rules[rule.watches].append((rule, hold, rule.text(limits)))

    def push(
        self, watches: Watches, start_ns: int, end_ns: int, evidence: Evidence, grounds: Grounds | None = None
    ) -> list[Alert]:
        """`grounds`: what evidence that a model has part in rests on; an alert that is raised on it has them."""
        alerts: list[Alert] = []
        for rule, hold, text in self._rules[watches]:
            alerts += hold.push(start_ns, end_ns, rule.judge(evidence, self._limits), text, grounds)
        return alerts

    def flush(self) -> list[Alert]:
        return [alert for rules in self._rules.values() for _, hold, _ in rules for alert in hold.flush()]
