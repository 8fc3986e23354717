"""The case's media as one VICS 2.0 document, a content at a time: the same tables and decisions give the same bytes.

Form for those without our code: docs/formats/vics.md.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, BinaryIO

from casewright import __version__
from casewright.engine.query import Reader
from casewright.media.decisions import Decisions
from casewright.media.vics_records import medium, sayable
from casewright.model.settings import Settings
from casewright.model.vics import CASES, DIALECT, case_fields, dialect_of

AT_ONCE = 50_000
"""About so many contents have their matches and frames held at once."""
ROWS = 2000
NEW_FORM = "/2.0.xml/"
WHERE = "i.sha256 >= $low AND i.sha256 < $high"
DIALECTS = """
SELECT e.dialect, count(DISTINCT x.item) AS media FROM media_matches x JOIN list_entries e USING (entry)
WHERE x.method IN ('sha256', 'sha1', 'md5') AND e.category IS NOT NULL GROUP BY ALL
"""
COUNTS = "SELECT count(DISTINCT i.sha256)::BIGINT AS media, count(*) AS copies FROM media JOIN items i USING (item)"
ASIDE = "SELECT coalesce(sum(count), 0)::BIGINT AS media FROM set_aside WHERE noun = 'media'"
COPIES = f"""
SELECT i.sha256, i.sha1, i.md5, i.size, i.mime, i.exhibit, i.path, i.deleted, i.origin, i.created, i.modified,
       i.accessed, m.pdq, m.pdq_quality, m.camera, m.taken_at
FROM media m JOIN items i USING (item) WHERE {WHERE} ORDER BY i.sha256, i.path, i.item
"""  # noqa: S608  ours
MATCHES = f"""
SELECT DISTINCT i.sha256, x.method NOT IN ('sha256', 'sha1', 'md5') AS near, x.distance, x.method, e.list, e.native,
       e.category, e.dialect, x.entry
FROM media_matches x JOIN items i USING (item) JOIN list_entries e USING (entry) WHERE {WHERE}
ORDER BY i.sha256, near, x.distance, e.list, x.entry, x.method
"""  # noqa: S608  ours
FRAMES = f"""
SELECT DISTINCT i.sha256, f.second, f.pdq FROM media_frames f JOIN items i USING (item)
WHERE {WHERE} AND f.pdq_quality >= $least ORDER BY i.sha256, f.second, f.pdq
"""  # noqa: S608  ours


@dataclass(frozen=True)
class Exported:
    """What went out: `media` records, and of which dialect the categories are."""

    media: int
    copies: int
    categories: int
    dialect: str


def write_case(reader: Reader, settings: Settings, decisions: Decisions, file: BinaryIO) -> Exported:
    """The document, into `file`."""
    dialect, counts = document_dialect(reader), reader.rows(COUNTS)[0]
    about = _about(settings, counts["media"], reader.rows(ASIDE)[0]["media"])
    head = _json({"@odata.context": sayable(dialect) + CASES})[:-1] + ',"value":[' + _json(about)[:-1]
    file.write(head.encode("ascii") + b',"Media":[')
    written = categories = 0
    for record in _media(reader, settings, decisions, dialect, counts["media"]):
        file.write((b",\n" if written else b"\n") + _json(record).encode("ascii"))
        written += 1
        categories += record["Category"] is not None
    file.write(b"\n]}]}\n")
    return Exported(written, counts["copies"], categories, dialect)


def document_dialect(reader: Reader) -> str:
    """That of the VICS 2.0 lists on which most of the case's media are by exact hash; a document can have only one."""
    found: dict[str, int] = defaultdict(int)
    for row in reader.rows(DIALECTS):
        if "$metadata#" in row["dialect"] and NEW_FORM in row["dialect"]:
            found[dialect_of(row["dialect"])] += row["media"]
    return min(found, key=lambda one: (-found[one], one), default=DIALECT)


def _about(settings: Settings, media: int, aside: int) -> dict[str, Any]:
    """The case: only what is known of it."""
    case = settings.case
    known = {"ContactOrganization": case.agency, "ContactName": case.examiner}
    more = [("Title", case.title), ("Media that could not be decoded", str(aside) if aside else "")]
    return {
        **case_fields(case.reference or case.title), "SourceApplicationVersion": __version__,
        **{name: sayable(value) for name, value in known.items() if value}, "TotalMediaFiles": media,
        "CaseMetadata": [{"PropertyName": name, "PropertyValue": sayable(value)} for name, value in more if value],
    }  # fmt: skip


def _media(
    reader: Reader, settings: Settings, decisions: Decisions, dialect: str, media: int
) -> Iterator[dict[str, Any]]:
    number, least = 0, settings.media.pdq_quality
    for bounds in _windows(media):
        matches = _by_content(reader, MATCHES, bounds)
        frames = _by_content(reader, FRAMES, {**bounds, "least": least})
        for sha256, copies in groupby(reader.batches(COPIES, bounds, ROWS), key=itemgetter("sha256")):
            number += 1
            decision = decisions.get(sha256)
            yield medium(number, list(copies), matches[sha256], frames[sha256], decision, dialect, least)


def _windows(media: int) -> Iterator[dict[str, str]]:
    """Digests from end to end, cut so that about AT_ONCE of the case's contents lie in each window."""
    count = 1 << max(0, (media // AT_ONCE).bit_length())
    edges = [f"{number * (1 << 32) // count:08x}" for number in range(count)] + ["g"]
    for low, high in pairwise(edges):
        yield {"low": low, "high": high}


def _by_content(reader: Reader, sql: str, bind: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in reader.rows(sql, bind):
        found[row["sha256"]].append(row)
    return found


def _json(value: dict[str, Any]) -> str:
    """ASCII, and without brackets that a page could take for its own."""
    plain = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
