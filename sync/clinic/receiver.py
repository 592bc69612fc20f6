"""What the clinic makes of a message: stored once, or refused with a reason; a receipt exists only after the commit.

Nothing of a refused message is kept. What is checked, in this order: is it from a device known here (or does it enrol
one, with a token that was given out), its signature, has it come before, is it newer than the newest, is it sealed to
this clinic, can such an answer exist, has the question been answered.
"""

from __future__ import annotations

from sync.clinic.catalogue import question
from sync.clinic.clock import ClinicClock
from sync.clinic.secrets_file import ClinicSecrets
from sync.clinic.store import ClinicStore, Device, token_hash
from sync.receipt import Reason, Status, digest_of, issue
from sync.release import Answer, Content, Delete, Enrol, Release, ReleaseError
from sync.sealing import SealError, unseal, verify


class _RefusedError(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class Receiver:
    """Used by one thread at a time."""

    def __init__(self, secrets: ClinicSecrets, store: ClinicStore, clock: ClinicClock) -> None:
        self._secrets = secrets
        self._store = store
        self._clock = clock

    def take(self, data: bytes) -> bytes:
        """The receipt, RECEIPT_BYTES. Raises ReleaseError for what is no envelope, ClinicStoreError."""
        release = Release.decode(data)
        try:
            with self._store.transaction():
                status, erased = self._taken(release)
        except _RefusedError as refused:
            return issue(release, Status.REFUSED, refused.reason, self._secrets.signing).encode()
        if erased:
            self._store.flush_erased()
        return issue(release, status, Reason.NONE, self._secrets.signing).encode()

    def _taken(self, release: Release) -> tuple[Status, bool]:
        """And whether something was erased."""
        device = self._store.device(release.device)
        if device is None:
            return self._first(release), False
        _verify(release, device.key)
        if (known := self._store.digest(release.device, release.id)) is not None:
            if known != digest_of(release):
                raise _RefusedError(Reason.ID_REUSED)
            return Status.DUPLICATE, False
        if release.sequence <= device.sequence:
            raise _RefusedError(Reason.SEQUENCE)
        content = self._unseal(release)
        if isinstance(content, Delete):
            self._store.erase(release.device, release.sequence, self._clock.today())
            return Status.STORED, True
        if isinstance(content, Enrol):
            self._enrol_again(device, content)
            status = Status.STORED
        else:
            status = self._answer(release.device, content)
        self._store.remember(release.device, release.id, digest_of(release), release.sequence)
        return status, False

    def _first(self, release: Release) -> Status:
        """Of a device that is not known here, or no more."""
        content = self._unseal(release)
        withdrawn_at = self._store.withdrawn_at(release.device)
        if isinstance(content, Delete):
            # Nothing of it is here: what it asks for is so. Its key is not known either, and nothing is written.
            return Status.STORED
        if not isinstance(content, Enrol):
            raise _RefusedError(Reason.UNKNOWN_DEVICE if withdrawn_at is None else Reason.WITHDRAWN)
        key = _key(content)
        _verify(release, key)
        if withdrawn_at is not None and release.sequence <= withdrawn_at:
            raise _RefusedError(Reason.SEQUENCE)
        today = self._clock.today()
        pairing = self._store.pairing(token_hash(content.token), today)
        if pairing is None:
            raise _RefusedError(Reason.TOKEN)
        self._store.enrol(release.device, key, pairing, content.statistics, today)
        self._store.remember(release.device, release.id, digest_of(release), release.sequence)
        return Status.STORED

    def _enrol_again(self, device: Device, content: Enrol) -> None:
        """With the token it has: it agrees to other statistics. With another: it was paired anew."""
        if _key(content) != device.key:
            raise _RefusedError(Reason.SIGNATURE)
        hashed = token_hash(content.token)
        if hashed == device.token_hash:
            self._store.agreed(device.id, content.statistics)
            return
        today = self._clock.today()
        pairing = self._store.pairing(hashed, today)
        if pairing is None:
            raise _RefusedError(Reason.TOKEN)
        self._store.enrol(device.id, device.key, pairing, content.statistics, today)

    def _answer(self, device: bytes, answer: Answer) -> Status:
        asked = question(answer.statistic, answer.version)
        if asked is None:
            raise _RefusedError(Reason.CONTENT)
        if not asked.admits(answer):
            raise _RefusedError(Reason.BOUNDS)
        if self._store.is_answered(device, answer):
            if not self._store.holds(device, answer):
                raise _RefusedError(Reason.ANSWERED)
            return Status.DUPLICATE
        self._store.add_answer(device, answer, self._clock.today())
        return Status.STORED

    def _unseal(self, release: Release) -> Content:
        try:
            return unseal(release, self._secrets.sealing, self._secrets.public)
        except SealError:
            raise _RefusedError(Reason.SEAL) from None
        except ReleaseError:
            raise _RefusedError(Reason.CONTENT) from None


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
