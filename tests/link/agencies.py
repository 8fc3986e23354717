"""Agencies for tests: each with a home and a real case of its own, made by the command line from a small dump."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from casewright.model.bitcoin import segwit_encode
from tests.command import in_process

DUMP = """SET NAMES utf8mb4;
CREATE TABLE `users` (`uid` int, `nick` varchar(80), `mail` varchar(200), `addr` varchar(90), PRIMARY KEY (`uid`))
 ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO `users` VALUES {rows};
"""
MAPPING = """format = 1
[accounts]
table = "users"
native = "uid"
username = "nick"
email = "mail"
[deposit_addresses]
table = "users"
account = "uid"
address = "addr"
"""
User = tuple[str, str]
"""A user's name and email."""


def address(number: int) -> str:
    """An invented address, another one for each number."""
    return segwit_encode("bc", 0, number.to_bytes(20, "big"))


@dataclass(frozen=True)
class Agency:
    """A case with its home; the files that it hands over lie in `desk`."""

    name: str
    desk: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def case(self) -> Path:
        return self.desk / "case"

    @property
    def card(self) -> Path:
        return self.desk / "card.toml"

    def run(self, *arguments: str) -> int:
        """The exit code of a command that this agency gives."""
        self.monkeypatch.setenv("CASEWRIGHT_HOME", str(self.desk / "home"))
        return in_process(*arguments)

    def deconflict(self, step: str, peer: "Agency", *more: str | Path, out: str = "") -> int:
        written = ["--out", str(self.desk / out), "--authority", f"order 7 of {self.name}"] if out else []
        return self.run("deconflict", step, str(self.case), *map(str, more), "--peer", str(peer.card), *written,
                        "--on", "inline")  # fmt: skip

    def told(self) -> list[dict[str, Any]]:
        """What the ledger says of exchanges."""
        lines = (self.case / "ledger.jsonl").read_text("utf-8").splitlines()
        return [e["data"] for e in map(json.loads, lines) if e["kind"] == "deconfliction"]


def agency(
    folder: Path, name: str, reference: str, users: Sequence[User], monkeypatch: pytest.MonkeyPatch, first: int = 1
) -> Agency:
    """An agency whose seized service has these users, with deposit addresses numbered from `first`."""
    made = Agency(name, folder / name.replace(" ", "-"), monkeypatch)
    seized = made.desk / "seized"
    seized.mkdir(parents=True)
    rows = ",".join(f"({n},'{nick}','{mail}','{address(n)}')" for n, (nick, mail) in enumerate(users, first))
    (seized / "site.sql").write_text(DUMP.format(rows=rows), "utf-8")
    (made.desk / "mapping.toml").write_text(MAPPING, "utf-8")
    assert made.run("new", str(made.case), "--title", f"Case of {name}", "--agency", name, "--examiner", "E",
                    "--reference", reference) == 0  # fmt: skip
    settings = made.case / "case.toml"
    settings.write_text(settings.read_text("utf-8").replace('service = ""', 'service = "Glasshouse"'), "utf-8")
    assert made.run("intake", str(made.case), str(seized), "--on", "inline") == 0
    assert made.run("extract", str(made.case), "--mapping", str(made.desk / "mapping.toml"), "--on", "inline") == 0
    assert made.run("deconflict", "card", str(made.case), "--out", str(made.card)) == 0
    return made
