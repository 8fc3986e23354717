"""VICS JSON, 1.3 and 2.0, hash sets and cases, read as it comes: a list of 10 million media needs no more memory than a
short one.

The specification is shared under agreement only; this is what open readers and writers do (IPED, GLEAPP). A medium's
fields that are not read here (flags, series, files, PhotoDNA, ...) stay verbatim in the sealed list, where the entry's
span leads. A hash set's media are the objects of `value`; a case file's are those of each case's `Media`.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from casewright.media.lists import AT_ONCE, Alive, Entries
from casewright.model.errors import Refused

BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 19
"""Bytes that are read at once: so few that their copies stay in the processor's cache."""
MOST = 1 << 26
"""Bytes that one medium, or all that is not media, may have."""


class Other(msgspec.Struct, gc=False):
    """A hash by its name."""

    HashName: str | None = None
    HashValue: str | None = None


class Medium(msgspec.Struct, gc=False):
    """The fields that matter here; the others are checked to be JSON and passed over."""

    MediaID: Any = None
    Category: Any = None
    MD5: Any = None
    SHA1: Any = None
    AlternativeHashes: list[Other] | None = None


class Checked(msgspec.Struct, gc=False):
    """A medium that is only checked to be JSON."""


class OddMedium(Medium, gc=False):
    """One whose hashes are not said as they should; no list can say that of itself."""

    odd: str = ""


Places = NDArray[np.int64]
Piece = tuple[list[Medium], Places, Places]
_DECODER, _CHECKER = msgspec.json.Decoder(list[Medium]), msgspec.json.Decoder(list[Checked])


def read_vics(file: BinaryIO, name: str, alive: Alive) -> Iterator[Entries]:
    """Every medium, after the whole list was found to be sound. Raises Refused before the first when it is not."""
    rest = bytearray()
    try:
        for _ in _media(file, rest, _CHECKER):
            alive()
        dialect = _dialect(bytes(rest), name)
    except ValueError as error:
        raise Refused(f"{name} is cut off or damaged, and nothing of it was used: {error}. Get it again.") from error
    return _entries(file, dialect, alive)


def _entries(file: BinaryIO, dialect: str, alive: Alive) -> Iterator[Entries]:
    number = 1
    for media, starts, lengths in _gathered(_media(file, bytearray())):
        rows = range(number, number + len(media))
        native = [str(row if m.MediaID is None else m.MediaID) for row, m in zip(rows, media, strict=True)]
        category = [None if m.Category is None else str(m.Category) for m in media]
        hashes: dict[str, list[Any]] = {"md5": [m.MD5 for m in media], "sha1": [m.SHA1 for m in media]}
        hashes["sha256"] = [None] * len(media)
        entries = Entries(dialect, rows, starts, lengths, native, category, hashes, [])
        for at, medium in enumerate(media):
            entries.pdq.append(_others(entries, at, medium.AlternativeHashes or ()))
        entries.odd += [(at, medium.odd) for at, medium in enumerate(media) if isinstance(medium, OddMedium)]
        number += len(media)
        alive()
        yield entries


def _gathered(pieces: Iterator[Piece]) -> Iterator[Piece]:
    media: list[Medium] = []
    starts: list[Places] = []
    lengths: list[Places] = []
    for more, at, long in pieces:
        media += more
        starts.append(at)
        lengths.append(long)
        if len(media) >= AT_ONCE:
            yield media, np.concatenate(starts), np.concatenate(lengths)
            media, starts, lengths = [], [], []
    if media:
        yield media, np.concatenate(starts), np.concatenate(lengths)


def _others(entries: Entries, at: int, others: Iterable[Other]) -> list[str]:
    """The PDQ hashes, of videos those of their frames; others by their names, where the medium's own field is empty."""
    pdq: list[str] = []
    for other in others:
        name, value = _plain(other.HashName or ""), other.HashValue or ""
        if name == "pdq":
            pdq.append(value)
        elif name == "pdqframes":
            pdq += [frame.partition(":")[0] for frame in value.split()]
        elif name in entries.hashes and not entries.hashes[name][at]:
            entries.hashes[name][at] = value
    return pdq


@lru_cache(1024)
def _plain(name: str) -> str:
    return name.lower().replace("-", "")


def _dialect(rest: bytes, name: str) -> str:
    """What the document says besides its media: it must be VICS, and names its dialect."""
    whole = json.loads(rest.decode("utf-8"))
    value = whole.get("value")
    if not isinstance(value, list) or not all(isinstance(case.get("Media", []), list | None) for case in value):
        raise Refused(f"{name} is JSON but no VICS: it has no list `value`.")
    return str(whole.get("@odata.context") or whole.get("odata.metadata") or "VICS, dialect not named")


def _media(file: BinaryIO, rest: bytearray, decoder: Any = _DECODER) -> Iterator[Piece]:
    """The media with their spans, a few at a time; what else stands in the document goes into `rest`.
    Raises ValueError when it is no sound JSON, at the end at the latest."""
    from casewright.kernels import vicsspans  # noqa: PLC0415  slow to import: only what reads a list waits for it

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
            raise ValueError(vicsspans.WRONG[at])
        rest += room[:out].tobytes()
        if len(rest) > MOST:
            raise ValueError(f"what it says besides its entries has more than {MOST} bytes")
        if found:
            yield _decoded(buffer, starts[:found], ends[:found], base, out == 0, decoder)
    _check_end(state)


def _decoded(buffer: bytes, starts: Places, ends: Places, base: int, close: bool, decoder: Any) -> Piece:
    """`close`: nothing but commas stands between the media."""
    if close:
        raw = buffer[starts[0] : ends[-1]]
    else:
        raw = b",".join(buffer[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
    if not raw.isascii():
        raw.decode("utf-8")  # what is passed over must be text, too
    try:
        media = decoder.decode(b"[%b]" % raw)
    except (msgspec.DecodeError, msgspec.ValidationError):  # Python's parser takes lone surrogates and odd shapes
        media = [_medium(one) for one in json.loads(f"[{raw.decode('utf-8')}]")]
    return media, base + starts, ends - starts


def _medium(one: dict[str, Any]) -> Medium:
    """A medium that says something in an odd way; what is wrong with its hashes is in `odd`."""
    said = {name: _sayable(one.get(name)) for name in ("MediaID", "Category", "MD5", "SHA1")}
    others = one.get("AlternativeHashes") or []
    if not isinstance(others, list) or not all(isinstance(other, dict) for other in others):
        return OddMedium(**said, odd="AlternativeHashes: is no list of hashes")
    named = [(_sayable(other.get("HashName")), _sayable(other.get("HashValue"))) for other in others]
    return Medium(**said, AlternativeHashes=[Other(str(n or ""), str(v or "")) for n, v in named])


def _sayable(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value


def _check_end(state: Any) -> None:
    from casewright.kernels import vicsspans  # noqa: PLC0415

    if not state[vicsspans.CLOSED]:
        raise ValueError("its end is missing")
    if state[vicsspans.VALUES] > 1:
        raise ValueError("it has several lists `value`")
    if state[vicsspans.CASES] and state[vicsspans.MEDIA]:
        raise ValueError("cases and media stand in one list")
