"""Why something stands on the worklist, in plain words."""

from collections.abc import Mapping
from typing import Any

NEAR = {
    "pdq": "{distance} bits from a listed one", "frames": "a listed film, from {here}",
    "contains": "holds a listed film, from {here}", "part": "part of a listed film, from {there} of that",
    "excerpt": "from {here} as in a listed film, from {there} of that",
    "mirrored": "a listed one, mirrored ({distance} bits)", "turned": "a listed one, turned ({distance} bits)",
    "border": "a listed one in a border ({distance} bits)", "screenshot": "a listed one on a screen ({distance} bits)",
    "crop": "cut out of a listed one ({distance} bits)", "wider": "a listed one with more around it ({distance} bits)",
}  # fmt: skip
"""How each method of matching is said; a method that is not here is said by its name."""


def own_words(content: Mapping[str, Any]) -> list[str]:
    """What is to be said of a content itself."""
    category = f", category {content['category']}" if content["category"] is not None else ""
    if content["state"] == "known":
        words = f"on a list by its exact hash{category}"
    elif content["state"] == "near":
        said = NEAR.get(content["method"], "near a listed one by {method} ({distance} bits)")
        words = said.format_map({**content, **_stretches(content["stretch"])}) + category
    else:
        words = "on no list"
    more = [f"{content['items']} copies"] if content["items"] > 1 else []
    more += [f"harmless says {content['harmless']}, which does not agree"] if content["harmless"] else []
    return [words, *more]


def _stretches(stretch: Mapping[str, float | None]) -> dict[str, str]:
    """Where in this film, and where in the listed one; empty for pictures."""
    sides = {"here": ("item_from", "item_to"), "there": ("entry_from", "entry_to")}
    times = {side: [stretch[end] for end in ends] for side, ends in sides.items()}
    return {side: " to ".join(_clock(t) for t in ends if t is not None) for side, ends in times.items()}


def _clock(seconds: float) -> str:
    """`1:02:03`, or `2:03` within the first hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def shared_words(facts: Mapping[str, Any]) -> list[str]:
    """What is to be said of the group that is opened, most urgent first."""
    said = (
        (facts["listed"], "a version of it is listed"),
        (facts["device"], "same device as listed ones"),
        (facts["series"], "in a series with listed ones"),
        (facts["made alike"], "made alike with listed ones"),
        (facts["by_listed"], "uploaded by an account that also uploaded listed ones"),
        (facts["by_payer"], "uploaded by an account that paid"),
        (facts["uploads"] and facts["uploaded"], "uploaded {times}, last {uploaded:%Y-%m-%d}"),
        (facts["placed"], "position data present"),
        (facts["versions"] > 1, "{versions} versions, {items} items"),
        (facts["harmless"], "a version of it is known as harmless ({harmless})"),
    )
    return [words.format_map(facts) for holds, words in said if holds]
