"""The JSON document of an Electrum wallet file, with the changes (RFC 6902) that version 4.5 and later append to it.

No message repeats what stood there: a change may be one of a private key.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BETWEEN = re.compile(r"[\s,]*")
NUMBER = re.compile(r"[0-9]{1,9}")


class NoDocument(ValueError):  # noqa: N818  reads as what it says
    """The bytes hold no JSON object."""


class _NoChange(ValueError):  # noqa: N818  reads as what it says
    """Nothing that can be done to the document."""


@dataclass(frozen=True)
class Document:
    """`intact`: how many bytes were understood; what follows them is damaged, or was never written to its end."""

    parts: Mapping[str, Any]
    intact: int


def read_document(raw: bytes) -> Document:
    """Raises NoDocument."""
    text = raw.decode("utf-8", "surrogateescape")
    decoder = json.JSONDecoder()
    try:
        parts, at = decoder.raw_decode(text, _skip(text, 0))
    except (ValueError, RecursionError) as error:
        raise NoDocument("is no JSON, or nested too deep") from error
    if not isinstance(parts, dict):
        raise NoDocument("holds no JSON object")
    while (start := _skip(text, at)) < len(text):
        try:
            change, end = decoder.raw_decode(text, start)
            _make(parts, change)
        except (ValueError, RecursionError):
            break
        at = end
    return Document(parts, len(raw) if start == len(text) else len(text[:start].encode("utf-8", "surrogateescape")))


def _skip(text: str, at: int) -> int:
    found = BETWEEN.match(text, at)
    return found.end() if found else at


def _make(document: Any, change: Any) -> None:
    """Make one change. Raises _NoChange, and then has made none."""
    if not isinstance(change, dict) or not isinstance(change.get("path"), str) or change["path"][:1] != "/":
        raise _NoChange
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in change["path"].split("/")[1:]]
    if change.get("op") not in ("add", "replace", "remove") or ("value" in change) == (change["op"] == "remove"):
        raise _NoChange
    for step in steps:
        document = document[_place(document, step)]
    where = _place(document, last, new=change["op"] != "remove")
    if change["op"] == "remove":
        del document[where]
    elif isinstance(document, list) and change["op"] == "add":
        document.insert(where, change["value"])
    else:
        document[where] = change["value"]


def _place(document: Any, step: str, *, new: bool = False) -> Any:
    """The name or number of a part that is there, or may be put there. Raises _NoChange."""
    if isinstance(document, dict) and (new or step in document):
        return step
    if isinstance(document, list) and new and step == "-":
        return len(document)
    if isinstance(document, list) and NUMBER.fullmatch(step) and int(step) < len(document):
        return int(step)
    raise _NoChange
