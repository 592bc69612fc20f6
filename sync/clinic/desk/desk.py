"""Whose requests are let in, for as long as this process runs: by a session, or by what the proxy says.

One or the other: where a proxy signs people in, no password does. The staff table is asked at each request, so whoever
is removed or given another password is out at the next one.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from starlette.requests import Request

from sync.clinic.clinic import Clinic
from sync.clinic.desk.cookie import read_cookie
from sync.clinic.desk.passwords import Passwords, could_be_one
from sync.clinic.desk.proxy import ProxySignIn
from sync.clinic.desk.sessions import Sessions
from sync.clinic.desk.signed_in import SignedIn
from sync.clinic.desk.throttle import Throttle
from sync.clinic.errors import StaffNameError
from sync.clinic.tables.audit import ALL_PATIENTS, Action, Audit
from sync.clinic.tables.staff import Staff, StaffMember, staff_name

CHECKED_AT_ONCE = 2
MOST_WAITING = 16
_MOST_VIEWS = 100_000


class BusyError(Exception):
    """More passwords wait to be checked than will be soon."""


@dataclass(frozen=True, slots=True, repr=False)
class Caller:
    """`credential`: None: the proxy has signed them in."""

    staff: SignedIn
    credential: str | None


class Desk:
    """One in a process. `proxy`: None: people sign in with their password."""

    def __init__(self, clinic: Clinic, proxy: ProxySignIn | None = None) -> None:
        self.clinic = clinic
        self.proxy = proxy
        self.sessions = Sessions(clinic.clock)
        self.throttle = Throttle(clinic.clock)
        self._key = secrets.token_bytes(32)
        self._passwords = Passwords()
        self._checking = ThreadPoolExecutor(CHECKED_AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0
        self._viewed_lock = threading.Lock()
        self._viewed_on: date | None = None
        self._viewed: set[tuple[str, str | None]] = set()

    # -- who asks

    def caller(self, request: Request) -> Caller | None:
        """Whoever is not signed in is None. Raises ForgedNameError."""
        if self.proxy is not None:
            name = self.proxy.name(request)
            return None if name is None else Caller(SignedIn(name, self.token_for(f"proxy {name}")), None)
        token = read_cookie(request)
        session = None if token is None else self.sessions.find(token)
        return None if session is None else Caller(SignedIn(session.name, session.csrf), session.credential)

    def is_on_staff(self, caller: Caller) -> bool:
        """Still, and with the same password. In a worker thread; raises ClinicStoreError."""
        with self.clinic.database.reading() as tx:
            member = Staff(tx).get(caller.staff.name)
        return member is not None and caller.credential in (None, member.credential)

    def token_for(self, what: str) -> str:
        """What only this process can have given out."""
        return hmac.new(self._key, what.encode("utf-8", "surrogatepass"), "sha256").hexdigest()

    # -- passwords

    async def check(self, typed_name: str, password: str) -> StaffMember | None:
        """Who it is, written down either way; as slow for a name nobody has. Raises BusyError, ClinicStoreError."""
        if self._waiting >= MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._checking, self._checked, typed_name, password)
        finally:
            self._waiting -= 1

    def _checked(self, typed_name: str, password: str) -> StaffMember | None:
        database = self.clinic.database
        try:
            name = staff_name(typed_name)
        except StaffNameError:
            name = ""
        with database.reading() as tx:
            member = Staff(tx).get(name)
        possible = could_be_one(password)
        matches = self._passwords.matches(
            member.password if member and possible else None, password if possible else ""
        )
        renewed = None
        if member is not None and matches and self._passwords.is_outdated(member.password):
            renewed = self._passwords.hash(password)
        with database.writing() as tx:
            if member is not None and renewed is not None:
                Staff(tx).replace_password(member.name, member.password, renewed)
                member = Staff(tx).get(member.name)
            audit = Audit(tx, self.clinic.secrets, self.clinic.clock)
            if member is None or not matches:
                if member is not None:
                    audit.add(member.name, Action.SIGN_IN_FAILED)
                else:
                    audit.add_unknown()
                self.clinic.counters.sign_in(succeeded=False)
                return None
            audit.add(member.name, Action.SIGN_IN)
            self.clinic.counters.sign_in(succeeded=True)
        return member

    # -- what they see

    def viewed(self, staff: SignedIn, pseudonym: str | None) -> None:
        """Writes down that they see this patient, None is all of them: once for each session, patient and day.

        A page calls it before it shows one, with no transaction open. Raises ClinicStoreError: then it shows nothing.
        """
        clinic, seen = self.clinic, (staff.csrf or staff.name, pseudonym)
        with self._viewed_lock:
            if self._viewed_on != clinic.clock.today() or len(self._viewed) >= _MOST_VIEWS:
                self._viewed_on = clinic.clock.today()
                self._viewed.clear()
            if seen in self._viewed:
                return
        with clinic.database.writing() as tx:
            Audit(tx, clinic.secrets, clinic.clock).add(
                staff.name, Action.VIEWED, pseudonym, None if pseudonym else ALL_PATIENTS
            )
        with self._viewed_lock:
            self._viewed.add(seen)
