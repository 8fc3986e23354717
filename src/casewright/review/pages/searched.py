"""A derived list, narrowed by words and by a year, month or day that a page was asked for."""

from dataclasses import dataclass
from typing import Any

from casewright.review.page import Ask

LIKE = "contains(said, lower($q))"
DAYS = """
SELECT strftime({time}, '%Y-%m-%d') AS month, count(*) AS {counted} FROM {table} WHERE {within}
GROUP BY month ORDER BY month
"""
MONTH = len("2017-03")


@dataclass(frozen=True)
class Searched:
    """`key`: the list's id; `whole`: columns that are found by whole values only; `time`: the column that `span` of the
    query narrows, and `counted` what a day of it is said to have so many of."""

    table: str
    key: str
    whole: tuple[str, ...]
    time: str
    span: str
    counted: str

    def asked(self, ask: Ask) -> tuple[list[str], dict[str, Any]]:
        """Conditions, and what they bind."""
        wanted: list[str] = []
        bind: dict[str, Any] = {}
        if q := ask.text("q"):
            wanted.append(f"({LIKE} OR {self.key} IN ({self._whole()}))" if ask.rows(self._whole(), {"q": q}) else LIKE)
            bind["q"] = q
        if span := ask.span(self.span):
            wanted.append(self._within)
            bind |= span
        return wanted, bind

    def days(self, ask: Ask) -> list[dict[str, Any]]:
        """How many there are of each day, when a month is asked for."""
        span = ask.span(self.span)
        if not span or len(ask.text(self.span)) != MONTH:
            return []
        return ask.rows(DAYS.format(time=self.time, counted=self.counted, table=self.table, within=self._within), span)

    @property
    def _within(self) -> str:
        return f"{self.time} >= $begins AND {self.time} < $ends"

    def _whole(self) -> str:
        return " UNION ".join(f"SELECT {self.key} FROM {self.table} WHERE {one} = $q" for one in self.whole)  # noqa: S608
