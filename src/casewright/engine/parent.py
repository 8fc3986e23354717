"""The parent's side: it starts a child, hands it what it may read, keeps what it sends, and ends it when it must."""

import contextlib
import errno
import json
import mmap
import multiprocessing
import os
import re
import select
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from casewright.engine.child import AT_ONCE, PAGE, SHARED, SLOT, SLOTS, Job, main
from casewright.engine.keeper import Keeper
from casewright.engine.messages import decode_output
from casewright.engine.stage import Output
from casewright.engine.steps import Digests, Journal
from casewright.model.errors import BrokenSeal, Missing
from casewright.vault.store import Store

PRELOAD = ["casewright.engine.child", "pyarrow.dataset"]  # DuckDB imports the second when it sees Arrow
FRAME_LIMIT = 1 << 31
SHA256 = re.compile("[0-9a-f]{64}")
HEX = 64
PIECE = 1 << 14
"""Bytes in which the disk is looked at."""
DISK_FAILED = "said that the disk failed"
"""Why a child died that could not read sealed bytes, while its parent could: it is believed when both see it."""
BROKE_THE_RULES = "broke the rules"
STEPS = (1 << 62) - 1
BEAT = 1.0
"""Seconds after which a silent child is looked at."""

AHEAD = 16
"""Files whose digests may be under way at once."""

Take = Callable[[Output], None]
Note = Callable[[str], None]


@dataclass(frozen=True)
class Died:
    """A child that did not finish, why as far as it can be told, and in which step."""

    reason: str
    detail: str
    step: int = 0


@dataclass
class Child:
    """A running child, and the parent's end of the conversation with it."""

    process: Any
    pipe: "Connection[Any, Any]"
    handles: socket.socket
    page: mmap.mmap
    free: int
    slot: int = 0

    def chunk(self, length: int) -> bytes:
        """A copy of the chunk in the next slot, which is free again. Raises ValueError for a length no slot has."""
        if not 0 < length <= SLOT:
            raise ValueError(f"a chunk of {length} bytes")
        at = PAGE + SLOT * self.slot
        found = self.page[at : at + length]
        self.slot = (self.slot + 1) % SLOTS
        os.eventfd_write(self.free, 1)
        return found

    @property
    def step(self) -> int:
        """As the child says; any number, which a journal has room for."""
        return int.from_bytes(self.page[:8], "little") & STEPS

    @property
    def pulse(self) -> bytes:
        """Changes while the child gets on."""
        return bytes(self.page[:16])


def preload(modules: Iterable[str]) -> None:
    """Let every child begin with these modules imported: the process that they are forked from does it once."""
    PRELOAD.extend(sorted(set(modules) - set(PRELOAD)))


def run_in_child(
    job: Job, store: Store, take: Take, journal: Journal | None = None, note: Note = lambda text: None
) -> tuple[Died | None, list[str]]:
    """Run a batch; `take` gets its outputs. Returns how the child died, if it did, and what protections it had."""
    child = _start(job)
    try:
        talk = _Conversation(child, store, job, take, journal, note)
        died = talk.go_on()
        if died:
            child.process.kill()
        child.process.join()
        if _STOPPING.is_set():
            raise Stopped
        if died and died.reason == "died":
            died = Died("died", _last_words(child.process.exitcode), child.step)
        return died, talk.protections
    finally:
        _end(child)


