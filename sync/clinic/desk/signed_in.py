"""Who asks, as a page is told it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`name`: as the audit log has it: a name of staff, or `token:NAME`.

    `csrf`: the value of the hidden field `csrf` in every form; empty for an API token, which only reads.
    """

    name: str
    csrf: str = field(repr=False)
