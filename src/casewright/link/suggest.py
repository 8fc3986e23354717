"""Which records may be one person, and why: pairs that are likely enough, with every comparison's weight.

Imported late: Splink takes a moment to load.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.link.likeness import likeness
from casewright.link.weights import Comparison, weights
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

Row = Mapping[str, Any]
UNKNOWN = "one of the two does not say"
START = "before anything is compared: one pair of records in a million is one person"
LIKELY = "likely"
"""How the reason of a link begins that rests on weights alone; `strong` and `weak` are the words of exact joins."""


def suggestions(batch: pa.Table, context: Context) -> Output:
    """Pairs of a customer and another customer or an earlier subject, from the case's probability on."""
    forms = context.table("person_forms")
    pairs, common = likeness(forms, context.params["suggest_at"])
    told = context.sql(sql_stage_text(__file__, "pairs"), pairs=pairs).to_pylist()
    both = [_suggestion(row) for row in told]
    rows, reasons = [row for row, _ in both], [reason for _, why in both for reason in why]
    paired = {person for row in rows for person in (row["from_id"], row["to_id"])}
    tallies = [
        Tally("persons", forms.num_rows, len(paired), forms.num_rows - len(paired)),
        Tally("values too common to lead", common.num_rows, 0, common.num_rows),
    ]
    rows.sort(key=lambda row: str(row["link"]))
    reasons.sort(key=lambda row: (str(row["suggestion"]), row["number"]))
    found = {"suggestions": rows, "suggestion_reasons": reasons}
    tables = {name: TABLES[name].rows(made) for name, made in found.items()}
    return Output(tables, [], tallies)


def _suggestion(pair: Row) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A pair's row, and the rows of its reasons in order."""
    kind = "person-prior" if pair["origin_r"] == "prior" else "person-person"
    link = make_id("link", kind, pair["person_l"], pair["person_r"])
    name = make_id("suggestion", link)
    reasons = [{"reason": make_id("reason", name, number), "suggestion": name, "number": number, **one,
                "bits": round(one["bits"], 2),
                "sources": ["forms/" + pair["person_l"], "forms/" + pair["person_r"]] if number else []}
               for number, one in enumerate(_waterfall(pair))]  # fmt: skip
    row = {"suggestion": name, "link": link, "kind": kind, "from_id": pair["person_l"], "to_id": pair["person_r"],
           "weight": round(pair["match_weight"], 2), "probability": round(pair["match_probability"], 6),
           "reason": _reason(pair, reasons), "against": _against(reasons),
           "sources": [one["reason"] for one in reasons]}  # fmt: skip
    return row, reasons


def _waterfall(pair: Row) -> Iterator[dict[str, Any]]:
    """What the bits of a pair come from, one after the other; they add up to its weight."""
    yield {"comparison": "start", "says": START, "bits": weights().start_bits, "against": False}
    for one in weights().comparisons:
        level = one.level(pair[f"gamma_{one.column}"])
        values = {"left": pair[f"{one.shows}_left"], "right": pair[f"{one.shows}_right"]}
        yield {"comparison": one.name, **values, "says": level.says if level else UNKNOWN,
               "bits": level.bits if level else 0.0,
               "against": level is not None and (level.against or level.bits < 0)}  # fmt: skip
        if lost := pair.get(f"mw_tf_adj_{one.column}"):
            says = f"but {_sharing(one, pair)} records of this case share it"
            yield {"comparison": one.name, **values, "says": says, "bits": lost, "against": True}


def _sharing(one: Comparison, pair: Row) -> int:
    level = one.level(pair[f"gamma_{one.column}"])
    assert level is not None, "what is unknown loses nothing"
    shared: int = pair[f"sharing_{level.common}"]
    return shared


def _reason(pair: Row, reasons: list[dict[str, Any]]) -> str:
    spoken = [f"{one['comparison']} {one['bits']:+.1f} ({one['says']})" for one in reasons[1:] if one["bits"] > 0]
    earlier = f", case {pair['reference_right'] or '?'}" if pair["origin_r"] == "prior" else ""
    return f"{LIKELY}: {pair['match_weight']:.1f} bits: {', '.join(spoken)}{earlier}"


def _against(reasons: list[dict[str, Any]]) -> str:
    spoken = [f"{one['comparison']} {one['bits']:+.1f} ({one['says']})" for one in reasons if one["against"]]
    return "; ".join(spoken) or "records may be wrong or borrowed"
