"""Running a stage's work on one batch in a child process that can hurt nobody.

The child starts from a clean server process, gives up its rights (`sandbox.confine`), and then parses. It opens
nothing: sealed bytes reach it as descriptors that the parent opened. What it sends back is never unpickled: JSON and
Arrow only.

Frames from child to parent: `O` + SHA-256 (open, answered with a descriptor); `B` chunk, `E` (bytes to keep; `E` is
answered with their digests); `P` names of the protections in force; `R` result; `X` text of an error. One
conversation, in step.
"""

import contextlib
import ctypes
import hashlib
import io
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any, BinaryIO

import pyarrow as pa

from casewright.engine.sandbox import confine
from casewright.engine.stage import Context, Digests, Output, SetAside, Tally, Work
from casewright.model.settings import LimitSettings
from casewright.vault.store import Store, Writer

PRELOAD = ["casewright.engine.child", "pyarrow.dataset"]  # DuckDB imports the second when it sees Arrow
PR_SET_PDEATHSIG = 1
FRAME_LIMIT = 1 << 31


@dataclass(frozen=True)
class Job:
    """One batch of one stage, as it is sent to a child. `hostile`: confine it."""

    work: Work
    batch: pa.Table
    tables: Mapping[str, pa.Table]
    params: Mapping[str, Any]
    hostile: bool
    keeps_bytes: bool
    limits: LimitSettings


@dataclass(frozen=True)
class Died:
    """A child that did not finish, and why as far as it can be told."""

    reason: str
    detail: str


class ParentBlobs:
    """The child's view of the store: it asks, the parent opens and keeps."""

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        self._pipe = pipe

    def open(self, sha256: str) -> BinaryIO:
        self._pipe.send_bytes(b"O" + sha256.encode("ascii"))
        return os.fdopen(reduction.recv_handle(self._pipe), "rb")

    def put(self, chunks: Iterable[bytes]) -> Digests:
        for chunk in chunks:
            if chunk:
                self._pipe.send_bytes(b"B" + chunk)
        self._pipe.send_bytes(b"E")
        return Digests(**json.loads(self._pipe.recv_bytes()))


