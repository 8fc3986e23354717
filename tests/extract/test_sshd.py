"""A real sshd on loopback: whom it accepted, and how each connection ended, is read from what it logged."""

import io
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from casewright.extract.log import LOGIN, LOGOUT, SYSTEM, Act, Given, Line
from casewright.extract.logs.syslog import read_syslog

SSHD = Path("/usr/sbin/sshd")
EMPTY = Path("/run/sshd")
"""Where an sshd of root's shuts in whoever has not signed in yet."""
USER = pwd.getpwuid(os.geteuid()).pw_name


@contextmanager
def running() -> Iterator[tuple[Path, int]]:
    """An sshd with a key of its own that lets one key in; its folder and port."""
    home = Path(tempfile.mkdtemp(prefix="ssh-"))
    try:
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / name], check=True)
        (home / "allowed").write_bytes((home / "key.pub").read_bytes())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {"ListenAddress": "127.0.0.1", "AuthorizedKeysFile": home / "allowed", "StrictModes": "no",
                   "PidFile": "none", "UsePAM": "no", "PermitRootLogin": "yes", "LogLevel": "VERBOSE",
                   "ForceCommand": "cat"}  # fmt: skip
        command = [str(SSHD), "-D", "-f", "/dev/null", "-E", str(home / "log"), "-p", str(port),
                   "-h", str(home / "host"),
                   *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]  # fmt: skip
        server = subprocess.Popen(command)
        try:
            _wait(home, "Server listening")
            yield home, port
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(home)


def _wait(home: Path, pattern: str, times: int = 1) -> None:
    for _ in range(400):
        if (home / "log").exists() and len(re.findall(pattern, (home / "log").read_text("utf-8"))) >= times:
            return
        time.sleep(0.05)
    raise AssertionError((home / "log").read_text("utf-8"))


def _connect(home: Path, port: int, user: str) -> "subprocess.Popen[bytes]":
    options = ("BatchMode=yes", "StrictHostKeyChecking=no", f"UserKnownHostsFile={home}/known", "LogLevel=ERROR")
    command = ["ssh", "-F", "/dev/null", "-i", str(home / "key"), "-p", str(port), f"{user}@127.0.0.1",
               *(word for option in options for word in ("-o", option))]  # fmt: skip
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_who_was_let_in_and_how_it_ended() -> None:
    if not SSHD.exists() or shutil.which("ssh") is None:
        pytest.skip("OpenSSH is not installed")
    if os.geteuid() == 0:
        EMPTY.mkdir(0o755, exist_ok=True)
    with running() as (home, port):
        client = _connect(home, port, USER)
        _wait(home, "Accepted publickey")
        client.communicate(timeout=20)
        _wait(home, "Disconnected from user")
        lost = _connect(home, port, USER)
        _wait(home, "Starting session", 2)  # before it, sshd may meet a broken pipe and not say who was lost
        lost.send_signal(signal.SIGKILL)
        lost.communicate(timeout=20)
        _wait(home, "Connection closed by|Read error")
        _connect(home, port, "amber").communicate(timeout=20)
        _wait(home, "preauth")
        said = (home / "log").read_text("utf-8").splitlines()
    log = "".join(f"Nov  3 04:05:{n:02} vault sshd[{n}]: {line}\n" for n, line in enumerate(said)).encode()
    lines = read_syslog(io.BytesIO(log), Given("UTC", datetime(2018, 11, 3, 5)))
    acts = [line.said for line in lines if isinstance(line, Line)]
    assert all(isinstance(act, Act) for act in acts), acts
    told = [(a.what, a.user, a.name_is, a.ip) for a in acts if isinstance(a, Act)]
    assert set(told) == {(what, USER, SYSTEM, "127.0.0.1") for what in (LOGIN, LOGOUT)}, said
    begun = [a.port for a in acts if isinstance(a, Act) and a.what == LOGIN]
    ended = {a.port: a.how for a in acts if isinstance(a, Act) and a.what == LOGOUT}
    assert [ended[port] for port in begun] == ["disconnected", "connection lost"], said
