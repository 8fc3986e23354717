"""Checking a package: its signature, its manifests, every file, and that there is no other."""

import hashlib
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from casewright.engine.verify import Check
from casewright.model.errors import BrokenSeal
from casewright.refer.check import contents_problems
from casewright.refer.check_notice import is_notice, notice_problems
from casewright.refer.package import MANIFEST, SIGNATURE, TAGMANIFEST
from casewright.vault.keys import verify_signature

PROBLEMS = 20
"""Contradictions that are told of one package; the first is enough to send it back."""
LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")
SENDER = re.compile(r"sealed with minisign key: (\S+)")


def is_package(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".") and (path / "data").is_dir()


def verify_package(bag: Path, public: str | None) -> Iterator[Check]:
    """Every check of one package. Without the sender's key, the one named inside is used, and that is said.

    A package comes from outside: nothing is read that does not lie in it as a plain file.
    """
    name = f"package {bag.name}"
    tags = _bytes(bag, TAGMANIFEST)
    try:
        said = public or _named_key(bag)
        comment = verify_signature(tags, _bytes(bag, SIGNATURE), said)
        detail = (
            comment if public else f"{comment}; BY THE KEY INSIDE THE PACKAGE: compare it with the sender's: {said}"
        )
        yield Check(f"{name}: signature", "holds", detail)
    except BrokenSeal as error:
        yield Check(f"{name}: {SIGNATURE}", "broken", str(error))
        tags = b""
    listed = {TAGMANIFEST, SIGNATURE}
    good = bad = 0
    for manifest, raw in ((TAGMANIFEST, tags), (MANIFEST, _bytes(bag, MANIFEST))):
        for check, path in _files(bag, name, manifest, raw):
            listed.add(path)
            good += check is None
            bad += check is not None
            if check:
                yield check
    for path in sorted(p.relative_to(bag).as_posix() for p in bag.rglob("*") if p.is_symlink() or not p.is_dir()):
        if path not in listed:
            yield Check(f"{name}: {path}", "broken", "is in no manifest: it was added")
    yield Check(f"{name}: files", "holds", f"{good} files are as sealed")
    if not bad and tags:
        yield from _contents(bag, name)


def _contents(bag: Path, name: str) -> Iterator[Check]:
    """Files that are as sealed can still contradict each other, when another program wrote them."""
    data = bag / "data"
    wrong = list(islice(notice_problems(data) if is_notice(data) else contents_problems(data), PROBLEMS))
    for words in wrong:
        yield Check(f"{name}: contents", "broken", words)
    if not wrong:
        what = "sheet, JSON and ledger" if is_notice(data) else "sheets, graphs and hash list"
        yield Check(f"{name}: contents", "holds", f"{what} tell the same")


def _files(bag: Path, name: str, manifest: str, raw: bytes) -> Iterator[tuple[Check | None, str]]:
    text = raw.decode("utf-8", "replace")
    lines = LINE.findall(text)
    if not raw or "".join(f"{digest}  {path}\n" for digest, path in lines) != text:
        yield Check(f"{name}: {manifest}", "broken", "is not written as manifests are"), manifest
    for digest, path in lines:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            yield Check(f"{name}: {manifest}", "broken", f"names {path!r}, which lies outside the package"), path
        elif not _inside(bag, path):
            yield Check(f"{name}: {path}", "broken", "is gone, or is no plain file"), path
        elif hashlib.sha256(_bytes(bag, path)).hexdigest() != digest:
            yield Check(f"{name}: {path}", "broken", "its bytes were changed"), path
        else:
            yield None, path


def _inside(bag: Path, path: str) -> bool:
    """Whether this is a plain file, reached through plain folders: a link could show bytes of another place."""
    steps = [bag / Path(*PurePosixPath(path).parts[: n + 1]) for n in range(len(PurePosixPath(path).parts))]
    return not any(step.is_symlink() for step in steps) and (bag / path).is_file()


def _bytes(bag: Path, path: str) -> bytes:
    """The file's bytes; none when it is not there."""
    try:
        return (bag / path).read_bytes() if _inside(bag, path) else b""
    except OSError:
        return b""


def _named_key(bag: Path) -> str:
    found = SENDER.search(_bytes(bag, "data/recipient.txt").decode("utf-8", "replace"))
    if found is None:
        raise BrokenSeal("names no sender's key; give it with --key")
    return found[1]
