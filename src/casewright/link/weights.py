"""The weights by which records of persons are compared: `weights.toml`, read once, as a model of Splink's."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log2
from pathlib import Path
from typing import Any

OTHERWISE = "ELSE"


@dataclass(frozen=True)
class Level:
    """One way in which two records agree or differ."""

    when: str
    says: str
    m: float
    u: float
    common: str = ""
    against: bool = False

    @property
    def bits(self) -> float:
        return log2(self.m / self.u)


@dataclass(frozen=True)
class Comparison:
    """One thing that is compared. Splink numbers levels from the last, 0, upwards; -1: one of the two does not say."""

    name: str
    shows: str
    unknown: str
    levels: tuple[Level, ...]

    @property
    def column(self) -> str:
        return self.name.replace(" ", "_")

    def level(self, number: int) -> Level | None:
        return self.levels[len(self.levels) - 1 - number] if number >= 0 else None

    def for_splink(self) -> dict[str, Any]:
        unknown = {"sql_condition": self.unknown, "label_for_charts": "unknown", "is_null_level": True}
        levels = [
            {"sql_condition": one.when, "label_for_charts": one.says, "m_probability": one.m, "u_probability": one.u}
            | ({"tf_adjustment_column": one.common} if one.common else {})
            for one in self.levels
        ]
        return {"output_column_name": self.column, "comparison_levels": [unknown, *levels]}


@dataclass(frozen=True)
class Weights:
    start: float
    comparisons: tuple[Comparison, ...]

    @property
    def start_bits(self) -> float:
        return log2(self.start / (1 - self.start))

    def commons(self) -> dict[str, float]:
        """Columns whose common values weigh less, with the share above which a value is common."""
        return {level.common: level.u for one in self.comparisons for level in one.levels if level.common}

    def for_splink(self, leads: Sequence[str]) -> dict[str, Any]:
        """Settings of Splink. `leads`: SQL of what brings two records together at all."""
        rules = [{"blocking_rule": lead, "sql_dialect": "duckdb"} for lead in leads]
        return {
            "link_type": "link_only", "unique_id_column_name": "person", "source_dataset_column_name": "side",
            "probability_two_random_records_match": self.start,
            "comparisons": [one.for_splink() for one in self.comparisons],
            "blocking_rules_to_generate_predictions": rules,
            "retain_matching_columns": True, "retain_intermediate_calculation_columns": True,
        }  # fmt: skip


@cache
def weights() -> Weights:
    found = tomllib.loads(Path(__file__).with_name("weights.toml").read_text("utf-8"))
    comparisons = (
        Comparison(one["name"], one["shows"], one["unknown"], tuple(Level(**level) for level in one["levels"]))
        for one in found["comparison"]
    )
    return Weights(found["start"], tuple(comparisons))
