"""The ledger: what people and the machine did, append-only, hash-chained, on the disk before anyone is told.

One line an event, canonical JSON: `{"data":{...},"host":...,"kind":...,"prev":...,"seq":...,"time":...,"who":...}`.
`h(line) = SHA-256(0x00 || line without its newline)`; `prev` is h of the line before, 64 zeros in the first.
A chain alone can't show that its tail was cut, so `ledger.head` holds the count and last h, signed with the case's key.
Format for those without our code: docs/formats/ledger.md.
"""

import hashlib
import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from casewright.model.errors import BrokenSeal
from casewright.vault.disk import append_durably, write_atomically
from casewright.vault.keys import SealKey, verify_signature

LEDGER_FILE, HEAD_FILE = "ledger.jsonl", "ledger.head"
GENESIS = "0" * 64
CHUNK = 1 << 20
_AS_WRITTEN = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Any) -> bytes:
    """Canonical JSON in the manner of RFC 8785; floats are refused since nothing in a ledger needs them."""
    if any(isinstance(v, float) for v in _leaves(value)):
        raise TypeError("the ledger holds no floating-point numbers")
    return _AS_WRITTEN.encode(value).encode("utf-8")


def _no_float(text: str) -> float:
    raise ValueError(f"{text} is a floating-point number; the ledger holds none")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def line_hash(line: bytes) -> str:
    return hashlib.sha256(b"\x00" + line).hexdigest()


@dataclass(frozen=True)
class Event:
    """One line of the ledger, as parsed; `line` is its bytes without the newline."""

    seq: int
    kind: str
    data: Mapping[str, Any]
    time: str
    who: str
    line: bytes

    @property
    def hash(self) -> str:
        return line_hash(self.line)


def clock_steps(events: Iterable[Event]) -> list[tuple[int, float]]:
    """Lines, counted from 1, that a clock wrote which stood before the line before; and by how many seconds."""
    times = [datetime.fromisoformat(event.time) for event in events]
    behind = [(number, (before - now).total_seconds()) for number, (before, now) in enumerate(pairwise(times), 2)]
    return [(number, seconds) for number, seconds in behind if seconds > 0]


Tell = Callable[[Event], None]


@dataclass
class Whole:
    """The lines that this process has read and found to follow from each other: how many bytes, the last of them, the
    hash of each, and a digest over all their bytes. It spares parsing them again, never reading them again."""

    size: int = 0
    last: Event | None = None
    hashes: list[bytes] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, event: Event) -> None:
        self.size, self.last = self.size + len(event.line) + 1, event
        self.hashes.append(bytes.fromhex(event.hash))
        self.digest.update(event.line + b"\n")


