"""Logs: the readers of access logs and of syslog against a bare pattern and, where it is installed, GoAccess.

uv run python bench/logs.py [--quick] [--folder FOLDER]
"""

import argparse
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from claims import claims_option
from figures import Line, Table, peak, place, race

from casewright.extract.formats import LOG_READERS
from casewright.extract.log import Given, Quiet
from casewright.extract.log_rules import Application

MB = 1_000_000
FROM = datetime(2018, 1, 1)  # noqa: DTZ001  naive UTC
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
BARE = re.compile(rb'(\S+) \S+ (\S+) \[([^\]]+)\] "([^"]*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"')
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0", "curl/7.64.0",
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0")  # fmt: skip
PATTERN = Application(
    ("*",), r"(?P<time>\S+ \S+) (?P<action>\w+) (?P<user>\S+) from (?P<ip>\S+)", means={"in": "login"}
)


def main() -> None:
    options = argparse.ArgumentParser(description="Logs, side by side")
    options.add_argument("--quick", action="store_true", help="50 MB of each instead of 500")
    options.add_argument("--folder", type=Path, help="where the logs are made and kept")
    claims_option(options)
    chosen = options.parse_args()
    with place(chosen.folder) as folder:
        table, size = Table("logs"), (50 if chosen.quick else 500) * MB
        for name, line in LINES.items():
            measure(table, name, written(folder / f"{name.replace(' ', '-')}-{size // MB}.log", line, size))
        print(f"\n{table.markdown()}\npeak of memory, all readers: {peak() >> 20} MiB")
        table.end(chosen.claims)


def measure(table: Table, name: str, path: Path) -> None:
    """Lines a second, all lines accounted for."""
    sides: dict[str, Callable[[], int]] = {"ours": lambda: ours(name, path), "a loop over lines": lambda: loop(path)}
    if name == "access log":
        sides["one bare pattern a line"] = lambda: bare(path)
        if shutil.which("goaccess"):
            sides["GoAccess"] = lambda: goaccess(path)
    times, answers = race(sides, 3, warm=False)
    table.must_agree(name, answers)
    lines = answers["ours"]
    for peer in [side for side in sides if side != "ours"]:
        mine, other = times["ours"], times[peer]
        what = f"{name}, {lines:,} lines, {path.stat().st_size / MB:,.0f} MB"
        figures = (lines / mine.wall, lines / mine.cpu, lines / other.wall, lines / other.cpu)
        table.add(Line("logs", what, peer, "lines/s", *figures), f"{name.split(maxsplit=1)[0].lower()}-{KEYS[peer]}")


KEYS = {"a loop over lines": "loop", "one bare pattern a line": "pattern", "GoAccess": "goaccess"}


def ours(form: str, path: Path) -> int:
    given = Given("UTC", FROM + timedelta(days=400), None, (PATTERN,))
    with path.open("rb") as file:
        return sum(piece.lines if isinstance(piece, Quiet) else 1 for piece in LOG_READERS[form](file, given))


def loop(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def bare(path: Path) -> int:
    with path.open("rb") as file:
        return sum(BARE.match(line) is not None for line in file)


def goaccess(path: Path) -> int:
    report = path.with_suffix(".json")
    command = ["goaccess", str(path), "--log-format=COMBINED", "-o", str(report), "--no-progress"]
    subprocess.run(command, check=True, capture_output=True)
    return int(json.loads(report.read_bytes())["general"]["total_requests"])


def written(path: Path, line: Callable[[list[int], datetime], str], size: int) -> Path:
    """A log of this size, three lines a second, by one seed."""
    if not path.exists():
        with path.open("wb") as file:
            file.writelines(chunks(line, size))
    return path


def chunks(line: Callable[[list[int], datetime], str], size: int) -> Iterator[bytes]:
    dice, done, number = np.random.default_rng(7), 0, 0
    while done < size:
        picks = dice.integers(0, 1 << 20, (10_000, 6)).tolist()
        rows = [line(pick, FROM + timedelta(seconds=(number + n) // 3)) for n, pick in enumerate(picks)]
        number += len(rows)
        raw = "".join(rows).encode()
        done += len(raw)
        yield raw


def access(pick: list[int], at: datetime) -> str:
    """Every tenth request is a member's."""
    user = f"nick{pick[0] % 900}" if pick[1] % 10 == 0 else "-"
    stamp = f"{at.day:02}/{MONTHS[at.month - 1]}/{at:%Y:%H:%M:%S} +0100"
    return (f'192.0.2.{pick[2] % 250} - {user} [{stamp}] "GET /media/{pick[3]}.jpg?x={pick[4] % 99} HTTP/1.1" '
            f'{(200, 206, 304, 404)[pick[5] % 4]} {pick[4]} "https://museum.example/{pick[5] % 999}" '
            f'"{AGENTS[pick[0] % 3]}"\n')  # fmt: skip


def as_json(pick: list[int], at: datetime) -> str:
    return json.dumps({
        "time_iso8601": f"{at.isoformat()}+01:00", "remote_addr": f"192.0.2.{pick[2] % 250}",
        "remote_user": f"nick{pick[0] % 900}" if pick[1] % 10 == 0 else "", "status": 200,
        "request": f"GET /media/{pick[3]}.jpg?x={pick[4] % 99} HTTP/1.1", "http_user_agent": AGENTS[pick[0] % 3],
    }) + "\n"  # fmt: skip


def auth(pick: list[int], at: datetime) -> str:
    """What a server on the open net has: one sign-in in a thousand lines."""
    head = f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} vault sshd[{pick[0] % 30_000}]: "
    if pick[1] % 1000 == 0:
        return f"{head}Accepted publickey for root from 192.0.2.9 port {pick[2] % 60_000} ssh2: RSA SHA256:x\n"
    return f"{head}Failed password for invalid user u{pick[3]} from 203.0.113.{pick[4] % 250} port 4022 ssh2\n"


def application(pick: list[int], at: datetime) -> str:
    action = "in" if pick[1] % 10 == 0 else "looks"
    return f"{at:%Y-%m-%d %H:%M:%S} {action} nick{pick[0] % 900} from 192.0.2.{pick[2] % 250}\n"


LINES: dict[str, Callable[[list[int], datetime], str]] = {
    "access log": access, "JSON access log": as_json, "system log": auth, "application log": application,
}  # fmt: skip


if __name__ == "__main__":
    main()
