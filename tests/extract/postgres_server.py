"""A real PostgreSQL on a socket, for tests that hold our reading of its dumps against the server itself."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = "nobody"


def programs() -> Path | None:
    """The folder of the newest server's programs, where Debian puts them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


class Server:
    """A running server."""

    def __init__(self, home: Path, bin_folder: Path) -> None:
        self.home, self._bin = home, bin_folder

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> bytes:
        command = [*as_nobody(), str(self._bin / program), *arguments]
        env = {
            "PATH": os.environ["PATH"],
            "PGHOST": str(self.home),
            "PGUSER": NOBODY,
            "PGTZ": "UTC",
            "LC_ALL": "C.UTF-8",
        }
        done = subprocess.run(
            command, input=stdin.encode() if stdin else None, capture_output=True, env=env, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def sql(self, text: str, database: str = "site") -> str:
        """What psql prints, without headings; a NULL as `<null>`, columns and rows set apart by control characters."""
        options = ["-qAtX", "-v", "ON_ERROR_STOP=1", "-P", "null=<null>", "-R", "\x1e", "-F", "\x1f", "-d", database]
        return self.run("psql", *options, stdin=text).decode()

    def rows(self, text: str, database: str = "site") -> list[tuple[bytes | None, ...]]:
        found = self.sql(text, database).removesuffix("\n")
        rows = [row.split("\x1f") for row in found.split("\x1e")] if found else []
        return [tuple(None if v == "<null>" else v.encode() for v in row) for row in rows]


def as_nobody() -> list[str]:
    """The server refuses to run as root."""
    return ["setpriv", "--reuid", NOBODY, "--regid", "nogroup", "--clear-groups"] if os.geteuid() == 0 else []


@contextmanager
def running() -> Iterator[Server]:
    """A server with its data in a folder of its own, gone at the end."""
    bin_folder = programs()
    assert bin_folder is not None
    home = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path must be short
    try:
        if os.geteuid() == 0:
            os.chown(home, pwd.getpwnam(NOBODY).pw_uid, -1)
        server = Server(home, bin_folder)
        server.run("initdb", "-D", f"{home}/data", "-U", NOBODY, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {home} -c listen_addresses='' -c fsync=off -c timezone=UTC -c shared_buffers=16MB"
        server.run("pg_ctl", "-D", f"{home}/data", "-l", f"{home}/log", "-o", options, "-w", "start")
        try:
            server.run("createdb", "site")
            yield server
        finally:
            server.run("pg_ctl", "-D", f"{home}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
