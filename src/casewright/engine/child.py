"""The child's side: a stage's work on one batch in a process that can hurt nobody.

It starts from a clean server process, gives up its rights (`sandbox.confine`), and then parses. It opens nothing:
sealed bytes reach it as descriptors that the parent opened. What it sends back is never unpickled (`messages.py`).

Frames from child to parent: `P` names of the protections in force; `O` + up to 32 SHA-256 (open, answered with as many
descriptors); `A` + step (what is known of it? answered); `F` + step, and size if known (a file begins); `B` + chunk of
bytes to keep; `S` + length of a chunk in the next slot of shared memory; `E` + note (they end; answered with
their digests); `K` + step, SHA-256, size and note (a file that the store holds; answered likewise); `J` + a note to
remember; `I` an Output; `R` the end of the work; `X` text of an error.

Both see a stretch of memory: first the number of the step, so that the parent knows it also when the child has died,
then slots for large chunks. A semaphore tells the child how many slots are free; the parent copies a slot before it
looks at it, since the child could change it meanwhile. Descriptors come on a pipe of their own, so that opening a file
need not wait for the digests of the files before it.
"""

import ctypes
import gc
import importlib
import io
import json
import mmap
import os
import resource
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa

from casewright.engine.messages import encode_output
from casewright.engine.parts import TablePart
from casewright.engine.sandbox import confine
from casewright.engine.stage import Context, Output, Work
from casewright.engine.steps import Digests, Kept, Read
from casewright.model.settings import LimitSettings

PR_SET_PDEATHSIG = 1
PAGE, SLOT, SLOTS = 4096, 1 << 20, 6
SHARED = PAGE + SLOT * SLOTS
BULKY = 1 << 15
"""From this many bytes on a chunk goes through shared memory."""
AT_ONCE = 32
"""Files that one question opens."""
ON_THEIR_WAY = 64
"""Files whose digests may be outstanding. Their answers must fit into the pipe, or both sides would wait forever."""


@dataclass(frozen=True)
class Job:
    """One batch of one stage, as it is sent to a child. `hostile`: confine it. `streams`: see `Stage`."""

    work: Work
    batch: pa.Table
    tables: Mapping[str, pa.Table]
    params: Mapping[str, Any]
    hostile: bool
    keeps_bytes: bool
    limits: LimitSettings
    streams: bool = False
    resumed: bool = False
    imports: tuple[str, ...] = ()
    passed_over: Mapping[int, str] = field(default_factory=dict)
    lazy: Mapping[str, Sequence[TablePart]] = field(default_factory=dict)
    all_from: int | None = None
    """From this step on everything is passed over: the unit has killed too many children."""


class SealedFile(io.FileIO):
    """Sealed bytes. That their disk fails is no matter of the evidence: it is remembered, whatever a reader of evidence
    makes of the error."""

    failed: ClassVar[str] = ""

    def readinto(self, buffer: Any, /) -> int | None:
        try:
            return super().readinto(buffer)
        except OSError as error:
            SealedFile.failed = str(error)
            raise

    def readall(self) -> bytes:
        try:
            return super().readall()
        except OSError as error:
            SealedFile.failed = str(error)
            raise


class PipeBlobs:
    """The child's view of the store: it asks, the parent opens and keeps. Answers come in the order of questions."""

    def __init__(self, pipe: "Connection[Any, Any]", handles: socket.socket, shared: mmap.mmap, free: int) -> None:
        self._pipe, self._handles, self._shared, self._free, self._slot = pipe, handles, shared, free, 0
        self._room = select.poll()
        self._room.register(free, select.POLLIN)
        self._room.register(pipe.fileno(), 0)
        self._waiting: deque[list[Digests]] = deque()
        self._soon: deque[str] = deque()
        self._opened: deque[tuple[str, int]] = deque()

    def open(self, sha256: str) -> BinaryIO:
        if not self._opened or self._opened[0][0] != sha256:
            self._ask_for(sha256)
        return io.BufferedReader(SealedFile(self._opened.popleft()[1], "rb"))

    def soon(self, hashes: Iterable[str]) -> None:
        """These will be opened, in this order: then one question brings many."""
        self._soon = deque(hashes)

    def _ask_for(self, sha256: str) -> None:
        for _, unwanted in self._opened:
            os.close(unwanted)
        self._opened.clear()
        asked = [sha256]
        if self._soon and self._soon[0] == sha256:
            asked = [self._soon.popleft() for _ in range(min(AT_ONCE, len(self._soon)))]
        self._pipe.send_bytes(b"O" + "".join(asked).encode("ascii"))
        while len(self._opened) < len(asked):
            _, handles, _, _ = socket.recv_fds(self._handles, 1, AT_ONCE)
            if not handles:
                os._exit(1)  # the parent is gone
            self._opened.extend(zip(asked[len(self._opened) :], handles, strict=False))

    def put(self, chunks: Iterable[bytes]) -> Digests:
        return self.send(0, chunks, lambda: None).digests

    def send(self, step: int, chunks: Iterable[bytes], note: Callable[[], Any], size: int = -1) -> Kept:
        self._pipe.send_bytes(b"F" + json.dumps([step, size]).encode())
        for chunk in chunks:
            if len(chunk) >= BULKY:
                self._through_memory(chunk)
            elif chunk:
                self._pipe.send_bytes(b"B" + chunk)
        said = note()
        self._pipe.send_bytes(b"E" + json.dumps(said).encode())
        return self._kept(said)

    def name_sealed(self, step: int, sealed: str, size: int, note: Any) -> Kept:
        self._pipe.send_bytes(b"K" + json.dumps([step, sealed, size, note]).encode())
        return self._kept(note)

    def _kept(self, said: Any) -> Kept:
        answer: list[Digests] = []
        self._waiting.append(answer)
        if len(self._waiting) >= ON_THEIR_WAY:
            self._take()
        return Kept(lambda: self._answered(answer), said)

    def _through_memory(self, chunk: bytes) -> None:
        for start in range(0, len(chunk), SLOT):
            piece = memoryview(chunk)[start : start + SLOT]
            self._wait_for_slot()
            at = PAGE + SLOT * self._slot
            self._shared[at : at + len(piece)] = piece
            self._slot = (self._slot + 1) % SLOTS
            self._pipe.send_bytes(b"S" + str(len(piece)).encode())

    def _wait_for_slot(self) -> None:
        """Takes a free slot. A parent that is gone frees none: its end of the pipe tells."""
        while True:
            try:
                os.eventfd_read(self._free)
                return
            except BlockingIOError:
                if any(handle == self._pipe.fileno() for handle, _ in self._room.poll()):
                    os._exit(1)

    def tell(self, step: int, note: Any) -> None:
        self._pipe.send_bytes(b"J" + json.dumps([step, note]).encode())

    def ask(self, step: int) -> Any:
        self._settle()
        self._pipe.send_bytes(b"A" + str(step).encode())
        return json.loads(self._pipe.recv_bytes())

    def _answered(self, answer: list[Digests]) -> Digests:
        while not answer:
            self._take()
        return answer[0]

    def _take(self) -> None:
        self._waiting.popleft().append(Digests(**json.loads(self._pipe.recv_bytes())))

    def _settle(self) -> None:
        while self._waiting:
            self._take()


