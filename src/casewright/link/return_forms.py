"""The forms in which services answer: CSV, workbooks, JSON and JSON Lines; each as rows by column name, with its place.

Known by their bytes, never by name. A row that cannot be read is a `BadRecord`; the others stand.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from casewright.engine.records import BadRecord, Record, read_records
from casewright.link.return_mapping import FIELDS, ReturnMapping

Found = Iterator[Record | BadRecord]
NEEDED = ("reference", "service", "txid")
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_return(raw: bytes, mapping: ReturnMapping) -> Found:
    """The rows of a return, by our own column names."""
    for found in _form(raw)(raw, mapping):
        if isinstance(found, BadRecord):
            yield found
            continue
        fields = mapping.ours(found.fields)
        if lacking := [name for name in NEEDED if not fields.get(name)]:
            yield BadRecord(f"has no {lacking[0]}", found.row, found.span_start, found.span_length)
        else:
            yield Record(
                {name: fields.get(name, "") for name in FIELDS}, found.row, found.span_start, found.span_length
            )


def _form(raw: bytes) -> Callable[[bytes, ReturnMapping], Found]:
    if raw.startswith((ZIP, OLE)):
        return _workbook
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return _json if start in (b"{", b"[") else _csv


def _csv(raw: bytes, mapping: ReturnMapping) -> Found:
    named = {column.lower() for columns in mapping.columns.values() for column in columns}
    lacking = tuple(n for n in NEEDED if n not in mapping.columns and n not in mapping.values)
    return read_records(raw, (*lacking, *sorted(named)), mapping.encoding)


def _workbook(raw: bytes, mapping: ReturnMapping) -> Found:
    """The rows under the first row that is not empty. Rows are numbered as the workbook numbers them; a place in bytes
    means nothing in one, so that it is the whole file."""
    import python_calamine  # noqa: PLC0415  slow to import, and few returns need it

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        if mapping.sheet and mapping.sheet not in book.sheet_names:
            yield BadRecord(f"the workbook has no sheet {mapping.sheet!r}", 0, 0, len(raw))
            return
        sheet = book.get_sheet_by_name(mapping.sheet) if mapping.sheet else book.get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, ValueError, IndexError) as error:
        yield BadRecord(f"is no workbook that can be read: {str(error)[:200]}", 0, 0, len(raw))
        return
    heading: list[str] = []
    for number, cells in enumerate(rows, 1):
        texts = [_cell(cell) for cell in cells]
        if not any(texts):
            continue
        if not heading:
            heading = [text.lower() for text in texts]
            if twice := sorted({h for h in heading if h and heading.count(h) > 1}):
                yield BadRecord(f"the heading has the column {twice[0]!r} twice", number, 0, len(raw))
                return
        else:
            yield Record({n: t for n, t in zip(heading, texts, strict=False) if n}, number, 0, len(raw))


def _cell(value: Any) -> str:
    """A cell as it would be written: whole numbers without a point, days as YYYY-MM-DD."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("\0", "\\0").strip()


def _json(raw: bytes, mapping: ReturnMapping) -> Found:
    """Objects of a list, or one a line. What stands within another object is called `outer.inner`."""
    text = raw.decode(mapping.encoding or "utf-8-sig", "backslashreplace")
    try:
        rows = _listed(json.loads(text), mapping.rows)
    except RecursionError:
        yield BadRecord("is nested deeper than any record", 0, 0, len(raw))
        return
    except json.JSONDecodeError as error:
        rows = _by_lines(text)
        if rows is None:
            yield BadRecord(f"is no JSON: {error}", 0, 0, len(raw))
            return
    if rows is None:
        where = f"at {mapping.rows!r}" if mapping.rows else "in it: say where with rows"
        yield BadRecord(f"there is no list of records {where}", 0, 0, len(raw))
        return
    for number, row in enumerate(rows, 1):
        if isinstance(row, Mapping):
            yield Record({name.lower(): value for name, value in _flat(row)}, number, 0, len(raw))
        else:
            yield BadRecord("is no record with names", number, 0, len(raw))


def _by_lines(text: str) -> list[Any] | None:
    """One value a line; a line that is none stands as it is, and is no record. None when the first is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    found: list[Any] = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except (json.JSONDecodeError, RecursionError):
            found.append(line)
    return found if found and isinstance(found[0], dict) else None


def _listed(document: Any, path: str) -> Sequence[Any] | None:
    for name in filter(None, path.split(".")):
        document = document.get(name) if isinstance(document, dict) else None
    if isinstance(document, dict) and not path:
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else [document] if not lists else None
    return document if isinstance(document, list) else None


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield before + name, "; ".join(str(one) for one in value)
        elif value is not None:
            yield before + name, _cell(value)
