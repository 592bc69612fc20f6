"""Pairing codes: made for one patient, shown once in the answer to the form, and never in an address.

Whoever sees a code can enrol a device with it, once: of the code nothing is kept but what revokes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.clinic.backup.erasure import finish_erasing
from sync.clinic.desk.guard import Page, SignedIn
from sync.clinic.label import label_fault, read_label
from sync.clinic.pages.paging import Paging, page_asked, paging
from sync.clinic.pages.patient import PSEUDONYM
from sync.clinic.pages.presenter import Presenter
from sync.clinic.qr import qr_svg
from sync.clinic.settings import Settings, read_settings, whole_number
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.pairings import Pairing, Pairings
from sync.pairing import PairingCode

DAYS = range(1, 366)
AT_FIRST_DAYS = 14
_NOTICES = {
    "revoked": "The code was revoked: it pairs nobody any more.",
    "gone": "That code is not there any more: it was used, was revoked, or is too old.",
}


@dataclass(frozen=True, slots=True, repr=False)
class PairForm:
    """What stands in the fields, which may be what was refused; and why it was."""

    label: str = ""
    days: str = str(AT_FIRST_DAYS)
    label_fault: str = ""
    days_fault: str = ""

    @property
    def is_refused(self) -> bool:
        return bool(self.label_fault or self.days_fault)


@dataclass(frozen=True, slots=True, repr=False)
class OutstandingRow:
    pseudonym: str
    label: str | None
    last_day: date


@dataclass(frozen=True, slots=True, repr=False)
class PairView:
    """`has_url`: whether the clinic knows the address at which devices reach it."""

    form: PairForm
    has_url: bool
    notice: str
    is_good: bool
    rows: tuple[OutstandingRow, ...]
    pages: Paging
    most_days: int = DAYS.stop - 1


@dataclass(frozen=True, slots=True, repr=False)
class CodeView:
    """`lines`: the code in pieces that fit a line; `qr`: an SVG element."""

    code: str
    lines: tuple[str, ...]
    qr: str
    pseudonym: str
    label: str | None
    last_day: date


def pair_page(presenter: Presenter) -> Page:
    clinic = presenter.clinic

    def page(request: Request, staff: SignedIn) -> Response:
        with clinic.database.reading() as tx:
            settings = read_settings(tx)
        if request.method == "POST" and clinic.url is not None:
            form = read_pair_form(request.state.form)
            if form.is_refused:
                return _form_page(presenter, request, staff, settings, form, 400)
            return _made(presenter, staff, settings, clinic.url, form)
        return _form_page(presenter, request, staff, settings, PairForm(), 200)

    return page


def revoke_page(presenter: Presenter) -> Page:
    clinic = presenter.clinic

    def page(request: Request, staff: SignedIn) -> Response:
        pseudonym = request.state.form.get("pseudonym", "")
        revoked = False
        if PSEUDONYM.fullmatch(pseudonym):
            with clinic.database.writing() as tx:
                revoked = Pairings(tx).revoke(pseudonym)
                if revoked:
                    Audit(tx, clinic.secrets, clinic.clock).add(staff.name, Action.PAIRING_REVOKED, pseudonym)
        if revoked:
            finish_erasing(clinic)  # the label, and the key of the code
        return RedirectResponse(f"/pair?done={'revoked' if revoked else 'gone'}", 303)

    return page


def read_pair_form(fields: dict[str, str]) -> PairForm:
    label, days = fields.get("label", ""), fields.get("days", "")
    whole = whole_number(days)
    fault = "" if whole is not None and whole in DAYS else f"Whole days, {DAYS.start} to {DAYS.stop - 1}, are expected."
    return PairForm(label, days, label_fault(label), fault)


def make_pair(
    outstanding: Sequence[Pairing], form: PairForm, *, has_url: bool, done: str = "", at: int = 1
) -> PairView:
    pages = paging(at, len(outstanding), "/pair", {})
    return PairView(
        form,
        has_url,
        _NOTICES.get(done, ""),
        done == "revoked",
        tuple(
            OutstandingRow(pairing.pseudonym, pairing.label, pairing.last_day)
            for pairing in outstanding[max(0, pages.first - 1) : pages.last]
        ),
        pages,
    )


def make_code(code: str, pairing: Pairing) -> CodeView:
    address, mark, letters = code.partition("#")
    groups = letters.split("-")
    lines = ["-".join(groups[at : at + 4]) + ("-" if at + 4 < len(groups) else "") for at in range(0, len(groups), 4)]
    return CodeView(
        code,
        (address + mark, *lines),
        qr_svg(code, "The pairing code as a picture for a camera"),
        pairing.pseudonym,
        pairing.label,
        pairing.last_day,
    )


def _form_page(
    presenter: Presenter, request: Request, staff: SignedIn, settings: Settings, form: PairForm, status: int
) -> Response:
    clinic, query = presenter.clinic, request.query_params
    with clinic.database.reading() as tx:
        outstanding = Pairings(tx).all(clinic.clock.today())
    view = make_pair(
        outstanding, form, has_url=clinic.url is not None, done=query.get("done", ""), at=page_asked(query)
    )
    return presenter.show("pair.html", "/pair", staff, settings, view, status)


def _made(presenter: Presenter, staff: SignedIn, settings: Settings, url: str, form: PairForm) -> Response:
    clinic = presenter.clinic
    with clinic.database.writing() as tx:
        token, pairing = Pairings(tx).new(read_label(form.label), clinic.clock.today(), int(form.days))
        Audit(tx, clinic.secrets, clinic.clock).add(staff.name, Action.PAIRING_MADE, pairing.pseudonym)
    code = PairingCode(url, token, clinic.secrets.public.id).encode()
    return presenter.show("code.html", "/pair", staff, settings, make_code(code, pairing))
