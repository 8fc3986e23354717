"""A real MariaDB on a socket, for tests that hold our reading of its dumps against the server itself."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("mariadbd", "mariadb", "mariadb-dump", "mariadb-install-db")


def installed() -> bool:
    return all(map(shutil.which, PROGRAMS))


@contextmanager
def running(home: Path) -> Iterator[list[str]]:
    """The client's command for a server that keeps its data in this folder."""
    install = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={home}/data",
               "--auth-root-authentication-method=normal"]  # fmt: skip
    subprocess.run(install, check=True, capture_output=True)
    start = ["mariadbd", "--no-defaults", "--user=root", f"--datadir={home}/data", "--skip-networking",
             f"--socket={home}/s", f"--pid-file={home}/pid"]  # fmt: skip
    process = subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-S", f"{home}/s", "-uroot"]
    try:
        for _ in range(100):
            if subprocess.run([*client, "-e", "SELECT 1"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.2)
        yield client
    finally:
        process.terminate()
        process.wait()
