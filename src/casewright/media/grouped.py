"""What every way of grouping gives: members of groups, each with why they belong together."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from casewright.model.ids import make_id

BYTES, NEAR, FRAMES, DEVICE, ALIKE, SERIES = "bytes", "near", "frames", "device", "made alike", "series"
"""Kinds of groups. Of the first three a group is versions of one thing; the others say where media come from."""
VERSIONS = (NEAR, FRAMES)


@dataclass(frozen=True)
class Member:
    """An item in the group that `key` names among those of its kind; `distance` is in bits from the item that leads."""

    kind: str
    key: str
    item: str
    reason: str
    distance: int | None = None
    leads: bool = False


def rows_of(members: Iterable[Member]) -> list[dict[str, Any]]:
    """Rows of `media_groups`."""
    rows = []
    names: dict[tuple[str, str], str] = {}
    for member in members:
        key = (member.kind, member.key)
        group = names.get(key) or names.setdefault(key, make_id("group", *key))
        rows.append({
            "id": make_id("member", group, member.item), "media_group": group, "kind": member.kind, "item": member.item,
            "reason": member.reason, "distance": member.distance, "leads": member.leads,
            "sources": ["media/" + member.item],
        })  # fmt: skip
    return rows
