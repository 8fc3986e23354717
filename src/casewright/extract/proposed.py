"""The stage that proposes a mapping: which database is the service's, and what its columns and the logs' paths hold."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Stage
from casewright.extract.columns import MEDIA_NAME, sample
from casewright.extract.formats import (
    ACCESS_LOG,
    JSON_ACCESS_LOG,
    KERNELS,
    LOG_FORMS,
    LOG_READERS,
    READERS,
    Siblings,
    quoted,
)
from casewright.extract.log import Given, Line, Request
from casewright.extract.propose import propose

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
    for item in islice((r for r in rows if r["mime"] in READERS), LOOKED_AT):
        with context.open(item["sha256"]) as file:
            found = propose(sample(READERS[item["mime"]](file, Siblings(context, item))), pages, folders)
        texts.append(f"# From the database {item['name']}\n{found}")
    best = [max(texts, key=_columns)] if texts else []
    return Output({"proposal": pa.table({"toml": pa.array(best, pa.string())})})


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