class Ledger:
    """The ledger of one case. Appending needs the case's lock, which the caller holds."""

    def __init__(self, case: Path, who: str) -> None:
        self.path, self.head_path, self.who = case / LEDGER_FILE, case / HEAD_FILE, who
        self._tail: Event | None = None
        self._whole = Whole()

    def append(self, *events: tuple[str, Mapping[str, Any]]) -> list[Event]:
        """Add events (kind, data) in one write and one sync: when this returns, they are on the disk."""
        tail = self._tail or self._mend_tail()
        seq, prev = (tail.seq + 1, tail.hash) if tail else (0, GENESIS)
        lines, made = [], []
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        for kind, data in events:
            record = {"seq": seq, "prev": prev, "time": now, "who": self.who, "host": socket.gethostname(),
                      "kind": kind, "data": data}  # fmt: skip
            line = canonical(record)
            lines.append(line + b"\n")
            made.append(Event(seq, kind, data, now, self.who, line))
            seq, prev = seq + 1, line_hash(line)
        append_durably(self.path, b"".join(lines))
        self._tail = made[-1] if made else tail
        return made

    def reopen(self) -> None:
        """Forget what was read: another process may have appended since."""
        self._tail = None

    def events(self, *kinds: str) -> list[Event]:
        """All events, or those of the given kinds, with the chain checked. A torn last line is not an event yet."""
        return [e for e in self._parse() if not kinds or e.kind in kinds]

    def sign_head(self, key: SealKey) -> None:
        """Sign how long the ledger is now and how it ends."""
        whole = self._read()
        if whole.last is None:
            return
        lines, last = len(whole.hashes), whole.last.hash
        comment = f"casewright ledger head: {lines} lines, last {last}"
        body = canonical({"lines": lines, "last": last})
        signature = key.sign(body, comment)
        write_atomically(self.head_path, body + b"\n" + signature)

    def verify(self, public: str, torn_tail_is_fine: bool = False, tell: Tell = lambda event: None) -> int:
        """Number of lines, after checking the chain from end to end and that nothing signed was cut off. `tell` gets
        each line that was not checked before.

        Raises BrokenSeal naming the line. Lines after the signed head are accepted: a killed run leaves them.
        """
        hashes = self._read(torn_tail_is_fine, tell).hashes
        head = self._head()
        if head is None:
            raise BrokenSeal(
                f"{self.head_path} is not there: nobody can say whether the ledger's tail was cut. If the case was "
                "never finished being made, make it again with: casewright new"
            )
        body, signature, lines, last = head
        try:
            verify_signature(body, signature, public)
        except BrokenSeal as error:
            raise BrokenSeal(f"{self.head_path}: {error}") from error
        if len(hashes) < lines:
            raise BrokenSeal(f"{self.path} has {len(hashes)} lines, {lines} were signed: its tail was cut.")
        if lines and hashes[lines - 1].hex() != last:
            raise BrokenSeal(f"{self.path}, line {lines}: is not the line that was signed.")
        return len(hashes)

    def after(self, last: Event | None, offset: int) -> Iterator[Event]:
        """The whole lines that stand behind `last`, whose line ends at byte `offset`; checked to follow from it."""
        with self.path.open("rb") as file:
            file.seek(offset)
            raw = file.read()
        yield from self._chained(self._split(raw, last.seq + 1 if last else 0)[0], last)

    def line_at(self, offset: int) -> Event:
        """The line that begins at this byte; that it belongs there was checked when it was read first."""
        with self.path.open("rb") as file:
            file.seek(offset)
            line = file.readline().removesuffix(b"\n")
        record = json.loads(line)
        return Event(record["seq"], record["kind"], record["data"], record["time"], record["who"], line)

    def _parse(self) -> Iterator[Event]:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return
        yield from self._chained(self._split(raw, 0)[0], None)

    def _read(self, allow_torn: bool = True, tell: Tell = lambda event: None) -> Whole:
        """All whole lines, checked. Of those that were checked before every byte is read and digested again, and only
        what came since is parsed; where the digest is another, all is parsed, so that the line is named."""
        try:
            with self.path.open("rb") as file:
                if not self._as_before(file):
                    file.seek(0)
                    self._whole = Whole()
                lines, torn = self._split(file.read(), len(self._whole.hashes))
        except FileNotFoundError:
            self._whole = Whole()
            return self._whole
        for event in self._chained(lines, self._whole.last):
            self._whole.add(event)
            tell(event)
        if torn and not allow_torn:
            raise BrokenSeal(
                f"{self.path}, line {len(self._whole.hashes) + 1}: does not end. A write was interrupted, or bytes "
                "were changed."
            )
        return self._whole

    def _split(self, raw: bytes, before: int) -> tuple[list[bytes], bytes]:
        """Whole lines, and what stands behind them; `before`: how many stand before these bytes. A power cut may leave
        zeros where a write was under way. No line has any, so one that does was never written to its end, and nothing
        behind it; unless it was signed: then it was changed."""
        *lines, torn = raw.split(b"\n")
        cut = next((n for n, line in enumerate(lines) if b"\0" in line), len(lines)) if b"\0" in raw else len(lines)
        head = self._head() if cut < len(lines) else None
        if cut == len(lines) or (head and before + cut < head[2]):
            return lines, torn
        return lines[:cut], b"\n".join([*lines[cut:], torn])

    def _as_before(self, file: BinaryIO) -> bool:
        """Whether the file begins with the very bytes that were checked; leaves it behind them."""
        digest, left = hashlib.sha256(), self._whole.size
        while left and (chunk := file.read(min(left, CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
        return not left and digest.digest() == self._whole.digest.digest()

    def _chained(self, lines: Iterable[bytes], last: Event | None) -> Iterator[Event]:
        seq, prev = (last.seq + 1, last.hash) if last else (0, GENESIS)
        for line in lines:
            event = self._event(line, seq, prev)
            seq, prev = seq + 1, event.hash
            yield event

    def _event(self, line: bytes, seq: int, prev: str) -> Event:
        where = f"{self.path}, line {seq + 1}"
        try:
            record = json.loads(line, parse_float=_no_float, parse_constant=_no_float)
            event = Event(record["seq"], record["kind"], record["data"], record["time"], record["who"], line)
            same, follows = _AS_WRITTEN.encode(record).encode("utf-8") == line, record["prev"] == prev
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenSeal(f"{where}: is not a ledger line ({error}).") from error
        if event.seq != seq:
            raise BrokenSeal(f"{where}: is numbered {event.seq}, not {seq}: lines are missing or out of order.")
        if not same:
            raise BrokenSeal(f"{where}: is not written in canonical form: bytes were changed.")
        if not follows:
            raise BrokenSeal(f"{where}: does not follow from the line before it.")
        return event

    def torn(self) -> bool:
        """Whether a line stands at the end that was never written to its end; the next writer puts it aside."""
        return self.path.exists() and self.path.stat().st_size > self._read().size

    def _head(self) -> tuple[bytes, bytes, int, str] | None:
        """Body, signature, number of lines and last hash of the signed head, as the file says; None without one."""
        try:
            body, _, signature = self.head_path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        try:
            head = json.loads(body)
            return body, signature, int(head["lines"]), str(head["last"])
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenSeal(f"{self.head_path}: is not a ledger head ({error}).") from error

    def _mend_tail(self) -> Event | None:
        """The last whole event. A torn line after it, left by a killed writer, is kept in `ledger.torn` and cut off."""
        whole = self._read()
        if self.path.exists() and self.path.stat().st_size > whole.size:
            head, lines = self._head(), len(whole.hashes)
            if head and head[2] > lines:
                raise BrokenSeal(f"{self.path}, line {lines + 1}: was signed and does not end: bytes were changed.")
            with self.path.with_name("ledger.torn").open("ab") as aside:
                aside.write(self.path.read_bytes()[whole.size :] + b"\n")
                os.fsync(aside.fileno())
            os.truncate(self.path, whole.size)
        return whole.last