def _start(job: Job) -> Child:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    (ours, theirs), (handles, their_handles) = context.Pipe(), socket.socketpair()
    process = context.Process(target=main, args=(theirs, their_handles, job), daemon=True)
    with _nameless_main() if job.work.__module__ != "__main__" else contextlib.nullcontext():
        process.start()
    theirs.close()
    their_handles.close()
    handle = os.memfd_create("casewright-shared")
    os.ftruncate(handle, SHARED)
    free = os.eventfd(SLOTS, os.EFD_SEMAPHORE | os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    child = Child(process, ours, handles, mmap.mmap(handle, SHARED), free)
    _LIVE.add(process)
    with contextlib.suppress(OSError):  # it is dead already: the conversation will tell
        socket.send_fds(handles, [b"H"], [handle, free])
    os.close(handle)
    return child


@contextlib.contextmanager
def _nameless_main() -> Iterator[None]:
    """A child would first import whatever program its parent is; stages live in modules, so it need not."""
    with _STARTING:
        named, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = named


def _end(child: Child) -> None:
    _LIVE.discard(child.process)
    child.process.kill()
    child.process.join()
    child.process.close()
    child.pipe.close()
    child.handles.close()
    child.page.close()
    os.close(child.free)


_STARTING = threading.Lock()
_LIVE: set[Any] = set()
_STOPPING = threading.Event()


class Stopped(Exception):  # noqa: N818  nobody's error
    """The run is being stopped: a child's end now says nothing about its evidence."""


def allow_children() -> None:
    _STOPPING.clear()


def stop_children() -> None:
    """End every child that is running now; the threads that watch them then raise Stopped."""
    _STOPPING.set()
    for process in list(_LIVE):
        with contextlib.suppress(ValueError):  # closed in between: it has ended
            process.kill()


class _Conversation:
    """Answers a child's frames until it has finished, breaks the rules, dies, or takes too long."""

    def __init__(self, child: Child, store: Store, job: Job, take: Take, journal: Journal | None, note: Note) -> None:
        self._child, self._pipe, self._store, self._job = child, child.pipe, store, job
        self._take, self._journal, self._note = take, journal, note
        self._keeper = Keeper(store, journal)
        self._ready = select.poll()
        self._ready.register(self._pipe.fileno(), select.POLLIN)
        self._due: deque[tuple[int, Any, Callable[[], Digests]]] = deque()
        self._files = self._bytes = self._file_step = 0
        self.protections: list[str] = []
        self._handed_out: set[str] = set()
        self._deadline = self._told = time.monotonic()
        self._more_time()

    def go_on(self) -> Died | None:
        try:
            while True:
                if not self._wait():
                    return Died("took too long", f"no result after {self._job.limits.child_wall_seconds} s", self._step)
                frame = self._pipe.recv_bytes(FRAME_LIMIT)
                kind, body = frame[:1], frame[1:]
                if kind == b"R":
                    return None
                if kind in (b"X", b"D"):
                    return self._failed(kind, body.decode("utf-8", "replace"))
                if not self._answer(kind, body):
                    detail = f"sent a frame of kind {kind!r} that this stage may not send"
                    return Died(BROKE_THE_RULES, detail, self._step)
        except (EOFError, ConnectionError):
            return Died("died", "", self._step)
        except (BrokenSeal, Missing):
            raise
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, pa.ArrowInvalid) as error:
            return Died(BROKE_THE_RULES, f"sent a frame that cannot be read: {error}", self._step)
        finally:
            self._keeper.discard()

    def _failed(self, kind: bytes, said: str) -> Died:
        if kind == b"D":
            return self._disk_failed(said)
        reason, _, detail = said.partition("\x00")
        return Died(reason, detail, self._step)

    def _disk_failed(self, detail: str) -> Died:
        """The child could not read sealed bytes, or says so; nothing that it told counts. Raises OSError when this
        process cannot read them either: then it is no matter of the evidence."""
        if self._journal:
            self._journal.forget()
        for path in sorted(map(self._store.locate, self._handed_out)):
            with path.open("rb", buffering=0) as file:
                try:
                    while file.read(PIECE):
                        pass
                except OSError as error:
                    raise OSError(error.errno, error.strerror, str(path)) from error
        if not self._job.hostile:
            raise OSError(errno.EIO, f"sealed bytes could not be read ({detail}), and a moment later could")
        return Died(DISK_FAILED, f"{detail}; but all that it was given can be read", self._step)

    @property
    def _step(self) -> int:
        return self._child.step

    def _wait(self) -> bool:
        """Whether a frame came in time. A streaming child has the time anew for each step and each piece it sends."""
        while self._due and not self._ready.poll(0):
            self._answer_oldest()
        while not self._ready.poll(1000 * min(BEAT, max(0.0, self._deadline - time.monotonic()))):
            if self._job.streams and self._child.pulse != self._pulse:
                self._more_time()
            if time.monotonic() >= self._deadline:
                return False
        if self._job.streams:
            self._more_time()
        return True

    def _more_time(self) -> None:
        self._pulse = self._child.pulse
        self._deadline = time.monotonic() + self._job.limits.child_wall_seconds

    def _answer(self, kind: bytes, body: bytes) -> bool:
        if kind == b"P" and not self.protections:  # they are said before the first byte of evidence is read
            self.protections = [str(p) for p in json.loads(body)]
        elif kind == b"O":
            self._open(body.decode("ascii"))
        elif kind == b"I":
            self._take(decode_output(body))
        elif kind == b"A" and self._journal:
            self._pipe.send_bytes(json.dumps(self._remembered(int(body))).encode())
        elif kind == b"F" and self._job.keeps_bytes:
            step, size = json.loads(body)
            self._begin_file(step, "", size)
        elif kind == b"K" and self._job.keeps_bytes:
            step, sealed, size, note = json.loads(body)
            self._begin_file(step, sealed, size)
            self._end_of_file(note)
        elif kind == b"J" and self._journal:
            step, note = json.loads(body)
            self._journal.keep(int(step), None, note)
        elif kind == b"B" and self._job.keeps_bytes:
            self._write(body)
        elif kind == b"S" and self._job.keeps_bytes:
            self._write(self._child.chunk(int(body)))
        elif kind == b"E" and self._job.keeps_bytes:
            self._end_of_file(json.loads(body))
        else:
            return False
        return True

    def _open(self, asked: str) -> None:
        with contextlib.ExitStack() as opened:
            hashes = [_digest(asked[at : at + HEX]) for at in range(0, min(len(asked), AT_ONCE * HEX), HEX)]
            handles = [opened.enter_context(self._sealed(sha256)).fileno() for sha256 in hashes]
            self._handed_out.update(hashes)
            socket.send_fds(self._child.handles, [b"O"], handles)
            if self._job.streams and len(hashes) > 1:  # files that are opened by the dozen are listed
                for sha256, handle in zip(hashes, handles, strict=True):
                    self._keeper.look_ahead(sha256, os.fstat(handle).st_size)

    def _sealed(self, sha256: str) -> BinaryIO:
        """Raises Missing where sealed bytes are gone, ValueError where nobody told the child of any."""
        try:
            return self._store.open(sha256)
        except Missing as error:
            if self._job.hostile and not _names(self._job, sha256):
                raise ValueError(f"it asked for {sha256}, of which nobody told it") from error
            raise

    def _begin_file(self, step: Any, sealed: Any, size: Any) -> None:
        self._file_step = int(step)
        self._keeper.begin(self._file_step, _digest(sealed) if sealed else "", int(size))

    def _remembered(self, step: int) -> dict[str, Any]:
        assert self._journal
        kept = self._journal.kept(step)
        if kept and kept[0] is None:
            return {"note": kept[1]}
        if kept and kept[0] and self._store.holds(kept[0].sha256, kept[0].size):
            self._files += 1
            return {"digests": asdict(kept[0]), "note": kept[1]}
        at = self._keeper.take_up(step)
        return {"at": at} if at else {}

    def _write(self, chunk: bytes) -> None:
        self._keeper.write(chunk)
        self._bytes += len(chunk)
        self._tell()

    def _end_of_file(self, note: Any) -> None:
        """The file's digests are computed, at once or by a thread, and told in their turn."""
        self._due.append((int(self._file_step), note, self._keeper.keep()))
        while len(self._due) > AHEAD:
            self._answer_oldest()

    def _answer_oldest(self) -> None:
        step, note, digests = self._due.popleft()
        found = digests()
        if self._journal:
            self._journal.keep(step, found, note)
        self._pipe.send_bytes(found.json.encode())
        self._files += 1
        self._tell()

    def _tell(self) -> None:
        if self._job.streams and time.monotonic() - self._told >= BEAT:
            self._told = time.monotonic()
            self._note(f"{self._files:,} files, {self._bytes / 1e9:.2f} GB")


def _digest(text: str) -> str:
    """Raises ValueError for anything else: it becomes part of a path."""
    if not SHA256.fullmatch(text):
        raise ValueError(f"{text!r:.80} is no SHA-256")
    return text


def _names(job: Job, sha256: str) -> bool:
    """Whether the rows that a child was given name these bytes. Parts that it reads by itself may: then they do."""
    texts = (pa.string(), pa.list_(pa.string()))
    columns = [c for t in (job.batch, *job.tables.values()) for c in t.columns if c.type in texts]
    return bool(job.lazy) or any(sha256 in _flat(column) for column in columns)


def _flat(column: pa.ChunkedArray) -> set[str]:
    values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    return set(pc.unique(values).to_pylist())


def _last_words(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the parser was ended by {signal.Signals(-code).name}"
    return f"the parser ended with exit code {code} and said nothing"
