"""What a page of the review room is: a path, what it finds for whom asks, and the template that shows it.

Every page answers in two forms: `/path` for people and `/path.json` with the same findings. All that it shows depends
on its address, the case, and what was decided: nothing is remembered between two requests.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from casewright.model.errors import UsageError
from casewright.review.desk import Desk
from casewright.review.visitor import Visitor

PER_PAGE = 50
LAST_PAGE = 1_000_000
SPAN = re.compile(r"(19|20)[0-9]{2}(-[0-9]{2}){0,2}")


@dataclass(frozen=True)
class Ask:
    """A question: who asks, by which path and query."""

    desk: Desk
    visitor: Visitor
    path: Mapping[str, str]
    query: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """A value of the query; control characters and all beyond 200 characters are dropped."""
        given = self.query.get(name, default)
        return "".join(c for c in given if c.isprintable())[:200].strip()

    def choice(self, name: str, allowed: Mapping[str, Any], default: str) -> str:
        """A value that must be one of those allowed. Raises UsageError."""
        given = self.text(name) or default
        if given not in allowed:
            raise UsageError(f"There is no {name} {given!r} here. Choose one of: {', '.join(allowed)}.")
        return given

    def span(self, name: str) -> dict[str, datetime] | None:
        """When a year, month or day of the query (`2017`, `2017-03`, `2017-03-14`) begins and ends. Raises
        UsageError for what is none."""
        given = self.text(name)
        if not given:
            return None
        try:
            if not SPAN.fullmatch(given):
                raise ValueError
            begins = datetime(*[*map(int, given.split("-")), 1, 1][:3])  # type: ignore[arg-type]  # noqa: DTZ001  as tables
        except ValueError as error:
            raise UsageError(f"{given!r} is no year, month or day, such as 2017-03 or 2017-03-14.") from error
        if len(given) == len("2017"):
            return {"begins": begins, "ends": begins.replace(year=begins.year + 1)}
        if len(given) == len("2017-03"):
            return {"begins": begins, "ends": (begins + timedelta(31)).replace(day=1)}
        return {"begins": begins, "ends": begins + timedelta(1)}

    @property
    def number(self) -> int:
        """Which page of a long list, from 1."""
        given = self.text("page", "1")
        if not (given.isascii() and given.isdigit() and 1 <= int(given) <= LAST_PAGE):
            raise UsageError(f"{given!r} is no number of a page.")
        return int(given)

    def rows(self, sql: str, bind: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        return self.desk.rows(sql, dict(bind or {}))

    def listed(self, table: str, place: str, where: str = "", bind: Mapping[str, Any] | None = None,
               columns: str = "*") -> "Slice":  # fmt: skip
        """One page of a derived list, in the order of its column `place`, which numbers all its rows from 1: without
        `where` the last page costs what the first does, with it only places are put in order."""
        first, most = (self.number - 1) * PER_PAGE, PER_PAGE + 1
        these, given = f"BETWEEN {first + 1} AND {first + most}", bind if where else {}
        if where:
            these = f"IN (SELECT {place} FROM {table} WHERE {where} ORDER BY {place} LIMIT {most} OFFSET {first})"  # noqa: S608  ours
        found = self.rows(f"SELECT {columns} FROM {table} WHERE {place} {these} ORDER BY {place}", given)  # noqa: S608
        return Slice(found[:PER_PAGE], self.number, first + 1, len(found) > PER_PAGE)

    def numbered(self, sql: str, bind: Mapping[str, Any]) -> "Slice":
        """One page of a query that takes rows by their numbers in it, from `$first` to `$last`."""
        first = (self.number - 1) * PER_PAGE + 1
        found = self.rows(sql, {**bind, "first": first, "last": first + PER_PAGE})
        return Slice(found[:PER_PAGE], self.number, first, len(found) > PER_PAGE)

    def slice(self, sql: str, bind: Mapping[str, Any] | None = None, per_page: int = PER_PAGE) -> "Slice":
        """One page of a query's rows. The query must say ORDER BY over a total order."""
        first = (self.number - 1) * per_page
        found = self.rows(f"{sql} LIMIT {per_page + 1} OFFSET {first}", bind)  # numbers of ours
        return Slice(found[:per_page], self.number, first + 1, len(found) > per_page)


class Slice(NamedTuple):
    """Part of a long list: its rows, which page that is, the first row's number, and whether more come."""

    rows: list[dict[str, Any]]
    page: int
    first: int
    more: bool


Find = Callable[[Ask], dict[str, Any]]


@dataclass(frozen=True)
class Page:
    """A page. `tab`: the tab that it stands under; `find` raises Missing for what is not there, UsageError for what
    makes no sense."""

    path: str
    template: str
    find: Find
    tab: str = ""


@dataclass(frozen=True)
class Tab:
    """A room of the review: its name, where it is, and the key that goes there after `g`."""

    name: str
    path: str
    key: str
