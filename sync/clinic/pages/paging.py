"""Long lists come 50 at a time. What stands in an address is read leniently: whatever is no page is the first one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sync.clinic.settings import whole_number

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Paging:
    """`first` and `last` number what is shown, from 1 on; `total` 0: there is nothing. Links are None where none go."""

    page: int
    pages: int
    first: int
    last: int
    total: int
    previous: str | None
    next: str | None


def page_asked(query: Mapping[str, str], name: str = "page") -> int:
    return max(1, whole_number(query.get(name, "")) or 1)


def paging(page: int, total: int, path: str, query: Mapping[str, str], name: str = "page") -> Paging:
    """`query`: the rest of the address, which links keep."""
    pages = max(1, -(-total // PER_PAGE))
    page = page if page <= pages else 1
    first = (page - 1) * PER_PAGE + 1

    def link(other: int) -> str:
        return f"{path}?{urlencode({**query, name: str(other)})}"

    return Paging(
        page,
        pages,
        min(first, total),
        min(first + PER_PAGE - 1, total),
        total,
        link(page - 1) if page > 1 else None,
        link(page + 1) if page < pages else None,
    )
