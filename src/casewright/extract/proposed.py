"""The stage that proposes a mapping: which database is the service's, and what its columns and the logs' paths hold."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Stage
from casewright.extract.columns import MEDIA_NAME, sample
from casewright.extract.folders import PLACE, folder_of
from casewright.extract.formats import (
    ACCESS_LOG,
    JSON_ACCESS_LOG,
    KERNELS,
    LOG_FORMS,
    LOG_READERS,
    READERS,
    TABLESPACE,
    Siblings,
    quoted,
)
from casewright.extract.log import Given, Line, Request
from casewright.extract.propose import propose
from casewright.extract.reader import Piece

LOG_SAMPLE = 5_000
LOOKED_AT = 20
"""Databases, the largest first: the small ones that a machine keeps for itself need no look."""
ASKED_IN = (ACCESS_LOG, JSON_ACCESS_LOG)
Item = Mapping[str, Any]


def proposal(batch: pa.Table, context: Context) -> Output:
    """A mapping proposed from the database that looks most like a service's; no row where there is none."""
    rows = sorted(batch.to_pylist(), key=lambda r: (-r["size"], r["item"]))
    pages, folders = _asked_for((r for r in rows if r["mime"] in ASKED_IN), context)
    texts = []
    for items in _databases([row for row in rows if row["mime"] in READERS])[:LOOKED_AT]:
        found = propose(sample(_pieces(items, context)), pages, folders)
        texts.append(f"# From the database {_called(items)}\n{found}")
    best = [max(texts, key=_columns)] if texts else []
    return Output({"proposal": pa.table({"toml": pa.array(best, pa.string())})})


def _databases(items: Sequence[Item]) -> list[list[Item]]:
    """The items of each database, the largest first: the tablespaces of one folder are one."""
    found = dict[Any, list[Item]]()
    for item in items:
        place = (*(item[name] for name in PLACE), folder_of(item)) if item["mime"] == TABLESPACE else item["item"]
        found.setdefault(place, []).append(item)
    return sorted(found.values(), key=lambda items: (-sum(item["size"] for item in items), items[0]["item"]))


def _pieces(items: Sequence[Item], context: Context) -> Iterator[Piece]:
    for item in items:
        with context.open(item["sha256"]) as file:
            yield from READERS[item["mime"]](file, Siblings(context, item))


def _called(items: Sequence[Item]) -> str:
    name: str = items[0]["name"]
    return name.rpartition("/")[0] or name if items[0]["mime"] == TABLESPACE else name


def _columns(toml: str) -> int:
    """How many columns of ours a proposal fills."""
    return sum(len(section) - 1 for section in tomllib.loads(toml).values() if isinstance(section, dict))


def _asked_for(logs: Iterable[Item], context: Context) -> tuple[list[str], list[str]]:
    """Pages that named users asked for more than once, and folders from which they took media."""
    pages, folders = Counter[str](), Counter[str]()
    for item in logs:
        with context.open(item["sha256"]) as file:
            lines = LOG_READERS[LOG_FORMS[item["mime"]]](file, Given())
            for line in islice(lines, LOG_SAMPLE):
                if isinstance(line, Line) and isinstance(line.said, Request) and line.said.path.startswith("/"):
                    path = line.said.path.partition("?")[0]
                    if MEDIA_NAME.search(path):
                        folders["/" + path[1:].partition("/")[0] + "/" if "/" in path[1:] else "/"] += 1
                    else:
                        pages[path] += 1
    return _often(pages), _often(folders)


def _often(counts: Counter[str]) -> list[str]:
    """Paths asked for more than once, the most frequent fifty."""
    ranked = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    return [path for path, times in ranked[:50] if times > 1]


PROPOSAL = Stage("proposal", 5, ("items",), (), proposal, over="items",
                 where=f"mime IN ({quoted((*READERS, *ASKED_IN))})", order="item", hostile=True, sees_all=True,
                 imports=KERNELS)  # fmt: skip
