"""What was done, the newest first, as it was written down; nobody can change an entry here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from sync.clinic.desk.guard import Page, SignedIn
from sync.clinic.pages.patient import PSEUDONYM
from sync.clinic.pages.presenter import Presenter
from sync.clinic.settings import read_settings
from sync.clinic.tables.audit import Audit, Entry
from sync.clinic.tables.devices import Devices

PER_PAGE = 100
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True, repr=False)
class EntryRow:
    """`patient`: the pseudonym it is about, of who is enrolled still; `moment`: in UTC, the day alone of a device."""

    number: int
    moment: str
    machine_moment: str
    who: str
    action: str
    subject: str | None
    patient: str | None
    detail: str | None


@dataclass(frozen=True, slots=True, repr=False)
class AuditView:
    """`older`: where the next page is; None: there is none."""

    rows: tuple[EntryRow, ...]
    older: str | None
    is_newest: bool


def audit_page(presenter: Presenter) -> Page:
    clinic = presenter.clinic

    def page(request: Request, staff: SignedIn) -> Response:
        before = entry_asked(request.query_params.get("before", ""))
        with clinic.database.reading() as tx:
            settings = read_settings(tx)
            entries = Audit(tx, clinic.secrets, clinic.clock).page(before, PER_PAGE + 1)
            named = {entry.subject for entry in entries if entry.subject and PSEUDONYM.fullmatch(entry.subject)}
            enrolled = Devices(tx).enrolled(sorted(named))
        view = make_audit(entries, enrolled, is_newest=before is None)
        return presenter.show("audit.html", "/audit", staff, settings, view)

    return page


def make_audit(entries: Sequence[Entry], enrolled: frozenset[str], *, is_newest: bool) -> AuditView:
    """`entries`: one more than a page has, where there are older ones; `enrolled`: pseudonyms that lead somewhere."""
    shown = entries[:PER_PAGE]
    older = f"/audit?before={shown[-1].number}" if len(entries) > PER_PAGE else None
    return AuditView(tuple(_row(entry, enrolled) for entry in shown), older, is_newest)


def entry_asked(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _row(entry: Entry, enrolled: frozenset[str]) -> EntryRow:
    return EntryRow(
        entry.number,
        entry.moment.replace("T", " ").removesuffix("Z"),
        entry.moment,
        entry.who,
        entry.action,
        entry.subject,
        entry.subject if entry.subject in enrolled else None,
        entry.detail,
    )
