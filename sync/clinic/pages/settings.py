"""What the clinic sets for itself; each change is in the audit log."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.clinic.af_decision import flagged, percent, threshold_days
from sync.clinic.desk.guard import Page, SignedIn
from sync.clinic.label import label_fault
from sync.clinic.pages.presenter import Presenter
from sync.clinic.settings import (
    MOST_NAME,
    SHARE_PERCENT,
    SILENCE_DAYS,
    Settings,
    read_settings,
    whole_number,
    write_settings,
)
from sync.clinic.tables.audit import Action, Audit


@dataclass(frozen=True, slots=True, repr=False)
class SettingsForm:
    """As typed; and why it was refused, by field."""

    share: str
    silence: str
    name: str
    share_fault: str = ""
    silence_fault: str = ""
    name_fault: str = ""

    @property
    def is_refused(self) -> bool:
        return bool(self.share_fault or self.silence_fault or self.name_fault)


@dataclass(frozen=True, slots=True, repr=False)
class SettingsView:
    """`threshold`, `false_flags`: what the saved share comes to in days, and how often noise alone reaches that."""

    form: SettingsForm
    threshold: int
    false_flags: str
    wearers_name: str
    is_saved: bool
    least_share: int = SHARE_PERCENT.start
    most_share: int = SHARE_PERCENT.stop - 1
    most_silence: int = SILENCE_DAYS.stop - 1
    most_name: int = MOST_NAME


def settings_page(presenter: Presenter) -> Page:
    clinic = presenter.clinic

    def page(request: Request, staff: SignedIn) -> Response:
        with clinic.database.reading() as tx:
            settings = read_settings(tx)
        if request.method == "POST":
            form = read_settings_form(request.state.form)
            if form.is_refused:
                view = make_settings(form, settings, clinic.name)
                return presenter.show("settings.html", "/settings", staff, settings, view, 400)
            changed = settings_of(form)
            with clinic.database.writing() as tx:
                detail = changes(read_settings(tx), changed)
                if detail:
                    write_settings(tx, changed)
                    Audit(tx, clinic.secrets, clinic.clock).add(staff.name, Action.SETTINGS_CHANGED, None, detail)
            return RedirectResponse("/settings?done=saved", 303)
        view = make_settings(
            form_of(settings), settings, clinic.name, is_saved=request.query_params.get("done") == "saved"
        )
        return presenter.show("settings.html", "/settings", staff, settings, view)

    return page


def make_settings(form: SettingsForm, settings: Settings, wearers_name: str, *, is_saved: bool = False) -> SettingsView:
    """`wearers_name`: what wearers see the clinic called."""
    threshold = threshold_days(settings.af_share)
    return SettingsView(form, threshold, percent(flagged(0, threshold)), wearers_name, is_saved)


def form_of(settings: Settings) -> SettingsForm:
    return SettingsForm(str(settings.af_share_percent), str(settings.silence_days), settings.shown_name or "")


def read_settings_form(fields: Mapping[str, str]) -> SettingsForm:
    share, silence, name = (fields.get(each, "") for each in ("share", "silence", "name"))
    fault = label_fault(name)
    return SettingsForm(
        share,
        silence,
        name,
        _number_fault(share, SHARE_PERCENT),
        _number_fault(silence, SILENCE_DAYS),
        fault.replace("A label", "A name") if fault else "",
    )


def settings_of(form: SettingsForm) -> Settings:
    """Of a form without fault."""
    name = unicodedata.normalize("NFC", form.name.strip())
    return Settings(int(form.share), int(form.silence), name or None)


def changes(before: Settings, after: Settings) -> str:
    """For the audit log; empty: none."""
    found = []
    if before.af_share_percent != after.af_share_percent:
        found.append(f"share of AF-days {before.af_share_percent} % to {after.af_share_percent} %")
    if before.silence_days != after.silence_days:
        found.append(f"silence {before.silence_days} to {after.silence_days} days")
    if before.shown_name != after.shown_name:
        found.append("the name shown")
    return ", ".join(found)


def _number_fault(text: str, allowed: range) -> str:
    number = whole_number(text)
    if number is not None and number in allowed:
        return ""
    return f"A whole number from {allowed.start} to {allowed.stop - 1} is expected."
