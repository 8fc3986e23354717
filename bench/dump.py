"""Dumps and accounts: the reader of MySQL dumps against its peers, and a site of full size through the command line.

uv run python bench/dump.py [--quick] [--folder FOLDER]
"""

import argparse
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from claims import Claim, claims_option
from figures import Line, Table, peak, place, race

from casewright.extract.reader import Rows
from casewright.extract.readers.mysql import read_mysql
from casewright.extract.readers.mysql_rows import DumpReader, Row
from casewright.model.bitcoin import base58check_encode

MIB = 1 << 20
VALUE = re.compile(rb"'(?:[^'\\]|\\.|'')*'|[^,()']+|[(),]")
MAPPING = """format = 1
[accounts]
table = "members"
native = "id"
username = "nick"
email = "mail"
registered_at = "joined"
registered_ip = "ip"
[deposit_addresses]
table = "wallets"
account = "member"
address = "address"
created_at = "made"
"""


def main() -> None:
    options = argparse.ArgumentParser(description="MySQL dumps, side by side")
    options.add_argument("--quick", action="store_true", help="64 MB and 50,000 accounts")
    options.add_argument("--folder", type=Path, help="where the evidence is made and kept")
    claims_option(options)
    chosen = options.parse_args()
    with place(chosen.folder) as folder, place(None) as scratch:
        table = Table("dump")
        readers(table, folder, 64 if chosen.quick else 1024)
        site(table, folder, scratch, 50_000 if chosen.quick else 1_300_000)
    print("\n" + table.markdown())
    table.end(chosen.claims)


def posts(size: int) -> Iterator[bytes]:
    """A forum's posts as mariadb-dump writes them, until so many bytes are reached."""
    dice = np.random.default_rng(7)
    words = [b"vase", b"o\\'hara", b"scan", b"line\\nbreak", b'"quoted"', b"museum", "Αθήνα".encode(), b"p" * 60]
    yield (b"-- MariaDB dump 10.19\nCREATE TABLE `posts` (\n  `id` int NOT NULL,\n  `author` int,\n  `made` datetime,\n"
           b"  `body` text,\n  `sum` binary(16),\n  PRIMARY KEY (`id`)\n);\n")  # fmt: skip
    number = done = 0
    while done < size:
        rows = []
        for picks in dice.integers(0, len(words), (4000, 12)).tolist():
            number += 1
            body = b" ".join([words[pick] for pick in picks])
            digest = b"0x%032x" % number if number % 3 else b"NULL"
            rows.append(b"(%d,%d,'2018-07-02 03:04:05','%s',%s)" % (number, number % 977, body, digest))
        statement = b"INSERT INTO `posts` VALUES " + b",".join(rows) + b";\n"
        done += len(statement)
        yield statement


