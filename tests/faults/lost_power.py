"""What a disk may hold after a power cut, by what a program did to it before (`recording.py`).

Bytes are safe after fsync of their file, names after fsync of a folder that they stand in; nothing else is. What was
not safe is lost, kept, or half of it is, by itself: each way of losing is one that some file system has.
"""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.faults.recording import Done


@dataclass(eq=False)
class Node:
    """A file's bytes, now and as they are safe, or a folder's entries. `last`: the operation that wrote to it last."""

    folder: bool = False
    now: bytearray = field(default_factory=bytearray)
    safe: bytes = b""
    entries: dict[str, "Node"] = field(default_factory=dict)
    last: int = 0


@dataclass
class Naming:
    """Names that change together, (folder, name, what has that name now); and whether one of the folders was synced."""

    changes: Sequence[tuple[Node, str, Node | None]]
    safe: bool = False


class Disk:
    """The files under one folder while the operations come one after the other."""

    def __init__(self, root: str) -> None:
        self.root, self.log = Node(folder=True), list[Naming]()
        self._named, self._places, self._number = root, dict[int, int](), 0

    def do(self, one: Done) -> None:
        self._number += 1
        node = self._find(one.path)
        if one.call == "open":
            self._open(one, node)
        elif one.call == "write" and node:
            self._write(one, node)
        elif one.call == "lseek":
            self._places[one.handle] = one.at
        elif one.call == "ftruncate" and node:
            node.now = node.now[: one.at].ljust(one.at, b"\0")
        elif one.call in ("fsync", "fdatasync") and node:
            self._sync(node)
        elif one.call == "sync":
            for inner in {node for naming in self.log for change in naming.changes for node in (change[0], change[2])}:
                self._sync(inner or self.root)
        elif one.call in ("rename", "link"):
            gone = [(*self._place(one.path), None)] if one.call == "rename" else []
            self._name(*gone, (*self._place(one.to), node))
        elif one.call in ("unlink", "rmdir"):
            self._name((*self._place(one.path), None))
        elif one.call == "mkdir":
            self._name((*self._place(one.path), Node(folder=True)))

    def _find(self, path: str) -> Node | None:
        node: Node | None = self.root
        for name in PurePosixPath(path).relative_to(self._named).parts if path.startswith(self._named) else ():
            node = node.entries.get(name) if node else None
        return node if path.startswith(self._named) else None

    def _place(self, path: str) -> tuple[Node, str]:
        folder = self._find(str(PurePosixPath(path).parent))
        assert folder, path
        return folder, PurePosixPath(path).name

    def _open(self, one: Done, node: Node | None) -> None:
        self._places[one.handle] = -1 if "O_APPEND" in one.flags else 0
        if node is None and "O_CREAT" in one.flags:
            self._name((*self._place(one.path), Node(last=self._number)))
        elif node and "O_TRUNC" in one.flags:
            node.now, node.last = bytearray(), self._number

    def _write(self, one: Done, node: Node) -> None:
        place = self._places.get(one.handle, 0)
        at = one.at if one.at >= 0 else place if place >= 0 else len(node.now)
        node.now[at : at + len(one.data)] = one.data
        node.last = self._number
        if one.at < 0 <= place:
            self._places[one.handle] = at + len(one.data)

    def _sync(self, node: Node) -> None:
        node.safe = bytes(node.now)
        for naming in self.log:
            naming.safe = naming.safe or any(folder is node for folder, _, _ in naming.changes)

    def _name(self, *changes: tuple[Node, str, Node | None]) -> None:
        self.log.append(Naming(changes))
        for folder, name, node in changes:
            if node is None:
                folder.entries.pop(name, None)
            else:
                folder.entries[name] = node


Bytes = Callable[[Node, random.Random], bytes]


def _torn(node: Node, dice: random.Random) -> bytes:
    """Some pages of what was not synced are there, some are not."""
    found = bytearray(node.safe.ljust(len(node.now), b"\0")) if dice.random() < 0.5 else bytearray(node.safe)
    for start in range(0, len(node.now), 512):
        if dice.random() < 0.5 and start <= len(found):
            found[start : start + 512] = node.now[start : start + 512]
    return bytes(found)


WAYS: dict[str, tuple[str, Bytes]] = {
    "only what was synced": ("synced", lambda node, dice: node.safe),
    "names without their bytes": ("all", lambda node, dice: node.safe),
    "names with zeros for bytes": ("all", lambda node, dice: node.safe[: len(node.now)].ljust(len(node.now), b"\0")),
    "bytes without their names": ("synced", lambda node, dice: bytes(node.now)),
    "all of it": ("all", lambda node, dice: bytes(node.now)),
    "names up to some moment, bytes by halves": ("prefix", _torn),
    "names and bytes by the dice": ("dice", _torn),
}
"""Which names are left, and which bytes of each file."""


def after_the_cut(root: str, done: Sequence[Done], way: str, seed: int) -> dict[str, tuple[bytes | None, int]]:
    """Paths under the root, each with its bytes (None: a folder) and when it was written, after all this was done."""
    disk, dice = Disk(root), random.Random(seed)
    for one in done:
        disk.do(one)
    which, bytes_of = WAYS[way]
    left: dict[Node, dict[str, Node | None]] = {}
    safe_up_to = max((number for number, naming in enumerate(disk.log, 1) if naming.safe), default=0)
    moment = dice.randint(safe_up_to, len(disk.log))
    for number, naming in enumerate(disk.log):
        kept = {"all": True, "synced": naming.safe, "prefix": number < moment,
                "dice": naming.safe or dice.random() < 0.5}[which]  # fmt: skip
        for folder, name, node in naming.changes if kept else ():
            left.setdefault(folder, {})[name] = node
    return {
        path: (None if node.folder else bytes_of(node, dice), node.last) for path, node in _walk(root, disk.root, left)
    }


def _walk(path: str, node: Node, left: dict[Node, dict[str, Node | None]]) -> Iterator[tuple[str, Node]]:
    yield path, node
    for name, inner in left.get(node, {}).items():
        if inner:
            yield from _walk(f"{path}/{name}", inner, left)


def lay_out(found: dict[str, tuple[bytes | None, int]], root: str, folder: Path) -> None:
    """Put these files into a folder, as if it were the root."""
    for path, (content, last) in sorted(found.items()):
        target = folder / os.path.relpath(path, root)
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.write_bytes(content)
            os.utime(target, (last, last))
