"""What the clinic makes of a message: stored once, or refused with a reason; a receipt exists only after the commit.

Nothing of a refused message is kept. What is checked, in this order: is it from a device known here (or does it enrol
one, with a token that was given out), its signature, has it come before, is it newer than the newest, is it sealed to
this clinic, can such an answer exist, has the question been answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sync.clinic.backup.erasure import flush_erased
from sync.clinic.catalogue import question
from sync.clinic.clock import ClinicClock
from sync.clinic.database.database import Database, Transaction
from sync.clinic.errors import ClinicStoreError
from sync.clinic.secrets_file import ClinicSecrets
from sync.clinic.tables.answers import Answers
from sync.clinic.tables.audit import DEVICE, Action, Audit
from sync.clinic.tables.devices import Device, Devices
from sync.clinic.tables.pairings import Pairing, Pairings, token_hash
from sync.clinic.withdrawal import withdraw
from sync.receipt import Reason, Status, digest_of, issue
from sync.release import Answer, Content, Delete, Enrol, Release, ReleaseError
from sync.sealing import SealError, unseal, verify

_STATISTIC = re.compile(r"[a-z0-9_]{1,40}")
_WORDS_VERSIONS = range(1, 1000)
_MOST_STATISTICS = 50


class _Told(NamedTuple):
    """For the audit log, which is written at the end of a transaction: whoever writes it makes all others wait."""

    action: Action
    pseudonym: str
    detail: str | None = None


class _RefusedError(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class Receiver:
    """Used by any number of threads."""

    def __init__(
        self, secrets: ClinicSecrets, database: Database, clock: ClinicClock, withdrawn: Callable[[], None]
    ) -> None:
        """`withdrawn`: what else is done where a device has withdrawn, before it has its receipt."""
        self._secrets = secrets
        self._database = database
        self._clock = clock
        self._withdrawn = withdrawn

    def take(self, data: bytes) -> bytes:
        """The receipt, RECEIPT_BYTES. Raises ReleaseError for what is no envelope, ClinicStoreError."""
        return self._take(Release.decode(data))

    def take_all(self, releases: Sequence[Release]) -> list[bytes | Exception]:
        """For each its receipt, or what went wrong. They share a commit, and where that fails they fail together."""
        if len(releases) > 1:
            try:
                return list(self._together(releases))
            except ClinicStoreError as problem:
                return [problem for _ in releases]
            except Exception:
                # Our mistake, about one of them: the others shall not suffer for it.
                pass
        return [self._alone(release) for release in releases]

    def _take(self, release: Release) -> bytes:
        try:
            with self._database.writing() as tx:
                tx.lock(release.device)
                told: list[_Told] = []
                status, erased = self._taken(tx, release, told)
                self._log(tx, told)
        except _RefusedError as refused:
            return self._receipt(release, Status.REFUSED, refused.reason)
        if erased:
            self._after_erasing()
        return self._receipt(release, status)

    def _alone(self, release: Release) -> bytes | Exception:
        try:
            return self._take(release)
        except Exception as problem:
            return problem

    def _together(self, releases: Sequence[Release]) -> list[bytes]:
        decided: list[tuple[Status, Reason]] = []
        told: list[_Told] = []
        any_erased = False
        with self._database.writing() as tx:
            # in one order, so that no two who do this wait for each other
            tx.lock(*sorted({release.device for release in releases}))
            for release in releases:
                tx.execute("SAVEPOINT message")  # within those before it, until the commit
                told_before = len(told)
                try:
                    status, erased = self._taken(tx, release, told)
                    decided.append((status, Reason.NONE))
                    any_erased = any_erased or erased
                except _RefusedError as refused:
                    tx.execute("ROLLBACK TO SAVEPOINT message")
                    del told[told_before:]
                    decided.append((Status.REFUSED, refused.reason))
            self._log(tx, told)
        if any_erased:
            self._after_erasing()
        return [self._receipt(release, *said) for release, said in zip(releases, decided, strict=True)]

    def _after_erasing(self) -> None:
        """The withdrawal itself is stored, and has its receipt whatever becomes of this; it is done again at start."""
        self._withdrawn()
        flush_erased(self._database)

    def _receipt(self, release: Release, status: Status, reason: Reason = Reason.NONE) -> bytes:
        return issue(release, status, reason, self._secrets.signing).encode()

    def _taken(self, tx: Transaction, release: Release, told: list[_Told]) -> tuple[Status, bool]:
        """And whether something was erased. `told`: what is to be logged is added to it."""
        devices = Devices(tx)
        device = devices.get(release.device)
        if device is None:
            return self._first(tx, release, told), False
        _verify(release, device.key)
        if (known := devices.digest(release.device, release.id)) is not None:
            if known != digest_of(release):
                raise _RefusedError(Reason.ID_REUSED)
            return Status.DUPLICATE, False
        if release.sequence <= device.sequence:
            raise _RefusedError(Reason.SEQUENCE)
        content = self._unseal(release)
        if isinstance(content, Delete):
            withdraw(tx, device, release.sequence, self._clock.today())
            told.append(_Told(Action.WITHDRAWN, device.pseudonym))
            return Status.STORED, True
        if isinstance(content, Enrol):
            self._enrol_again(tx, device, content, told)
            status = Status.STORED
        else:
            status = self._answer(tx, release.device, content)
        devices.remember(release.device, release.id, digest_of(release), release.sequence)
        return status, False

    def _first(self, tx: Transaction, release: Release, told: list[_Told]) -> Status:
        """Of a device that is not known here, or no more."""
        content = self._unseal(release)
        devices = Devices(tx)
        withdrawn_at = devices.withdrawn_at(release.device)
        if isinstance(content, Delete):
            # Nothing of it is here: what it asks for is so. Its key is not known either, and nothing is written.
            return Status.STORED
        if not isinstance(content, Enrol) or not content.token:
            raise _RefusedError(Reason.UNKNOWN_DEVICE if withdrawn_at is None else Reason.WITHDRAWN)
        key = _key(content)
        _verify(release, key)
        if withdrawn_at is not None and release.sequence <= withdrawn_at:
            raise _RefusedError(Reason.SEQUENCE)
        pairing = self._pairing(tx, token_hash(content.token))
        devices.enrol(release.device, key, pairing, content.statistics, self._clock.today())
        devices.remember(release.device, release.id, digest_of(release), release.sequence)
        told.append(_Told(Action.ENROLLED, pairing.pseudonym))
        return Status.STORED

    def _enrol_again(self, tx: Transaction, device: Device, content: Enrol, told: list[_Told]) -> None:
        """With the token it has, or with none: it agrees to other statistics. With another: it was paired anew."""
        if _key(content) != device.key:
            raise _RefusedError(Reason.SIGNATURE)
        hashed = token_hash(content.token)
        if not content.token or hashed == device.token_hash:
            Devices(tx).agreed(device.id, content.statistics, self._clock.today())
            return
        pairing = self._pairing(tx, hashed)
        Devices(tx).enrol(device.id, device.key, pairing, content.statistics, self._clock.today())
        told.append(_Told(Action.ENROLLED, pairing.pseudonym, f"was {device.pseudonym}"))

    def _pairing(self, tx: Transaction, hashed: bytes) -> Pairing:
        """Uses it up."""
        pairing = Pairings(tx).get(hashed, self._clock.today())
        if pairing is None or not Pairings(tx).use_up(pairing):
            raise _RefusedError(Reason.TOKEN)
        return pairing

    def _answer(self, tx: Transaction, device: bytes, answer: Answer) -> Status:
        asked = question(answer.statistic, answer.version)
        if asked is None:
            raise _RefusedError(Reason.CONTENT)
        if not asked.admits(answer):
            raise _RefusedError(Reason.BOUNDS)
        answers = Answers(tx)
        if answers.is_answered(device, answer):
            if not answers.holds(device, answer):
                raise _RefusedError(Reason.ANSWERED)
            return Status.DUPLICATE
        answers.add(device, answer, self._clock.today())
        return Status.STORED

    def _log(self, tx: Transaction, told: Sequence[_Told]) -> None:
        audit = Audit(tx, self._secrets, self._clock)
        for each in told:
            audit.add(DEVICE, each.action, each.pseudonym, each.detail)

    def _unseal(self, release: Release) -> Content:
        try:
            content = unseal(release, self._secrets.sealing, self._secrets.public)
        except SealError:
            raise _RefusedError(Reason.SEAL) from None
        except ReleaseError:
            raise _RefusedError(Reason.CONTENT) from None
        if isinstance(content, Enrol) and not _are_statistics(content.statistics):
            raise _RefusedError(Reason.CONTENT)
        return content


def _are_statistics(agreed: dict[str, int]) -> bool:
    """Whether they can be stored and shown; a statistic that is not known here yet is one."""
    return len(agreed) <= _MOST_STATISTICS and all(
        _STATISTIC.fullmatch(name) is not None and version in _WORDS_VERSIONS for name, version in agreed.items()
    )


def _verify(release: Release, key: bytes) -> None:
    try:
        verify(release, key)
    except (ReleaseError, ValueError):
        raise _RefusedError(Reason.SIGNATURE) from None


def _key(content: Enrol) -> bytes:
    try:
        key = bytes.fromhex(content.device_key)
    except ValueError:
        raise _RefusedError(Reason.CONTENT) from None
    if len(key) != 32 or key.hex() != content.device_key:
        raise _RefusedError(Reason.CONTENT)
    return key
