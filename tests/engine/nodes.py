"""Two machines for tests: a node of Ray here, and one in a network namespace of its own, at the end of a cable."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HERE, THERE, SPACE = "10.213.7.1", "10.213.7.2", "casewright-b"
NODES, CLIENTS = f"ray:{HERE}:6391", f"ray://{HERE}:9913"
TOKEN = "5" * 64
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": TOKEN, "PYTHONPATH": str(Path(__file__).parents[2]),
}  # fmt: skip
RAY = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--disable-usage-stats", "--num-cpus=1",
       "--object-store-memory=268435456"]  # fmt: skip
HEAD = ["--head", f"--node-ip-address={HERE}", "--port=6391", "--ray-client-server-port=9913",
        "--include-dashboard=false"]  # fmt: skip
NODE = [f"--address={HERE}:6391", f"--node-ip-address={THERE}"]


class Machines:
    """The two, while they run. `caches`: where each keeps what it is sent."""

    def __init__(self, folder: Path) -> None:
        self.caches = [folder / "here", folder / "there"]
        session = tempfile.mkdtemp(prefix="cw-")  # a short path: sockets lie below it
        self._session = Path(session)
        self._head = self._start([*RAY, *HEAD, f"--temp-dir={session}"], self.caches[0])
        self._wait("Ray runtime started", self.caches[0])
        self._node = self._start(["ip", "netns", "exec", SPACE, *RAY, *NODE], self.caches[1])
        self._wait("Ray runtime started", self.caches[1])

    def kill_the_other(self) -> None:
        os.killpg(self._node.pid, signal.SIGKILL)

    def close(self) -> None:
        for process in (self._node, self._head):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self._session, ignore_errors=True)

    def _start(self, command: list[str], cache: Path) -> "subprocess.Popen[bytes]":
        cache.mkdir()
        with (cache / "log").open("wb") as log:
            settings = {**os.environ, **SETTINGS, "CASEWRIGHT_CACHE": str(cache)}
            return subprocess.Popen(command, stdout=log, stderr=log, env=settings, start_new_session=True)

    def _wait(self, said: str, cache: Path) -> None:
        for _ in range(600):
            if said in (cache / "log").read_text():
                return
            time.sleep(0.1)
        raise AssertionError((cache / "log").read_text())


def can_be_made() -> bool:
    return os.geteuid() == 0 and shutil.which("ip") is not None and _ip("netns", "list", check=False) == 0


@contextmanager
def two_machines(folder: Path) -> Iterator[Machines]:
    _ip("netns", "add", SPACE)
    try:
        _ip("link", "add", "cw-a", "type", "veth", "peer", "name", "cw-b", "netns", SPACE)
        _ip("addr", "add", f"{HERE}/24", "dev", "cw-a")
        _ip("link", "set", "cw-a", "up")
        _ip("-n", SPACE, "addr", "add", f"{THERE}/24", "dev", "cw-b")
        _ip("-n", SPACE, "link", "set", "cw-b", "up")
        _ip("-n", SPACE, "link", "set", "lo", "up")
        machines = Machines(folder)
        try:
            yield machines
        finally:
            machines.close()
    finally:
        _ip("netns", "del", SPACE)


def _ip(*arguments: str, check: bool = True) -> int:
    return subprocess.run(["ip", *arguments], check=check, capture_output=True).returncode
