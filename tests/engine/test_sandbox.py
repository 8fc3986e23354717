"""What a child can no longer do once it has given up its rights: each is tried in a real child."""

import json
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from casewright.engine.seccomp import ALLOW, ALLOWED, KILL, NOT_THERE, REFUSE, filter_code

CHILD = """
import ctypes, errno, json, os, socket, subprocess, sys, time
from pathlib import Path
from casewright.engine.sandbox import confine
from casewright.model.settings import LimitSettings

inside, outside = Path(sys.argv[1]), Path(sys.argv[2])
held = open(outside)
given = confine(LimitSettings(child_memory=1 << 30, child_cpu_seconds=1), [inside])
said = {"given": given}

def attempt(name, work):
    try:
        said[name] = repr(work())
    except (OSError, MemoryError) as error:
        said[name] = type(error).__name__

"""


def tried(tmp_path: Path, *attempts: str) -> dict[str, str]:
    """What a confined child says of each attempt, written `name: expression`; `given` are its protections."""
    finished = child(
        tmp_path, "".join(f"attempt({a.split(': ')[0]!r}, lambda: {a.split(': ', 1)[1]})\n" for a in attempts)
    )
    assert finished.returncode == 0, finished.stderr
    said: dict[str, str] = json.loads(finished.stdout)
    return said


