"""Writing the large operation: the server's files, the chain, what comes on paper, and the truth.

It is written part by part, each from the seed; what was finished is noted in `made.json`, so that Ctrl-C, or a kill,
costs the part that was being written and no other.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from casewright.demo.bookings import bookings
from casewright.demo.chain import ChainTruth
from casewright.demo.media import MediaFile
from casewright.demo.operation import FLAGS, Operation
from casewright.demo.papers import write_papers
from casewright.demo.seizure_disk import MADE
from casewright.demo.seizure_list import build_list
from casewright.demo.truth import money_truth
from casewright.demo.wtv import members
from casewright.demo.wtv.chain import read_truth, write_chain
from casewright.demo.wtv.dump import write_dump
from casewright.demo.wtv.logs import write_logs
from casewright.demo.wtv.media import build_sample, states
from casewright.demo.wtv.money import DAYS
from casewright.demo.wtv.size import ACCESS_LINES, DOWNLOADS, MESSAGES, SIGN_IN_LINES, VISITS, Size
from casewright.demo.wtv.told import build
from casewright.demo.wtv.wallet import electrum_wallet
from casewright.model.errors import UsageError

SERVER, NOTES, BATCH = "server", "made.json", 50_000
Watch = Callable[[str, int, int], None]
"""Is told which part is being written, how much of it is done, and how much there is."""


@dataclass
class Making:
    """The parts of one operation in a folder. What later parts need of earlier ones is read from what those wrote."""

    folder: Path
    size: Size
    watch: Watch

    @cached_property
    def operation(self) -> Operation:
        return build(self.size)

    @cached_property
    def chain(self) -> tuple[ChainTruth, int]:
        return read_truth(self.operation, self.folder / "truth" / "chain.json")

    @cached_property
    def sample(self) -> tuple[Sequence[MediaFile], dict[str, bytes]]:
        count = self.size.sample_pictures + self.size.sample_films
        sample, listed = build_sample(self.size, lambda n: self.watch("media", n, count))
        return sample, dict(listed)

    def make_chain(self) -> dict[str, Any]:
        (self.folder / "truth").mkdir(parents=True, exist_ok=True)
        tick = lambda n: self.watch("chain", n, DAYS)  # noqa: E731
        write_chain(self.operation, self.size, self.folder / "bitcoin", self.folder / "truth" / "chain.json", tick)
        return {}

    def make_media(self) -> dict[str, Any]:
        """Real bytes of the sample, the list, and what is true of both."""
        sample, listed = self.sample
        for file in sample:
            self._put("var/www/glasshouse/" + file.path, file.content)
        knowns, prints = build_list(listed)
        (self.folder / "knowns.vics.json").write_bytes(knowns)
        return {"media": states(sample, listed, prints)}

    def make_database(self) -> dict[str, Any]:
        chain, _ = self.chain
        booked, _ = bookings(chain.paid, chain.ends)
        path = self.folder / SERVER / "var/backups/glasshouse.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        total = sum(map(self.size.of, (DOWNLOADS, VISITS, MESSAGES))) + 2 * self.size.accounts + len(booked)
        total += self.size.videos + self.size.pictures
        counts = write_dump(
            path, self.operation, self.size, self.sample[0], booked, lambda n: self.watch("database", n, total)
        )
        os.utime(path, (MADE, MADE))
        return {"dump_rows": counts}

    def make_logs(self) -> dict[str, Any]:
        total = self.size.of(ACCESS_LINES) + self.size.of(SIGN_IN_LINES)
        folder = self.folder / SERVER / "var/log"
        return dict(write_logs(folder, self.operation, self.size, lambda n: self.watch("logs", n, total)))

    def make_papers(self) -> dict[str, Any]:
        """Tags, customer records, earlier cases; the operator's wallet."""
        truth, _ = self.chain
        self.watch("papers", 0, 1)
        write_papers(self.operation, truth, self.folder)
        deposits = frozenset(a.deposit_address for a in self.operation.accounts)
        self._put("home/keeper/.electrum/wallets/default_wallet", electrum_wallet(truth.owners, "Glasshouse", deposits))
        self._put("etc/timezone", b"Europe/Amsterdam\n")
        return {}

    def make_truth(self) -> dict[str, Any]:
        """Accounts and owners as tables, for they are many; the rest is `truth.json`."""
        self.watch("truth", 0, 1)
        truth, transactions = self.chain
        owners = list(truth.owners.items())
        pq.write_table(pa.table({"address": [a for a, _ in owners], "owner": [o for _, o in owners]}),
                       self.folder / "truth" / "owners.parquet")  # fmt: skip
        with pq.ParquetWriter(self.folder / "truth" / "accounts.parquet", ACCOUNT) as writer:
            for rows in _accounts(self.size):
                writer.write_table(rows)
        flagged = str(self.operation.accounts[len(self.operation.accounts) // 2].number)
        return {"transactions": transactions, "flags": [[flagged, *FLAGS[0][1:]]],
                **money_truth(self.operation, truth)}  # fmt: skip

    def _put(self, path: str, content: bytes) -> None:
        at = self.folder / SERVER / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(content)
        os.utime(at, (MADE, MADE))


PARTS = ("chain", "media", "database", "logs", "papers", "truth")
ACCOUNT = pa.schema([("native", pa.string()), ("username", pa.string()), ("address", pa.string())])


def _accounts(size: Size) -> Iterator[pa.Table]:
    for start in range(1, size.accounts + 1, BATCH):
        numbers = range(start, min(start + BATCH, size.accounts + 1))
        columns = ([str(n) for n in numbers], [members.nick(n) for n in numbers],
                   [members.deposit_address(size, n) for n in numbers])  # fmt: skip
        yield pa.table(list(columns), schema=ACCOUNT)


def build_wtv(folder: Path, size: Size, watch: Watch = lambda part, done, total: None) -> dict[str, Any]:
    """Write everything below `folder` and return the truth. Parts that an earlier run finished stay as they are, and so
    does the number of transactions that it chose."""
    notes = folder / NOTES
    made = json.loads(notes.read_text("utf-8")) if notes.is_file() else {"size": asdict(size), "parts": {}}
    if made["size"]["part"] != size.part:
        raise UsageError(f"{folder} holds another size of the operation. Choose a folder that is not there yet.")
    making = Making(folder, Size(**made["size"]), watch)
    folder.mkdir(parents=True, exist_ok=True)
    for name in PARTS:
        if name not in made["parts"]:
            made["parts"][name] = getattr(making, f"make_{name}")()
            _note(notes, made)
    found = {key: value for part in made["parts"].values() for key, value in part.items()}
    disk = {key: found[key] for key in ("dump_rows", "log_lines", "log_lines_broken")}
    return {"size": made["size"], **found, "disk": disk}


def _note(path: Path, made: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(made, ensure_ascii=False) + "\n", "utf-8")
    fresh.replace(path)


def forget(folder: Path) -> None:
    """Take away what was written, when it is sealed and its room is needed."""
    for name in (SERVER, "bitcoin"):
        shutil.rmtree(folder / name, ignore_errors=True)
