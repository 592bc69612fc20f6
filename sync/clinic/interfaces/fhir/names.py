"""The addresses that stand in a clinic's resources."""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5

from sync.clinic.clinic import Clinic
from sync.clinic.errors import ClinicError
from sync.clinic.interfaces.fhir.codes import Names

_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")


def names_of(clinic: Clinic, url: str | None = None) -> Names:
    """`url`: in place of what the clinic was told with `init`. Raises ClinicError where there is neither."""
    root = (url or clinic.url or "").rstrip("/")
    if not root:
        raise ClinicError(
            "at what address is this clinic? --url, here or with init: codes and extensions are named by it"
        )
    # The keys stay what they are when the address changes, and so do whose pseudonyms these are.
    return Names(root, f"urn:uuid:{uuid5(NAMESPACE_URL, f'vitalkeep clinic {clinic.secrets.public.id.hex()}')}")


def names_for(clinic: Clinic, scheme: str, host: str) -> Names:
    """As `names_of`; where the clinic was told no address, that at which it was asked."""
    return names_of(clinic, clinic.url or f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}")
