"""The market's database as `mariadb-dump` writes it, row by row: a million members, their addresses, what was paid in,
sign-ins, uploads, downloads, messages.

`dump_frame.sql` is what MariaDB 10.11 wrote of the small demo's database, without its rows; a test has a server load
ours, and write the same again. How rows are cut into statements is that program's rule (`client/mysqldump.c`), with its
own `--net-buffer-length`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

from casewright.demo.bookings import Booked
from casewright.demo.media import MediaFile
from casewright.demo.operation import CLOSED, OPENED, Operation
from casewright.demo.wtv import members
from casewright.demo.wtv.size import DOWNLOADS, MESSAGES, VISITS, Size
from casewright.model.bitcoin import in_coins

STATEMENT = 1022 << 10
"""Bytes of a statement: what the program takes for `--net-buffer-length` when it is not told."""
ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", '"': '\\"', "\0": "\\0", "\n": "\\n", "\r": "\\r", "\x1a": "\\Z"})
UNTIL = (CLOSED - OPENED) // timedelta(seconds=1)
TEXTS = ("Is the scan of the blue vase complete?", "It's sold; \"no\" returns.", "a,b),(c;d -- not a comment",
         "see /* the catalogue */ p. 4\nand p. 5", "Ünïcödé ✓ 花瓶 🏺", "back\\slash \\' and tab\t.")  # fmt: skip
Counts = dict[str, int]


def write_dump(
    path: Path, operation: Operation, size: Size, sample: Sequence[MediaFile], booked: Sequence[Booked],
    tick: Callable[[int], None],
) -> Counts:  # fmt: skip
    """The dump; returns how many rows each table has."""
    tables: dict[str, Callable[[], Iterator[str]]] = {
        "deposit_wallets": lambda: _wallets(size), "downloads": lambda: _downloads(operation, size, sample),
        "login_history": lambda: _sign_ins(operation, size), "messages": lambda: _messages(size),
        "settings": _settings, "topups": lambda: _topups(booked),
        "uploads": lambda: _uploads(operation, size, sample), "users": lambda: _users(size),
    }  # fmt: skip
    counts = {
        "deposit_wallets": size.accounts, "downloads": size.of(DOWNLOADS), "settings": 3, "topups": len(booked),
        "login_history": size.of(VISITS) + len(operation.logins), "messages": size.of(MESSAGES),
        "uploads": size.videos + size.pictures, "users": size.accounts,
    }  # fmt: skip
    frame = (files("casewright.demo.wtv") / "dump_frame.sql").read_text("ascii")
    table, done = "", 0
    with path.open("wb") as file:
        for line in frame.splitlines(keepends=True):
            if line.startswith("CREATE TABLE `"):
                table = line.split("`")[1]
            file.write((line % (counts[table] + 1) if "AUTO_INCREMENT=%d" in line else line).encode())
            if line.startswith("/*!40000") and "DISABLE KEYS" in line:
                done += _write_rows(file, table, tables[table](), done, tick)
    return counts


def _write_rows(file: BinaryIO, table: str, rows: Iterable[str], before: int, tick: Callable[[int], None]) -> int:
    """INSERT statements, each as long as the program makes them; returns how many rows there were."""
    insert = f"INSERT INTO `{table}` VALUES\n".encode()
    held: list[bytes] = []
    used = number = 0
    for row in rows:
        raw = row.encode()
        if held and used + len(raw) + 2 >= STATEMENT:
            file.write(insert + b",\n".join(held) + b";\n")
            held, used = [], 0
            tick(before + number)
        used += len(raw) + 2 if held else len(raw) + 2 + len(insert) + 4
        held.append(raw)
        number += 1
    if held:
        file.write(insert + b",\n".join(held) + b";\n")
    return number


def _text(text: str) -> str:
    return f"'{text.translate(ESCAPED)}'"


def _epoch(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())


def _wallets(size: Size) -> Iterator[str]:
    for n in range(1, size.accounts + 1):
        made = _epoch(members.joined(size, n)) + 2
        yield f"({n},{n},'{members.deposit_address(size, n)}',{made})"


def _users(size: Size) -> Iterator[str]:
    for n in range(1, size.accounts + 1):
        muted = "\x01" if n % 17 == 0 else "\\0"
        yield (f"({n},{_text(members.nick(n))},'{members.mail(n)}','$1${members.drawn(n, 6, 1 << 60):015x}',"
               f"'{members.joined(size, n)}','{members.address_on_the_net(n, 3)}','{muted}')")  # fmt: skip


def _sign_ins(operation: Operation, size: Size) -> Iterator[str]:
    """By time: of those who had joined by then, mostly from where they had joined; and of payers one each."""
    rest, count = size.accounts, size.of(VISITS)

    def others() -> Iterator[tuple[datetime, int, str]]:
        for k in range(count):
            at = OPENED + timedelta(seconds=86_400 + k * (UNTIL - 86_400) // count)
            there = min(rest, max(1, rest * (at - OPENED).days // members.JOINING_DAYS))
            who = members.drawn(k, 7, there) + 1
            yield at, who, members.address_on_the_net(who, 3 if k % 3 else 8 + k % 5)

    own = ((at, number, ip) for number, at, ip in operation.logins)
    for n, (at, who, ip) in enumerate(merge(others(), own), 1):
        yield f"({n},{who},'{at}','{ip}',{_text(members.agent(who))})"


def uploader(operation: Operation, number: int) -> int:
    """One payer in eight uploads; the first of them most."""
    some = operation.accounts[:: max(1, min(8, len(operation.accounts) // 8))]
    return some[min(members.drawn(number, 9, len(some)), members.drawn(number, 10, len(some)))].number


def sampled(size: Size, sample: Sequence[MediaFile]) -> dict[int, MediaFile]:
    """Which records of uploads have real bytes: every so many."""
    every = (size.videos + size.pictures) // len(sample)
    return {1 + n * every: file for n, file in enumerate(sample)}


def _path(number: int, of: dict[int, MediaFile]) -> str:
    """Where the site keeps what was uploaded under a number; every third is a film."""
    if number in of:
        return "/" + of[number].path
    name = hashlib.sha256(b"wtv %d" % number).hexdigest()[:12]
    return f"/media/{number % 16:02}/{name}.{'jpg' if number % 3 else 'mp4'}"


def _uploads(operation: Operation, size: Size, sample: Sequence[MediaFile]) -> Iterator[str]:
    """The site noted SHA-256 and MD5, but forgot the first for every seventh file."""
    of, count = sampled(size, sample), size.videos + size.pictures
    for n in range(1, count + 1):
        record = hashlib.sha256(b"record %d" % n).hexdigest()
        sha, md5 = (of[n].sha256, of[n].md5) if n in of else (record, record[16:48])
        who = uploader(operation, n)
        at = members.joined(size, who) + (CLOSED - members.joined(size, who)) * n // (count + 1)
        yield (f"({n},{who},'{_path(n, of)}',{_quoted(sha, n)},'{md5}','Scan no. {n}','{at.replace(microsecond=0)}',"
               f"'{members.address_on_the_net(who, 3)}')")  # fmt: skip


def _quoted(sha: str, number: int) -> str:
    return f"'{sha}'" if number % 7 else "NULL"


def _downloads(operation: Operation, size: Size, sample: Sequence[MediaFile]) -> Iterator[str]:
    """Payers take what is there."""
    of, uploads, count = sampled(size, sample), size.videos + size.pictures, size.of(DOWNLOADS)
    begin, end = _epoch(OPENED), _epoch(CLOSED)
    for n in range(1, count + 1):
        who = operation.accounts[members.drawn(n, 11, len(operation.accounts))].number
        what = members.drawn(n, 12, uploads) + 1
        since = max(begin, _epoch(members.joined(size, who)))
        at = since + (end - since) * n // (count + 1)
        yield f"({n},{who},{what},'{_path(what, of)}',{at},'{members.address_on_the_net(who, 3)}')"


def _topups(booked: Sequence[Booked]) -> Iterator[str]:
    for n, b in enumerate(booked, 1):
        txid = f"'{b.txid}'" if b.txid else "NULL"
        yield f"({n},{b.account},{in_coins(b.sats)},{txid},{_epoch(b.at)},{_text(b.remark)})"


def _messages(size: Size) -> Iterator[str]:
    for n in range(1, size.of(MESSAGES) + 1):
        sender, reader = (members.drawn(n, salt, size.accounts) + 1 for salt in (13, 14))
        at = max(members.joined(size, sender), members.joined(size, reader)) + timedelta(hours=n % 97)
        yield f"({n},{sender},{reader},{_text(TEXTS[n % len(TEXTS)])},NULL,'{at}')"


def _settings() -> Iterator[str]:
    yield "('fee_percent','4')"
    yield f"('motto',{_text('Old things, new walls; it is art')})"
    yield "('site_name','Glasshouse')"
