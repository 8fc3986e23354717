"""A fast check of a notice of a recall: that its sheet, its JSON and the ledger's line say the same."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

from casewright.refer.writers.sheets import exact

NOTICE = "notice.json"
KEYS = ("figure", "section", "subject", "label", "value", "should")


def is_notice(data: Path) -> bool:
    return (data / NOTICE).is_file() and not (data / "figures.csv").exists()


def notice_problems(data: Path) -> Iterator[str]:
    """What is wrong with the files of a notice, in words. Nothing: they agree."""
    try:
        raw = (data / NOTICE).read_bytes()
        said = json.loads(raw)
        line = json.loads((data / "ledger.jsonl").read_bytes())
        text = (data / "notice.csv").read_text("utf-8")
        sheet = [tuple(map(exact, row)) for row in csv.reader(io.StringIO(text, newline=""), strict=True)]
        told = [tuple(row[key] or "" for key in KEYS) for row in said["said"]]
        content = line["data"]["content"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        yield f"the notice cannot be read: {type(error).__name__}: {error}"
        return
    if content != hashlib.sha256(raw.removesuffix(b"\n")).hexdigest():
        yield f"{NOTICE} is not what the ledger's line names"
    if sheet[1:] != told:
        yield f"notice.csv and {NOTICE} differ"
