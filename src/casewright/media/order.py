"""Which media belong together, and in what order a human should see them."""

from collections import defaultdict
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally
from casewright.kernels.hamming import packed
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

FIRST = {"new": 0, "near": 1, "known": 2}


def groups(batch: pa.Table, context: Context) -> Output:
    """Same bytes; near by PDQ to the group's first item, never to a later one, so that strangers are not chained
    together; same camera with a serial number."""
    media = context.sql(
        "SELECT item, i.sha256, m.camera, m.pdq, m.pdq_quality FROM media m JOIN items i USING (item) ORDER BY item"
    ).to_pylist()
    rows: list[dict[str, Any]] = []
    for reason, members in (
        ("same bytes", _by(media, "sha256")),
        ("near by PDQ", _near(media, context)),
        ("same camera", _by([m for m in media if m["camera"] and any(map(str.isdigit, m["camera"]))], "camera")),
    ):
        for first, group in members:
            name = make_id("group", reason, first)
            rows += [_member(name, item, reason, bits) for item, bits in group]
    grouped = {r["item"] for r in rows}
    tally = Tally("media", len(media), len(grouped), len(media) - len(grouped))
    return Output({"media_groups": TABLES["media_groups"].rows(rows)}, [], [tally])


Group = tuple[str, list[tuple[str, int]]]


def _by(media: list[dict[str, Any]], column: str) -> list[Group]:
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for medium in media:
        found[medium[column]].append((medium["item"], 0))
    return [(members[0][0], members) for members in found.values() if len(members) > 1]


def _near(media: list[dict[str, Any]], context: Context) -> list[Group]:
    """Each picture, once by content, joins the nearest leader of a group, or leads one."""
    from casewright.kernels.hamming_groups import joined  # noqa: PLC0415  slow to import

    good = [m for m in media if m["pdq"] and m["pdq_quality"] >= context.params["pdq_quality"]]
    pictures = list({m["sha256"]: m for m in good}.values())
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    leaders, distances = joined(packed([m["pdq"] for m in pictures]), context.params["pdq_distance"])
    for picture, leader, bits in zip(pictures, leaders.tolist(), distances.tolist(), strict=True):
        found[leader].append((picture["item"], bits))
    return [(members[0][0], members) for members in found.values() if len(members) > 1]


def _member(group: str, item: str, reason: str, bits: int) -> dict[str, Any]:
    return {"id": make_id("member", group, item), "media_group": group, "item": item, "reason": reason,
            "distance": bits, "sources": ["media/" + item]}  # fmt: skip


WORK = """
SELECT i.sha256, min(i.item) AS item, count(DISTINCT i.item) AS copies, any_value(m.kind ORDER BY i.item) AS kind,
       min(x.distance) FILTER (x.method IN ('sha256', 'sha1', 'md5')) AS exact,
       min(x.distance) FILTER (x.method NOT IN ('sha256', 'sha1', 'md5')) AS near,
       any_value(x.category ORDER BY x.distance, x.entry) AS category,
       list(DISTINCT x.match_id ORDER BY x.match_id) FILTER (x.match_id IS NOT NULL) AS matches,
       count(DISTINCT u.upload) AS uploads, max(u.time) AS uploaded,
       any_value(g.media_group ORDER BY g.media_group) FILTER (g.reason = 'same camera') AS camera,
       min(h.list) AS harmless, list(DISTINCT h.id ORDER BY h.id) FILTER (h.id IS NOT NULL) AS harmless_rows
FROM media m
JOIN items i USING (item)
LEFT JOIN media_matches x ON x.item = m.item
LEFT JOIN media_groups g ON g.item = m.item
LEFT JOIN harmless h ON h.item = m.item
LEFT JOIN uploads u ON u.sha256 = i.sha256 OR (u.sha256 IS NULL AND u.md5 = i.md5)
GROUP BY i.sha256
ORDER BY i.sha256
"""


def worklist(batch: pa.Table, context: Context) -> Output:
    """One row for each distinct content: new ones first, those on a camera that also took listed ones before others,
    then by how recently an account uploaded them. What is on no list and known as harmless is left out and counted;
    its row in `harmless` says why."""
    rows = context.sql(WORK).to_pylist()
    listed = {r["camera"] for r in rows if r["camera"] and (r["exact"] is not None or r["near"] is not None)}
    for row in rows:
        row["state"] = "known" if row["exact"] is not None else "near" if row["near"] is not None else "new"
        row["related"] = row["state"] == "new" and row["camera"] in listed
    work = [r for r in rows if r["state"] != "new" or not r["harmless"]]
    work.sort(key=lambda r: (FIRST[r["state"]], not r["related"], r["uploads"] == 0, _late(r["uploaded"]), r["sha256"]))
    made = [
        {"rank": rank, "item": row["item"], "state": row["state"], "reason": _reason(row),
         "sources": ["media/" + row["item"], *(row["matches"] or []), *(row["harmless_rows"] or [])]}
        for rank, row in enumerate(work, start=1)
    ]  # fmt: skip
    tally = Tally("distinct media", len(rows), len(work), len(rows) - len(work))
    return Output({"worklist": TABLES["worklist"].rows(made)}, [], [tally])


def _late(moment: Any) -> float:
    """Later uploads sort first."""
    return -moment.timestamp() if moment else 0.0


def _reason(row: dict[str, Any]) -> str:
    category = f", category {row['category']}" if row["category"] is not None else ""
    words = {
        "known": f"on a list by its exact hash{category}",
        "near": f"{row['near']} bits from a listed one{category}",
        "new": "on no list",
    }[row["state"]]
    more = [f"{row['copies']} copies"] if row["copies"] > 1 else []
    more += [f"harmless says {row['harmless']}, which does not agree"] if row["harmless"] else []
    more += ["same camera as listed ones"] if row["related"] else []
    more += (
        [f"uploaded {row['uploads']} times, last {row['uploaded']:%Y-%m-%d}"]
        if row["uploads"] and row["uploaded"]
        else []
    )
    return "; ".join([words, *more])
