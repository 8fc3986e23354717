"""What the case and the workers of a cluster say to each other."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pyarrow as pa

import casewright
from casewright.engine.child import Job
from casewright.engine.stage import Stage
from casewright.engine.tables import Part
from casewright.engine.units import UnbalancedStageError
from casewright.model.errors import BrokenSeal, CasewrightError, Missing, Refused

CHUNK = 8 << 20
"""Bytes that one answer brings, all of its files together."""

ERRORS: Mapping[str, type[CasewrightError]] = {
    kind.__name__: kind for kind in (BrokenSeal, Missing, Refused, UnbalancedStageError)
}


@dataclass(frozen=True)
class Question:
    """Bytes that a worker lacks. Of one digest from a byte on; of several those that fit whole into one answer."""

    wanted: Sequence[str]
    at: int = 0


@dataclass(frozen=True)
class Bytes:
    """A stretch of the bytes with this digest, and how many they are in all."""

    sha256: str
    size: int
    data: bytes


@dataclass(frozen=True)
class Wrong:
    """What a person must read: the kind of error and its text."""

    kind: str
    text: str

    def error(self) -> CasewrightError:
        return ERRORS.get(self.kind, CasewrightError)(self.text)


@dataclass(frozen=True)
class Sent:
    """A table on its way to a worker, as Arrow's stream: its digest, and where in the cluster it is."""

    sha256: str
    where: Any


@dataclass(frozen=True)
class Parcel:
    """A unit of work as it goes to a worker. `job` has no rows: `batch` and `tables` are those; `parts` are the tables
    that are read in parts, which are fetched by their digests."""

    run: str
    stage: Stage
    job: Job
    batch: Sent
    tables: Mapping[str, Sent]
    parts: Mapping[str, Sequence[Part]]
    preload: Sequence[str]
    made_by: Mapping[str, str]
    twin: str = ""


@dataclass(frozen=True)
class Finished:
    """The files of a finished unit's folder, which hold each other's digests, and who made them."""

    files: Mapping[str, bytes]
    worker: str


def packed(table: pa.Table) -> tuple[str, pa.Buffer]:
    """A table as bytes, with their digest."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    raw = sink.getvalue()
    return hashlib.sha256(raw).hexdigest(), raw


def unpacked(sha256: str, raw: pa.Buffer) -> pa.Table:
    """Inverse of `packed`. Raises BrokenSeal when the bytes are others than were sent."""
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise BrokenSeal(f"a table with the digest {sha256} reached a worker as {found}. It is not used; run again.")
    return pa.ipc.open_stream(raw).read_all()


@cache
def made_by() -> Mapping[str, str]:
    """All that must be equal on two machines for the same rows to give the same bytes: Python, Casewright's own files,
    and the libraries that it stands on."""
    digest, root = hashlib.sha256(), Path(casewright.__file__).parent
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".sql", ".toml") and p.is_file()):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    found = {"python": platform.python_version(), "casewright": f"{casewright.__version__} {digest.hexdigest()[:16]}"}
    for line in requires("casewright") or ():
        name = line.split(";")[0].split("[")[0].split("=")[0].split("<")[0].split(">")[0].strip()
        if "extra ==" not in line:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = "none"
    return found


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    return [
        f"{name} {there.get(name, 'none')} instead of {here.get(name, 'none')}"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]