def _child(pipe: "Connection[Any, Any]", job: Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    protections = confine(job.limits, []) if job.hostile else []
    pipe.send_bytes(b"P" + json.dumps(protections).encode())
    try:
        output = job.work(job.batch, Context(job.params, job.tables, ParentBlobs(pipe)))
        pipe.send_bytes(b"R" + encode_output(output))
    except MemoryError:
        pipe.send_bytes(b"X" + b"out of memory\x00needed more than the memory limit")
    except Exception as error:  # noqa: BLE001  whatever evidence does to a parser costs this batch, and is recorded
        pipe.send_bytes(
            b"X" + b"parser failed\x00" + f"{type(error).__name__}: {error}"[:2000].encode("utf-8", "replace")
        )
    pipe.close()


def run_in_child(job: Job, store: Store) -> tuple[Output | Died, list[str]]:
    """The stage's output for the batch, or how its child died; and the protections that the kernel gave it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, job), daemon=True)
    process.start()
    theirs.close()
    _LIVE.add(process)
    protections: list[str] = []
    try:
        result = _serve(ours, process.pid or 0, store, job, protections)
        if isinstance(result, Died):
            process.kill()
        process.join()
        if isinstance(result, Died) and result.reason == "died":
            result = Died("died", _last_words(process.exitcode))
        return result, protections
    finally:
        _LIVE.discard(process)
        process.kill()
        process.join()
        process.close()
        ours.close()


_LIVE: set[Any] = set()


def stop_children() -> None:
    """End every child that is running now; the threads that watch them then see them die."""
    for process in list(_LIVE):
        with contextlib.suppress(ValueError):  # closed in between: it has ended
            process.kill()


def _serve(pipe: "Connection[Any, Any]", pid: int, store: Store, job: Job, protections: list[str]) -> Output | Died:
    deadline = time.monotonic() + job.limits.child_wall_seconds
    keeper = Keeper(store)
    try:
        while True:
            if not pipe.poll(max(0.0, deadline - time.monotonic())):
                return Died("took too long", f"still running after {job.limits.child_wall_seconds} s")
            frame = pipe.recv_bytes(FRAME_LIMIT)
            kind, body = frame[:1], frame[1:]
            if kind == b"R":
                return decode_output(body)
            if kind == b"X":
                reason, _, detail = body.decode("utf-8", "replace").partition("\x00")
                return Died(reason, detail)
            if kind == b"P":
                protections.extend(str(p) for p in json.loads(body))
            elif kind == b"O":
                with store.open(body.decode("ascii")) as file:
                    reduction.send_handle(pipe, file.fileno(), pid)
            elif kind == b"B" and job.keeps_bytes:
                keeper.write(body)
            elif kind == b"E" and job.keeps_bytes:
                pipe.send_bytes(json.dumps(asdict(keeper.keep())).encode())
            else:
                return Died("broke the rules", f"sent a frame of kind {kind!r} that this stage may not send")
    except (EOFError, ConnectionError):
        return Died("died", "")
    except (ValueError, KeyError, TypeError, pa.ArrowInvalid) as error:
        return Died("broke the rules", f"sent a frame that cannot be read: {error}")
    finally:
        keeper.discard()


class Keeper:
    """Takes the bytes that a child unpacks into the store, with the three digests that hash lists use."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writer: Writer | None = None
        self._start()

    def _start(self) -> None:
        self._writer = None
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._md5 = hashlib.md5(usedforsecurity=False)

    def write(self, chunk: bytes) -> None:
        self._writer = self._writer or self._store.writer()
        self._writer.write(chunk)
        self._sha1.update(chunk)
        self._md5.update(chunk)

    def keep(self) -> Digests:
        writer = self._writer or self._store.writer()
        digests = Digests(writer.keep(), self._sha1.hexdigest(), self._md5.hexdigest(), writer.size)
        self._start()
        return digests

    def discard(self) -> None:
        if self._writer:
            self._writer.discard()


class StoreBlobs:
    """The store itself as a stage sees it, for stages that need no sandbox and run in this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, sha256: str) -> BinaryIO:
        return self._store.open(sha256)

    def put(self, chunks: Iterable[bytes]) -> Digests:
        keeper = Keeper(self._store)
        for chunk in chunks:
            keeper.write(chunk)
        return keeper.keep()


def _last_words(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the parser was ended by {signal.Signals(-code).name}"
    return f"the parser ended with exit code {code} and said nothing"


def encode_output(output: Output) -> bytes:
    head = json.dumps({
        "set_aside": [asdict(s) for s in output.set_aside],
        "tallies": [asdict(t) for t in output.tallies],
        "tables": list(output.tables),
    }).encode("utf-8", "surrogatepass")  # fmt: skip
    sink = io.BytesIO()
    sink.write(len(head).to_bytes(8, "big") + head)
    for table in output.tables.values():
        raw = ipc_bytes(table)
        sink.write(len(raw).to_bytes(8, "big") + raw)
    return sink.getvalue()


def decode_output(raw: bytes) -> Output:
    """Inverse of `encode_output`; trusts nothing but JSON and Arrow. Raises ValueError on anything else."""
    view, at = memoryview(raw), 0

    def block() -> memoryview:
        nonlocal at
        size = int.from_bytes(view[at : at + 8], "big")
        at += 8 + size
        return view[at - size : at]

    head = json.loads(bytes(block()))
    tables = {str(name): pa.ipc.open_stream(bytes(block())).read_all() for name in head["tables"]}
    for table in tables.values():
        table.validate(full=True)
    return Output(
        tables,
        [SetAside(**s) for s in head["set_aside"]],
        [Tally(**t) for t in head["tallies"]],
    )


def ipc_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
