"""Hash lists: VICS JSON (1.3 and 2.0, hash sets and cases) and CSV.

Category codes are kept verbatim with the dialect that the list names: the same number means opposite things in two of
them. A list that is cut off is refused whole: half a list would let known items pass for new ones.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casewright.model.errors import Refused

HEX = {"sha256": 64, "sha1": 40, "md5": 32}
CSV_NAMES = {"sha256": "sha256", "sha-256": "sha256", "sha1": "sha1", "sha-1": "sha1", "md5": "md5", "pdq": "pdq",
             "category": "category", "id": "native", "mediaid": "native", "image id": "native"}  # fmt: skip


@dataclass(frozen=True)
class ListEntry:
    """An entry, its bytes in the list's file, and hashes in it that make no sense (name, value, why)."""

    native: str
    category: str | None
    dialect: str
    sha256: str | None
    sha1: str | None
    md5: str | None
    pdq: tuple[str, ...]
    span_start: int
    span_length: int
    row: int
    doubtful: tuple[str, ...] = ()


def read_list(raw: bytes, name: str) -> list[ListEntry]:
    """Every entry of a list. Raises Refused, naming the list, when it is cut off or of no form that is known."""
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return list(_vics(raw, name))
    return list(_csv(raw, name))


def _vics(raw: bytes, name: str) -> Iterator[ListEntry]:
    try:
        whole = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name} is cut off or damaged, and nothing of it was used: {error}. Get it again.") from error
    dialect = str(whole.get("@odata.context") or whole.get("odata.metadata") or "VICS, dialect not named")
    spans = _object_spans(raw)
    for number, media in enumerate(_media(whole, name), start=1):
        start, length = spans[number - 1] if number <= len(spans) else (0, len(raw))
        yield _vics_entry(media, dialect, number, start, length)


def _media(whole: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The media of a hash set (`value` lists them) or of cases (each has `Media`)."""
    value = whole.get("value")
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise Refused(f"{name} is JSON but no VICS: it has no list `value`.")
    if any("Media" in v for v in value):
        value = [m for v in value for m in v.get("Media") or []]
    if not all(isinstance(m, dict) for m in value):
        raise Refused(f"{name}: an entry is no object.")
    return value


def _object_spans(raw: bytes) -> list[tuple[int, int]]:
    """Byte spans of the media objects: those that hold `MediaID` and lie deepest. Strings are skipped over."""
    spans, stack = [], []
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"|[{}]', raw, re.DOTALL):
        sign = token.group()
        if sign == b"{":
            stack.append([token.start(), 0])
        elif sign == b"}" and stack:
            start, media = stack.pop()
            if media:
                spans.append((start, token.end() - start))
        elif sign == b'"MediaID"' and stack:
            stack[-1][1] = 1
    return sorted(spans)


def _vics_entry(media: Mapping[str, Any], dialect: str, number: int, start: int, length: int) -> ListEntry:
    hashes = {"MD5": media.get("MD5"), "SHA1": media.get("SHA1")}
    pdq: list[str] = []
    for other in media.get("AlternativeHashes") or []:
        hash_name, value = str(other.get("HashName", "")).upper().replace("-", ""), str(other.get("HashValue") or "")
        if hash_name == "PDQ":
            pdq.append(value)
        elif hash_name == "PDQFRAMES":
            pdq += [frame.partition(":")[0] for frame in value.split()]
        else:
            hashes.setdefault(hash_name, value)
    clean = {key: _clean(hashes.get(key.upper()), size) for key, size in HEX.items()}
    good = tuple(p.lower() for p in pdq if _is_pdq(p))
    doubtful = [f"{k}: {hashes[k.upper()]!r} is no {k}" for k, v in clean.items() if hashes.get(k.upper()) and not v]
    doubtful += [f"pdq: {p[:70]!r} is no PDQ (128 of its 256 bits must be ones)" for p in pdq if not _is_pdq(p)]
    category = media.get("Category")
    return ListEntry(str(media.get("MediaID", number)), None if category is None else str(category), dialect,
                     clean["sha256"], clean["sha1"], clean["md5"], good, start, length, number,
                     tuple(doubtful))  # fmt: skip


def _csv(raw: bytes, name: str) -> Iterator[ListEntry]:
    """CSV with a heading; `,` or `;` between the fields."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is no hash list that is known: {error}.") from error
    lines = text.splitlines(keepends=True)
    comma = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    heading = [
        CSV_NAMES.get(h.strip().lower(), "")
        for h in next(csv.reader(io.StringIO(lines[0] if lines else ""), delimiter=comma), [])
    ]
    if not set(heading) & {"sha256", "sha1", "md5", "pdq"}:
        raise Refused(f"{name} is no hash list that is known: its first line names no hash.")
    if not lines[-1].endswith(("\n", "\r")) and len(next(csv.reader([lines[-1]], delimiter=comma), [])) < len(heading):
        raise Refused(f"{name} ends in the middle of a line, and nothing of it was used. Get it again.")
    at = len(raw) - len(text.encode("utf-8"))
    for number, line in enumerate(lines):
        size = len(line.encode("utf-8"))
        if number and line.strip():
            fields = dict(zip(heading, next(csv.reader([line], delimiter=comma)), strict=False))
            yield _csv_entry(fields, number, at, size)
        at += size


def _csv_entry(fields: Mapping[str, str], number: int, start: int, length: int) -> ListEntry:
    clean = {key: _clean(fields.get(key), size) for key, size in HEX.items()}
    pdq = fields.get("pdq", "").strip()
    doubtful = [f"{k}: {fields[k]!r} is no {k}" for k, v in clean.items() if fields.get(k, "").strip() and not v]
    if pdq and not _is_pdq(pdq):
        doubtful.append(f"pdq: {pdq[:70]!r} is no PDQ (128 of its 256 bits must be ones)")
    return ListEntry(fields.get("native") or str(number), fields.get("category") or None, "csv", clean["sha256"],
                     clean["sha1"], clean["md5"], (pdq.lower(),) if _is_pdq(pdq) else (), start, length, number,
                     tuple(doubtful))  # fmt: skip


def _clean(value: Any, size: int) -> str | None:
    """Lower-case hex of the right length, or None."""
    text = str(value or "").strip().lower()
    return text if len(text) == size and re.fullmatch("[0-9a-f]+", text) else None


def _is_pdq(value: str) -> bool:
    return re.fullmatch("[0-9A-Fa-f]{64}", value) is not None and int(value, 16).bit_count() == 128
