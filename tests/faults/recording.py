"""What a program does to the files under one folder, in order, as the kernel saw it: read from strace (Debian).

strace(1): `-xx` writes every string in hex, `-y` the path behind every descriptor, `-s` whole strings.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CALLS = (
    "openat,open,creat,write,pwrite64,writev,ftruncate,truncate,lseek,rename,renameat,renameat2,link,linkat,unlink,"
    "unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,sync"
)
WHOLE, BEGUN, ENDED = (
    r"(\w+)\((.*)\)\s*= (-?\w+).*",
    r"(\w+)\((.*) <unfinished \.\.\.>",
    r"<\.\.\. (\w+) resumed>(.*)\)\s*= (-?\w+).*",
)
LINE = re.compile(rf"(\d+)\s+(?:{WHOLE}|{BEGUN}|{ENDED})")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
BEHIND = re.compile(r"<((?:\\x[0-9a-f]{2})+)>")
SAID = "said"


@dataclass(frozen=True)
class Done:
    """One thing that was done: `call` to `path`; the name it got, bytes and where they went, flags of an opening."""

    call: str
    path: str = ""
    to: str = ""
    data: bytes = b""
    at: int = -1
    flags: str = ""
    handle: int = -1


def record(folder: Path, module: str, *arguments: str) -> list[Done]:
    """Run a module as a program, and tell all that it did under the folder, and what it said (`said`, to stdout)."""
    trace = folder.with_name(folder.name + ".trace")
    watch = ["strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", str(1 << 26), "-e", f"trace={CALLS}", "-o", str(trace)]
    program = [sys.executable, "-m", module, *arguments]
    done = subprocess.run([*watch, *program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [
        one
        for one in _read(trace)
        if one.call in ("sync", SAID) or one.path.startswith(f"{folder}/") or one.path == str(folder)
    ]


@cache
def why_not() -> str:
    """Why nothing can be recorded here; empty when it can."""
    try:
        tried = subprocess.run(
            ["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "true"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return "strace (Debian) is not installed"
    return f"strace may not watch here: {tried.stderr.strip()}" if tried.returncode else ""


def _read(trace: Path) -> Iterator[Done]:
    begun: dict[str, str] = {}
    with trace.open(encoding="ascii") as lines:
        for line in lines:
            if not (parts := LINE.match(line)):
                continue
            number, call, given, result, first, start, again, rest, late = parts.groups()
            if first:
                begun[number] = start
            elif (result or late).startswith("-"):
                continue
            elif call or again in CALLS:
                yield from _one(call or again, given if call else begun.pop(number, "") + rest, result or late)


def _one(call: str, given: str, result: str) -> Iterator[Done]:
    texts = [_bytes(text) for text in TEXT.findall(given)]
    behind = [_bytes(text).decode("utf-8", "replace") for text in BEHIND.findall(re.sub(TEXT, "", given))]
    if call in ("write", "pwrite64", "writev") and given.startswith("1<"):
        yield Done(SAID, data=b"".join(texts))
    elif call in ("write", "pwrite64", "writev") and behind:
        at = int(given.rsplit(",", 1)[1]) if call == "pwrite64" else -1
        yield Done("write", behind[0], data=b"".join(texts), at=at, handle=int(given.split("<", 1)[0]))
    elif call in ("openat", "open", "creat"):
        yield Done("open", _path(texts[0], behind), flags=given, handle=int(result))
    elif call in ("fsync", "fdatasync", "ftruncate", "lseek") and behind:
        at = int(given.split(",")[1]) if call == "ftruncate" else int(result)
        yield Done(call, behind[0], at=at, handle=int(given.split("<", 1)[0]))
    elif call == "truncate":
        yield Done("ftruncate", texts[0].decode(), at=int(given.rsplit(",", 1)[1]))
    elif call.startswith(("rename", "link")):
        yield Done(call[:6].removesuffix("at"), _path(texts[0], behind[:1]), to=_path(texts[1], behind[1:]))
    elif call == "sync":
        yield Done("sync")
    elif texts:
        kind = "rmdir" if "AT_REMOVEDIR" in given else call.removesuffix("at")
        yield Done(kind, _path(texts[0], behind))


def _path(name: bytes, behind: list[str]) -> str:
    return os.path.join(behind[0] if behind else "/", os.fsdecode(name))  # noqa: PTH118  paths of another program


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
