"""A package: a BagIt bag, signed. The same figures, ledger lines, key and fonts give the same bytes.

Everything but the signature is written first, by processes when there are several packages; the process that holds the
key signs, and puts the bag in place. Format: docs/formats/package.md.
"""

import gzip
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from casewright import __version__
from casewright.engine.query import Reader
from casewright.model.errors import Refused
from casewright.model.settings import CaseSettings, Settings
from casewright.refer.contents import PackageInput, write_data
from casewright.refer.countries import country_of
from casewright.refer.quoted import Quotable
from casewright.vault.disk import sync_folder, sync_tree, write_atomically
from casewright.vault.keys import SealKey

BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST, TAGMANIFEST, SIGNATURE = "manifest-sha256.txt", "tagmanifest-sha256.txt", "tagmanifest-sha256.txt.minisig"
MOST_BYTES = 50 << 20
SHRUNK = (".csv", ".jsonld", ".json")
"""Files that are compressed in a package that would be too large: one account's rows stay together."""
_LARGE = 1 << 20
"""Smaller files are left as they are."""
AT_ONCE = 6
"""Packages that a process writes before a fresh one takes over: typst keeps what it laid out."""
NAME = re.compile(r"([A-Z]{2})(-\d{2,})?")


@dataclass(frozen=True)
class Order:
    """A package to be written: its name, for whom it is encrypted, and in which language it speaks."""

    name: str
    recipients: tuple[str, ...] = ()
    language: str = "en"


def write_packages(
    orders: Sequence[Order], tables: Path, lines: Sequence[str], settings: Settings, folder: Path, key: SealKey,
    workers: int = 1,
) -> Iterator[tuple[Order, Path, str]]:  # fmt: skip
    """Write the packages into `folder`, each in place of an older one, in one rename; in order, with the digest of what
    was signed.

    Raises Refused for a package larger than 50 MB, or for what is no country.
    """
    job = Job(tables, list(lines), settings, folder, key.public)
    for order, fresh in zip(orders, _written(job, orders, workers), strict=True):
        target = folder / order.name
        yield order, target, sign_bag(fresh, target, key, f"referral to {target.name}")


@dataclass
class Job:
    """What all packages are made from, as it is sent to each process once."""

    tables: Path
    lines: list[str]
    settings: Settings
    folder: Path
    public: str


def _written(job: Job, orders: Sequence[Order], workers: int) -> Iterator[Path]:
    """Bags without their signature, in order."""
    if workers < 2 or len(orders) < 2:
        with Reader(job.tables) as reader:
            write = _writer(job, reader)
            yield from map(write, orders)
        return
    groups = [orders[at : at + AT_ONCE] for at in range(0, len(orders), AT_ONCE)]
    get_context("forkserver").set_forkserver_preload([__name__])  # each process begins with this imported
    with ThreadPoolExecutor(workers, "packages") as threads:
        for bags in threads.map(partial(_in_a_process, job), groups):
            yield from bags


def _in_a_process(job: Job, orders: Sequence[Order]) -> list[Path]:
    """These packages, by a process that ends with them (one pool that renews its processes hangs: CPython 115634)."""
    with ProcessPoolExecutor(1, get_context("forkserver"), _begin, (job,)) as pool:
        return list(pool.map(_write_order, orders))


_WRITER: list[Callable[[Order], Path]] = []
"""In a process that writes packages: how it does."""


def _begin(job: Job) -> None:
    _WRITER.append(_writer(job, Reader(job.tables)))


def _write_order(order: Order) -> Path:
    return _WRITER[0](order)


def _writer(job: Job, reader: Reader) -> Callable[[Order], Path]:
    quotable = Quotable.of(job.lines)

    def write(order: Order) -> Path:
        source = PackageInput(order.name, reader, quotable, order.recipients, job.settings, order.language)
        return _write(source, job.folder / order.name, job.public)

    return write


def _write(source: PackageInput, target: Path, public: str) -> Path:
    """The bag beside its place, without a signature."""
    if (named := NAME.fullmatch(source.package)) is None or named[1] != country_of(named[1]):
        raise Refused(f"{source.package!r} is no country of ISO 3166 that a package could go to.")
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    data = fresh / "data"
    data.mkdir(parents=True)
    write_data(source, data, public)
    if _size(fresh) > MOST_BYTES:
        _shrink(data)
    write_manifests(fresh, source.settings.case, f"Referral to {source.package}")
    if (size := _size(fresh)) > MOST_BYTES:
        shutil.rmtree(fresh)
        raise Refused(
            f"the package {source.package} has {size} bytes, more than {MOST_BYTES}, though its sheets are compressed: "
            "one account alone has more rows than fit. Leave its country out with --country, and refer it by hand."
        )
    return fresh


def sign_bag(fresh: Path, target: Path, key: SealKey, what: str) -> str:
    """Sign the bag and put it in place; returns the digest of what was signed."""
    text = (fresh / TAGMANIFEST).read_bytes()
    write_atomically(fresh / SIGNATURE, key.sign(text, f"casewright {what}"))
    sync_tree(fresh)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)
    return hashlib.sha256(text).hexdigest()


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def _shrink(data: Path) -> None:
    """Put large tables in gzip files, without name and time; any program for archives opens them."""
    for path in sorted(p for p in data.iterdir() if p.suffix in SHRUNK and p.stat().st_size > _LARGE):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 6, mtime=0))
        path.unlink()


def write_manifests(bag: Path, about: CaseSettings, what: str) -> None:
    """Manifests over everything; what the signature covers."""
    payload = sorted(p for p in (bag / "data").rglob("*") if p.is_file())
    size = sum(p.stat().st_size for p in payload)
    info = (
        f"Source-Organization: {_one_line(about.agency)}\n"
        f"External-Identifier: {_one_line(about.reference or about.title)}\n"
        f"Internal-Sender-Description: {what}\nBag-Software-Agent: Casewright {__version__}\n"
        f"Payload-Oxum: {size}.{len(payload)}\n"
    )
    (bag / "bagit.txt").write_text(BAGIT, "utf-8")
    (bag / "bag-info.txt").write_text(info, "utf-8")
    (bag / MANIFEST).write_text(_manifest(bag, payload), "utf-8")
    text = _manifest(bag, [bag / name for name in ("bag-info.txt", "bagit.txt", MANIFEST)])
    write_atomically(bag / TAGMANIFEST, text.encode("utf-8"))


def _manifest(bag: Path, files: list[Path]) -> str:
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(bag).as_posix()}\n" for p in files)


def _one_line(text: str) -> str:
    return " ".join(text.split())