class PipeSteps:
    """The child's steps: it counts them, and asks the parent about those that an earlier run may have kept."""

    def __init__(self, blobs: PipeBlobs, page: mmap.mmap, job: Job) -> None:
        self._blobs, self._page, self._job = blobs, page, job
        self._number, self._beats, self._limited_at = 0, 0, 0.0

    def begin(self) -> str | None:
        self._number += 1
        self._page[:8] = self._number.to_bytes(8, "little")
        self._limit()
        if self._job.all_from is not None and self._number >= self._job.all_from:
            return "too many failures"
        return self._job.passed_over.get(self._number)

    def keep(self, read: Read, note: Callable[[], Any], sealed: str | None = None, bound: int = 0) -> Kept:
        answer = self._blobs.ask(self._number) if self._job.resumed else {}
        if answer.get("digests"):
            return Kept(lambda: Digests(**answer["digests"]), answer["note"])
        if sealed:
            deque(read(0), maxlen=0)  # what is noted is found out by reading
            return self._blobs.name_sealed(self._number, sealed, bound or -1, note())
        chunks = self._watched(read(int(answer.get("at", 0))), bound)
        return self._blobs.send(self._number, chunks, note, bound or -1)

    def _watched(self, chunks: Iterator[bytes], bound: int) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            bound -= len(chunk)
            if bound > 0:
                self._limit()

    def soon(self, hashes: Iterable[str]) -> None:
        self._blobs.soon(hashes)

    def recall(self) -> Any:
        return self._blobs.ask(self._number).get("note") if self._job.resumed else None

    def remember(self, note: Any) -> None:
        self._blobs.tell(self._number, note)

    def alive(self) -> None:
        self._beats += 1
        self._page[8:16] = self._beats.to_bytes(8, "little")
        self._limit()

    def _limit(self) -> None:
        used = time.process_time()
        if used - self._limited_at >= 1:
            limit_processor(self._job.limits.child_cpu_seconds)
            self._limited_at = used


def limit_processor(seconds: int) -> None:
    """From now on, so many more seconds of processor time."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    limit = int(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def main(pipe: "Connection[Any, Any]", handles: socket.socket, job: Job) -> None:
    """What the child process does; it ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _, (memory, free), _, _ = socket.recv_fds(handles, 1, 2)
    shared = mmap.mmap(memory, SHARED)
    os.close(memory)
    for name in job.imports:
        importlib.import_module(name)
    gc.freeze()  # what was imported stays: it need not be looked through again and again
    protections = confine(job.limits, [], steps=job.streams) if job.hostile else []
    pipe.send_bytes(b"P" + json.dumps(protections).encode())
    try:
        for output in _outputs(PipeBlobs(pipe, handles, shared, free), shared, job):
            pipe.send_bytes(encode_output(output, b"I"))
        pipe.send_bytes(_disk_failed() or b"R")
    except MemoryError:
        pipe.send_bytes(b"X" + b"out of memory\x00needed more than the memory limit")
    except Exception as error:  # noqa: BLE001  whatever evidence does to a parser costs this batch, and is recorded
        failed = f"{type(error).__name__}: {error}"[:2000].encode("utf-8", "replace")
        pipe.send_bytes(_disk_failed() or b"X" + b"parser failed\x00" + failed)
    pipe.close()


def _disk_failed() -> bytes:
    """What to tell the parent when sealed bytes could not be read; empty when they could."""
    return b"D" + SealedFile.failed.encode() if SealedFile.failed else b""


def _outputs(blobs: PipeBlobs, page: mmap.mmap, job: Job) -> Iterable[Output]:
    result = job.work(job.batch, Context(job.params, job.tables, blobs, PipeSteps(blobs, page, job), job.lazy))
    return [result] if isinstance(result, Output) else result
