"""Figures as the writers take them: by section, and in it a row a subject and a column a label."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa


class Figure(NamedTuple):
    """One value of a package."""

    figure: str
    section: str
    subject: str
    label: str
    value: str
    sources: Sequence[str] = ()
    handling: str = ""
    withheld: bool = False
    """Its value is not in this package: what stands in its place says the code."""


@dataclass(frozen=True)
class Section:
    """The figures of one section. `columns` stand in the order in which they first occur."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Figure]]

    def column(self, label: str) -> list[str]:
        """The label's value in each row; nothing where a row has none."""
        return [row[label].value if label in row else "" for row in self.rows]

    @cached_property
    def ids(self) -> list[str]:
        """The id of each row's first figure."""
        return [first(row).figure for row in self.rows]


class Figures:
    """The figures of one package, in order."""

    def __init__(self, listed: Iterable[Figure]) -> None:
        self.listed = list(listed)

    @classmethod
    def of(cls, rows: pa.Table) -> "Figures":
        columns = [rows.column(name).to_pylist() for name in Figure._fields]
        return cls(map(Figure._make, zip(*columns, strict=True)))

    def columns(self, *names: str) -> list[list[Any]]:
        """Some fields of every figure, each as a list."""
        places = map(Figure._fields.index, names)
        return [[figure[place] for figure in self.listed] for place in places]

    @cached_property
    def sections(self) -> dict[str, Section]:
        """The sections by name, in order."""
        found: dict[str, list[Figure]] = {}
        for figure in self.listed:
            found.setdefault(figure.section, []).append(figure)
        return {name: _grid(name, mine) for name, mine in found.items()}

    def section(self, name: str) -> Section:
        return self.sections.get(name) or Section(name, [], [])


def _grid(name: str, figures: Iterable[Figure]) -> Section:
    """A subject that has a column twice gets a further row."""
    columns: dict[str, None] = {}
    rows: list[dict[str, Figure]] = []
    open_row: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        columns.setdefault(figure.label)
        row = open_row.get(figure.subject)
        if row is None or figure.label in row:
            row = open_row[figure.subject] = {}
            rows.append(row)
        row[figure.label] = figure
    return Section(name, list(columns), rows)


def first(row: Mapping[str, Figure]) -> Figure:
    """A row's first figure: its id stands for the row, since all rest on the same."""
    return next(iter(row.values()))
