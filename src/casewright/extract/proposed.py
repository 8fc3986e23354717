"""The stage that proposes a mapping: which database is the service's, and what its columns and the logs' paths hold."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Stage
from casewright.extract.columns import MEDIA_NAME, sample
from casewright.extract.formats import ACCESS_LOG, FILE_A_TABLE, KERNELS, READERS, Siblings, quoted
from casewright.extract.logs import LogLine, log_lines
from casewright.extract.propose import propose
from casewright.extract.reader import Piece

LOG_SAMPLE = 5_000
LOOKED_AT = 20
"""Databases, the largest first: the small ones that a machine keeps for itself need no look."""
Item = Mapping[str, Any]


def proposal(batch: pa.Table, context: Context) -> Output:
    """A mapping proposed from the database that looks most like a service's; no row where there is none."""
    rows = sorted(batch.to_pylist(), key=lambda r: (-r["size"], r["item"]))
    pages, folders = _asked_for((r for r in rows if r["mime"] == ACCESS_LOG), context)
    texts = []
    for name, items in islice(_databases(rows).items(), LOOKED_AT):
        pieces = (piece for item in items for piece in _pieces(item, context))
        texts.append(_from(name, propose(sample(pieces), pages, folders)))
    best = [max(texts, key=_columns)] if texts else []
    return Output({"proposal": pa.table({"toml": pa.array(best, pa.string())})})


def _databases(rows: Iterable[Item]) -> dict[str, list[Item]]:
    """Items by the database that they are of, the largest first."""
    found: dict[str, list[Item]] = {}
    for row in rows:
        if row["mime"] in READERS:
            folder = row["name"].rpartition("/")[0] + "/"
            found.setdefault(folder if row["mime"] in FILE_A_TABLE else row["name"], []).append(row)
    ranked = sorted(found.items(), key=lambda f: (-sum(item["size"] for item in f[1]), f[0]))
    return dict(ranked)


def _pieces(item: Item, context: Context) -> Iterator[Piece]:
    with context.open(item["sha256"]) as file:
        yield from READERS[item["mime"]](file, Siblings(context, item))


def _from(name: str, toml: str) -> str:
    return f"# From the database {name}\n{toml}"


def _columns(toml: str) -> int:
    """How many columns of ours a proposal fills."""
    return sum(len(section) - 1 for section in tomllib.loads(toml).values() if isinstance(section, dict))


def _asked_for(logs: Iterable[Item], context: Context) -> tuple[list[str], list[str]]:
    """Pages that named users asked for more than once, and folders from which they took media."""
    pages, folders = Counter[str](), Counter[str]()
    for item in logs:
        with context.open(item["sha256"]) as file:
            for line in islice(log_lines(file), LOG_SAMPLE):
                if isinstance(line, LogLine) and line.user and line.path.startswith("/"):
                    path = line.path.partition("?")[0]
                    if MEDIA_NAME.search(path):
                        folders["/" + path[1:].partition("/")[0] + "/" if "/" in path[1:] else "/"] += 1
                    else:
                        pages[path] += 1
    return _often(pages), _often(folders)


def _often(counts: Counter[str]) -> list[str]:
    """Paths asked for more than once, the most frequent fifty."""
    ranked = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    return [path for path, times in ranked[:50] if times > 1]


PROPOSAL = Stage("proposal", 2, ("items",), (), proposal, over="items",
                 where=f"mime IN ({quoted((*READERS, ACCESS_LOG))})", order="item", hostile=True, sees_all=True,
                 imports=KERNELS)  # fmt: skip
