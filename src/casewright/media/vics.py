"""VICS JSON, 1.3 and 2.0, hash sets and cases, read as it comes: a list of 10 million media needs no more memory than a
short one.

The specification is shared under agreement only; this is what open readers and writers do (IPED, GLEAPP). A medium's
fields that are not read here (flags, series, files, PhotoDNA, ...) stay verbatim in the sealed list, where the entry's
span leads. A hash set's media are the objects of `value`; a case file's are those of each case's `Media`.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
import numpy as np

from casewright.kernels import vicsspans
from casewright.media.lists import AT_ONCE, Alive, Entries
from casewright.model.errors import Refused

BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 22
MOST = 1 << 26
"""Bytes that one medium, or all that is not media, may have."""
WRONG = {
    vicsspans.NO_OBJECT: "an entry is no object",
    vicsspans.TOO_DEEP: f"it is nested more than {vicsspans.DEEPEST} deep",
    vicsspans.TOO_MANY_CLOSED: "it closes more than it opened",
    vicsspans.BEHIND_END: "something follows its end",
    vicsspans.COMMA: "the entries of a list are not parted by single commas",
}


class Medium(msgspec.Struct):
    """The fields that matter here; the others are checked to be JSON and passed over."""

    MediaID: Any = None
    Category: Any = None
    MD5: Any = None
    SHA1: Any = None
    AlternativeHashes: Any = None


Piece = tuple[list[Medium], list[int], list[int]]
_DECODER = msgspec.json.Decoder(list[Medium])


def read_vics(file: BinaryIO, name: str, alive: Alive) -> Iterator[Entries]:
    """Every medium, after the whole list was found to be sound. Raises Refused before the first when it is not."""
    rest = bytearray()
    try:
        for _ in _media(file, rest):
            alive()
        dialect = _dialect(bytes(rest), name)
    except ValueError as error:
        raise Refused(f"{name} is cut off or damaged, and nothing of it was used: {error}. Get it again.") from error
    return _entries(file, dialect, alive)


def _entries(file: BinaryIO, dialect: str, alive: Alive) -> Iterator[Entries]:
    number = 0
    for media, starts, lengths in _media(file, bytearray()):
        entries = Entries(dialect)
        for medium, start, length in zip(media, starts, lengths, strict=True):
            number += 1
            _add(entries, medium, number, start, length)
        alive()
        yield entries


def _add(entries: Entries, medium: Medium, number: int, start: int, length: int) -> None:
    hashes, pdq, doubtful = {"md5": medium.MD5, "sha1": medium.SHA1}, [], []
    others = medium.AlternativeHashes or []
    if not isinstance(others, list) or not all(isinstance(other, dict) for other in others):
        doubtful.append("AlternativeHashes: is no list of hashes")
        others = []
    for other in others:
        kind, value = str(other.get("HashName", "")).lower().replace("-", ""), str(other.get("HashValue") or "")
        if kind == "pdq":
            pdq.append(value)
        elif kind == "pdqframes":
            pdq += [frame.partition(":")[0] for frame in value.split()]
        elif not hashes.get(kind):
            hashes[kind] = value
    native = number if medium.MediaID is None else medium.MediaID
    category = None if medium.Category is None else str(medium.Category)
    entries.add(number, start, length, str(native), category, hashes, pdq, doubtful)


def _dialect(rest: bytes, name: str) -> str:
    """What the document says besides its media: it must be VICS, and names its dialect."""
    whole = json.loads(rest.decode("utf-8"))
    value = whole.get("value")
    if not isinstance(value, list) or not all(isinstance(case.get("Media", []), list | None) for case in value):
        raise Refused(f"{name} is JSON but no VICS: it has no list `value`.")
    return str(whole.get("@odata.context") or whole.get("odata.metadata") or "VICS, dialect not named")


def _media(file: BinaryIO, rest: bytearray) -> Iterator[Piece]:
    """The media with their spans, a few at a time; what else stands in the document goes into `rest`.
    Raises ValueError when it is no sound JSON, at the end at the latest."""
    file.seek(0)
    base = len(BOM) if file.read(len(BOM)) == BOM else 0
    file.seek(base)
    state, buffer, at = vicsspans.begin(), b"", 0
    starts, ends = np.empty(AT_ONCE, np.int64), np.empty(AT_ONCE, np.int64)
    while True:
        if at == len(buffer):
            kept = state[vicsspans.RECORD] if state[vicsspans.RECORD] >= 0 else len(buffer)
            chunk = file.read(CHUNK)
            if not chunk:
                break
            buffer, base, at = buffer[kept:] + chunk, base + int(kept), at - int(kept)
            state[vicsspans.RECORD] = min(state[vicsspans.RECORD], 0)
            if len(buffer) > MOST + CHUNK:
                raise ValueError(f"an entry has more than {MOST} bytes")
        room = np.empty(len(buffer) + 1, np.uint8)
        at, found, out = vicsspans.scan(np.frombuffer(buffer, np.uint8), at, state, starts, ends, room)
        if at < 0:
            raise ValueError(WRONG[at])
        rest += room[:out].tobytes()
        if len(rest) > MOST:
            raise ValueError(f"what it says besides its entries has more than {MOST} bytes")
        if found:
            yield _decoded(buffer, starts[:found].tolist(), ends[:found].tolist(), base, out == 0)
    _check_end(state)


def _decoded(buffer: bytes, starts: list[int], ends: list[int], base: int, close: bool) -> Piece:
    """`close`: nothing but commas stands between the media."""
    spans = list(zip(starts, ends, strict=True))
    raw = buffer[starts[0] : ends[-1]] if close else b",".join(buffer[start:end] for start, end in spans)
    text = f"[{raw.decode('utf-8')}]"
    try:
        media = _DECODER.decode(text)
    except (msgspec.DecodeError, msgspec.ValidationError):  # Python's parser takes lone surrogates
        media = [Medium(**{n: _sayable(one.get(n)) for n in Medium.__struct_fields__}) for one in json.loads(text)]
    return media, [base + start for start in starts], [end - start for start, end in spans]


def _sayable(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value


def _check_end(state: Any) -> None:
    if not state[vicsspans.CLOSED]:
        raise ValueError("its end is missing")
    if state[vicsspans.VALUES] > 1:
        raise ValueError("it has several lists `value`")
    if state[vicsspans.CASES] and state[vicsspans.MEDIA]:
        raise ValueError("cases and media stand in one list")