def child(tmp_path: Path, script: str) -> "subprocess.CompletedProcess[str]":
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("amphora")
    arguments = [str(tmp_path / "inside"), str(tmp_path / "outside" / "file")]
    text = CHILD + script + "\nprint(json.dumps(said))"
    return subprocess.run(
        [sys.executable, "-c", text, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def need(said: dict[str, str], protection: str) -> None:
    if protection not in said["given"]:
        pytest.skip(f"this kernel does not offer: {protection}")


def test_a_confined_child_reads_what_it_may_and_nothing_else(tmp_path: Path) -> None:
    said = tried(
        tmp_path,
        "allowed: (inside / 'file').read_text()",
        "held: held.read()",
        "other: outside.read_text()",
        "passwords: Path('/etc/passwd').read_text()",
        "listing: os.listdir(outside.parent)",
        "library: len(Path(os.__file__).read_bytes()) > 0",
    )
    need(said, "file system closed")
    assert (said["allowed"], said["held"], said["library"]) == ("'amphora'", "'amphora'", "True")
    assert {said["other"], said["passwords"], said["listing"]} == {"PermissionError"}


def test_a_confined_child_changes_no_file(tmp_path: Path) -> None:
    said = tried(
        tmp_path,
        "write: (inside / 'file').write_text('x')",
        "create: (inside / 'fresh').write_text('x')",
        "remove: (inside / 'file').unlink()",
        "rename: (inside / 'file').rename(inside / 'moved')",
        "folder: (inside / 'folder').mkdir()",
        "temporary: Path('/tmp/casewright-escaped').write_text('x')",
    )
    need(said, "file system closed")
    del said["given"]
    assert set(said.values()) == {"PermissionError"}, said
    assert (tmp_path / "inside" / "file").read_text() == "amphora"


def test_a_confined_child_leaves_modes_owners_and_times_alone(tmp_path: Path) -> None:
    said = tried(
        tmp_path,
        "mode: os.chmod(inside / 'file', 0o777)",
        "mode of what it holds: os.fchmod(held.fileno(), 0o777)",
        "owner: os.chown(inside / 'file', 0, 0)",
        "times: os.utime(inside / 'file', (0, 0))",
        "attribute: os.setxattr(inside / 'file', 'user.note', b'x')",
    )
    need(said, "no file modes, owners or times")
    del said["given"]
    assert set(said.values()) == {"PermissionError"}, said


def test_a_confined_child_reaches_no_network(tmp_path: Path) -> None:
    said = tried(
        tmp_path,
        "tcp: socket.create_connection(('127.0.0.1', 1), 1)",
        "udp: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "six: socket.socket(socket.AF_INET6)",
        "local: socket.socket(socket.AF_UNIX)",
    )
    need(said, "no sockets")
    del said["given"]
    assert set(said.values()) == {"PermissionError"}, said


def test_a_confined_child_starts_and_touches_no_other_process(tmp_path: Path) -> None:
    said = tried(
        tmp_path,
        "program: os.execv('/bin/true', ['true'])",
        "started: subprocess.run([sys.executable, '-c', ''])",
        "signal: os.kill(os.getppid(), 0)",
    )
    need(said, "no other programs or processes")
    del said["given"]
    assert set(said.values()) == {"PermissionError"}, said


def test_too_much_memory_is_refused(tmp_path: Path) -> None:
    said = tried(tmp_path, "much: len(bytearray(4 << 30))", "little: len(bytearray(4 << 20))")
    assert said["much"] == "MemoryError"
    assert said["little"] == str(4 << 20)


def test_a_loop_without_end_is_ended(tmp_path: Path) -> None:
    assert child(tmp_path, "while True: pass").returncode == -signal.SIGKILL


def test_the_zone_of_a_child_is_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert tried(tmp_path, "noon: time.mktime((1970, 1, 1, 12, 0, 0, 0, 0, 0))")["noon"] == "43200.0"


def test_what_holds_everywhere_is_named(tmp_path: Path) -> None:
    given = tried(tmp_path)["given"]
    for protection in ("memory up to 1024 MiB", "processor time up to 1 s", "no core dumps", "no new privileges"):
        assert protection in given


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter is for x86-64")
@pytest.mark.parametrize(("machine", "number", "arguments", "verdict"), [
    (0xC000003E, 0, (), ALLOW), (0xC000003E, 231, (), ALLOW), (0xC000003E, ALLOWED[0], (), ALLOW),
    (0xC000003E, 41, (), REFUSE), (0xC000003E, 59, (), REFUSE), (0xC000003E, 62, (), REFUSE),
    (0xC000003E, 42 | 0x40000000, (), REFUSE), (0xC000003E, 0xFFFFFFFF, (), REFUSE), (0x40000003, 0, (), KILL),
    (0xC000003E, 257, (0, 0, 0o2000000), ALLOW), (0xC000003E, 257, (0, 0, 0o1), REFUSE),
    (0xC000003E, 257, (0, 0, 0o20200002), REFUSE), (0xC000003E, 2, (0, 0o100), REFUSE), (0xC000003E, 2, (0, 0), ALLOW),
    (0xC000003E, 56, (0x3D0F00,), ALLOW), (0xC000003E, 56, (0x1200011,), REFUSE), (0xC000003E, 435, (), NOT_THERE),
    (0xC000003E, 302, (0,), ALLOW), (0xC000003E, 302, (1,), REFUSE),
    (0xC000003E, 234, (4711,), ALLOW), (0xC000003E, 234, (1,), REFUSE),
])  # fmt: skip
def test_the_filter_decides_as_written(machine: int, number: int, arguments: tuple[int, ...], verdict: int) -> None:
    data = {0: number, 4: machine, **{16 + 8 * i: value for i, value in enumerate(arguments)}}
    assert interpreted(filter_code(4711), data) == verdict


def interpreted(code: bytes, data: dict[int, int]) -> int:
    """What a classic BPF program of loads, jumps and returns gives for these words of data."""
    at = value = 0
    while True:
        operation, if_true, if_false = int.from_bytes(code[at : at + 2], "little"), code[at + 2], code[at + 3]
        constant = int.from_bytes(code[at + 4 : at + 8], "little")
        at += 8
        if operation == 0x20:
            value = data.get(constant, 0)
        elif operation == 0x06:
            return constant
        else:
            holds = {0x15: value == constant, 0x35: value >= constant, 0x45: bool(value & constant)}[operation]
            at += 8 * (if_true if holds else if_false)
