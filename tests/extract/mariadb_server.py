"""A real MariaDB on a socket, for tests that hold our reading of dumps and tablespaces against the server itself."""

import io
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from casewright.extract.reader import Rows
from casewright.extract.readers.mysql import read_mysql

PROGRAMS = ("mariadbd", "mariadb", "mariadb-dump", "mariadb-install-db")
Row = dict[str, bytes | None]


class Server:
    """A running server with a database called `site`."""

    def __init__(self, home: Path) -> None:
        self.home, self.data = home, home / "data"
        self.options = ["--no-defaults", "--default-character-set=utf8mb4", "-S", f"{home}/s", "-uroot"]

    def sql(self, text: str) -> str:
        """What the client prints, without headings."""
        command = ["mariadb", *self.options, "-BN", "site"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def dumped(self, table: str) -> list[Row]:
        """The table's rows as its dump program writes them and our reader of dumps reads them."""
        command = ["mariadb-dump", *self.options, "--hex-blob", "--complete-insert", "site", table]
        raw = subprocess.run(command, check=True, capture_output=True).stdout
        pieces = read_mysql(io.BytesIO(raw))
        return [dict(zip(p.columns, v, strict=True)) for p in pieces if isinstance(p, Rows) for v, *_ in p.each()]

    def copied(self, table: str, folder: Path) -> Path:
        """The table's files, copied while the server keeps still; gives the tablespace."""
        lines = f"FLUSH TABLES `{table}` FOR EXPORT;\nsystem cp {self.data}/site/{table}* {folder}\nUNLOCK TABLES;\n"
        self.sql(lines)
        return folder / f"{table}.ibd"

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Someone looks at the database as it is now, so that what is deleted meanwhile can't be purged."""
        command = ["mariadb", *self.options, "-BN", "--unbuffered", "site"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write(b"START TRANSACTION WITH CONSISTENT SNAPSHOT; SELECT 1;\n")
            client.stdin.flush()
            assert client.stdout.readline() == b"1\n"
            yield
            client.stdin.close()


def is_there() -> bool:
    return all(map(shutil.which, PROGRAMS))


@contextmanager
def running(home: Path, install: Sequence[str] = (), options: Sequence[str] = ()) -> Iterator[Server]:
    """A server with its data below a folder; `install`: what the data are made with, too."""
    made = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={home}/data",
            "--auth-root-authentication-method=normal", *install]  # fmt: skip
    env = {**os.environ, "TMPDIR": str(home)}  # servers that start at the same time meet in a folder that they share
    done = subprocess.run(made, capture_output=True, check=False, env=env)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    start = ["mariadbd", "--no-defaults", "--user=root", f"--datadir={home}/data", "--skip-networking",
             f"--socket={home}/s", f"--pid-file={home}/pid", *install, *options]  # fmt: skip
    process = subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    create = "CREATE DATABASE site CHARACTER SET utf8mb4"
    client = ["mariadb", "--no-defaults", "-S", f"{home}/s", "-uroot", "-e", create]
    for _ in range(900):
        if subprocess.run(client, capture_output=True, check=False).returncode == 0:
            break
        time.sleep(0.2)
    try:
        yield Server(home)
    finally:
        process.terminate()
        process.wait()