def readers(table: Table, folder: Path, megabytes: int) -> None:
    path = folder / f"posts-{megabytes}.sql"
    if not path.exists():
        with path.open("wb") as file:
            file.writelines(posts(megabytes * MIB))
    with path.open("rb") as file:
        head = file.read(8 * MIB)
    head = head[: head.rindex(b"),(") + 1] + b";\n"
    peers = {
        "our slow reader, a pattern a value": ("rows-slow", head, partial(slow, head)),
        "a bare tokenizer of one pattern": ("rows-pattern", head, lambda: sum(1 for _ in VALUE.finditer(head))),
    }
    size = path.stat().st_size
    table.must_agree("rows", {"slow": slow(head), "fast": fast(io.BytesIO(head))})
    mine = race({"ours": lambda: fast(path.open("rb"))}, 1)[0]["ours"]
    table.claims.append(Claim("rows", size / 1e6 / mine.cpu, "MB/s", f"{size / 1e6:,.0f} MB"))
    peers |= sqlglot_of(head[: head.rindex(b"),(", 0, MIB // 4) + 1] + b";\n")
    for name, (key, raw, work) in peers.items():
        took = race({"it": work}, 1)[0]["it"]
        what, cut = f"rows of a dump of {size / 1e6:,.0f} MB, to Arrow", len(raw) / 1e6
        figures = (size / 1e6 / mine.wall, size / 1e6 / mine.cpu, cut / took.wall, cut / took.cpu)
        table.add(Line("dump", what, name, "MB/s", *figures), key)
    table.add(Line("dump", "peak of memory, all readers", "", "", 0, 0, note=f"{peak() >> 20} MiB"))
    table.claims.append(Claim("memory", peak() / 1e9, "GB", f"all readers, {size / 1e6:,.0f} MB"))


def slow(raw: bytes) -> int:
    return sum(isinstance(piece, Row) for piece in DumpReader(io.BytesIO(raw)).pieces())


def fast(file: io.IOBase) -> int:
    with file:
        return sum(len(piece) for piece in read_mysql(file) if isinstance(piece, Rows))  # type: ignore[arg-type]


def sqlglot_of(head: bytes) -> dict[str, tuple[str, bytes, object]]:
    """sqlglot's tokenizer, where it is installed: uv run --with sqlglot."""
    try:
        import sqlglot  # noqa: PLC0415
    except ImportError:
        return {}
    text = head.decode("utf-8", "replace")
    return {"sqlglot's tokenizer": ("rows-sqlglot", head, partial(sqlglot.tokenize, text, read="mysql"))}


def members(count: int) -> Iterator[bytes]:
    """A site's accounts, each with its address: invented, never used."""
    dice = np.random.default_rng(11)
    yield (b"-- MariaDB dump 10.19\n/*!40103 SET TIME_ZONE='+00:00' */;\n"
           b"CREATE TABLE `members` (\n  `id` int NOT NULL,\n  `nick` varchar(64),\n  `mail` varchar(90),\n"
           b"  `joined` datetime,\n  `ip` varchar(45),\n  PRIMARY KEY (`id`)\n);\n")  # fmt: skip
    numbers = iter(range(1, count + 1))
    while batch := list(islice(numbers, 5000)):
        rows = [b"(%d,'nick%d','nick%d@museum.example','2018-%02d-%02d %02d:04:05','192.0.2.%d')"
                % (n, n, n, n % 12 + 1, n % 28 + 1, n % 24, n % 250) for n in batch]  # fmt: skip
        yield b"INSERT INTO `members` VALUES " + b",".join(rows) + b";\n"
    yield b"CREATE TABLE `wallets` (\n  `member` int,\n  `address` varchar(90),\n  `made` int\n);\n"
    numbers = iter(range(1, count + 1))
    while batch := list(islice(numbers, 5000)):
        made = [base58check_encode(b"\0" + dice.bytes(20)).encode() for _ in batch]
        rows = [b"(%d,'%s',%d)" % (n, address, 1514862245 + n) for n, address in zip(batch, made, strict=True)]
        yield b"INSERT INTO `wallets` VALUES " + b",".join(rows) + b";\n"


def site(table: Table, folder: Path, scratch: Path, count: int) -> None:
    """From the dump to the tables `accounts` and `deposit_addresses`, each verb a program of its own."""
    path, case = folder / f"members-{count}.sql", scratch / "case"
    if not path.exists():
        with path.open("wb") as file:
            file.writelines(members(count))
    (scratch / "mapping.toml").write_text(MAPPING, "utf-8")
    os.environ["CASEWRIGHT_HOME"] = str(scratch / "home")
    verbs = [["new", str(case), "--title", "T", "--agency", "A", "--examiner", "E"], ["intake", str(case), str(path)],
             ["extract", str(case), "--mapping", str(scratch / "mapping.toml")]]  # fmt: skip
    for verb in verbs:
        began, at = time.perf_counter(), time.time()
        done = subprocess.run(
            [Path(sys.executable).with_name("casewright"), *verb], capture_output=True, text=True, check=False
        )
        wall = time.perf_counter() - began
        if done.returncode not in (0, 3):
            raise SystemExit(done.stdout + done.stderr)
        what = f"{verb[0]}, {count:,} accounts and addresses, {path.stat().st_size / 1e6:,.0f} MB"
        table.add(Line("site", what, "", "", 0, 0, note=f"{wall:.1f} s of wall time"))
    stand = (case / "tables" / "deposit_addresses" / "run.json").stat().st_mtime - at
    table.claims.append(Claim("site", stand, "s", f"{count:,} accounts, until both tables stand"))


if __name__ == "__main__":
    main()
