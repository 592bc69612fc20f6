"""Whether a bundle may be let in: signed by a key that is trusted for it and has taken neither it nor itself back.

Whoever asks for it by name may let in what nobody they trust has signed; that is written down, and shown for ever.
What is signed falsely, or was taken back, is let in by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.bundle import Bundle
from models.errors import TrustError
from models.publishers import Publisher, publisher_of
from models.revocation import Revocations
from models.signature import fingerprint, spaced

SIGNED, LOCAL, PROGRAM = "signed", "local", "program"


@dataclass(frozen=True, slots=True)
class Trust:
    """`kind`: SIGNED by the key of `fingerprint`; LOCAL: let in by the wearer's word alone (`fingerprint`: who claims
    to have signed it, None: nobody); PROGRAM: a copy of what came with the program."""

    kind: str
    fingerprint: str | None = None

    def told(self, publishers: Iterable[Publisher]) -> str:
        if self.kind == SIGNED and self.fingerprint is not None:
            publisher = publisher_of(publishers, self.fingerprint)
            label = "a key that is no longer trusted" if publisher is None else publisher.label
            return f"signed by {label} ({spaced(self.fingerprint)[:19]})"
        return "trusted locally, signed by nobody who is" if self.kind == LOCAL else "came with the program"


def judged(
    bundle: Bundle, publishers: Iterable[Publisher], revocations: Revocations, *, local_is_enough: bool = False
) -> Trust:
    """How far `bundle` is trusted. Raises TrustError where it may not be let in."""
    named = f"{bundle.name} {bundle.version}"
    key = None if bundle.signature is None else fingerprint(bundle.signature.key)
    if bundle.signature is not None and not bundle.has_true_signature:
        raise TrustError(f"{named}: the signature is not that of the key it names: the file was changed")
    if key is not None and key in revocations.keys:
        raise TrustError(f"{named}: its key {spaced(key)[:19]} was taken back: {revocations.keys[key]}")
    reason = revocations.of_model(bundle.name, bundle.version, bundle.sha256, key)
    if reason is not None:
        raise TrustError(f"{named}: it was taken back: {reason}")
    publisher = None if key is None else publisher_of(publishers, key)
    if publisher is not None and publisher.may_sign(bundle.name):
        return Trust(SIGNED, key)
    if local_is_enough:
        return Trust(LOCAL, key)
    if key is None:
        raise TrustError(f"{named}: not signed, a signature of a trusted key expected (or --trust-local)")
    if publisher is None:
        raise TrustError(
            f"{named}: signed by {spaced(key)}, a key that is trusted expected (model trust, or --trust-local)"
        )
    raise TrustError(
        f"{named}: {publisher.label} is trusted for {', '.join(publisher.models or ())}, not for {bundle.name}"
    )
