"""Every parser that reads what comes from outside, each as a function that takes any bytes.

It returns, or raises an error of ours: then a person is told why. Anything else is a finding.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pyrage

from casewright.extract.mapping import read_mapping
from casewright.kernels.blocks import parse_block
from casewright.kernels.undo import parse_undo
from casewright.link.deconflict.message import _opened, _parsed
from casewright.refer.check import contents_problems
from casewright.refer.receipt_form import read_form
from casewright.refer.verify import verify_package
from casewright.vault.ledger import Ledger
from tests.fuzz.received import RECEIVED, export
from tests.fuzz.stages import File, Rows, Through
from tests.fuzz.trying import Target

CORPUS = Path(__file__).with_name("corpus")
MAPPING = (CORPUS / "mapping" / "market.toml").read_bytes()
IBD = (CORPUS / "innodb" / "users.ibd").read_bytes()
RULES = File(role="mapping", content=MAPPING)
FRM = File(
    path=b"var/users.frm", mime="application/octet-stream", content=(CORPUS / "innodb-frm" / "users.frm").read_bytes()
)


def _stage(name: str, *files: File, more: Rows | None = None) -> Target:
    return Through(name, files, more)


def _database(mime: str) -> Target:
    return _stage("accounts", File(path=b"var/dump.sql", mime=mime), RULES)


def _log(mime: str, form: str) -> Target:
    records = {"record_files": [{"item": "item-0", "form": form}]}
    return _stage(
        "log_events", File(path=b"var/log/x.log", mime=mime), File(role="mapping", content=MAPPING), more=records
    )


def _wallet(path: bytes, mime: str) -> Target:
    return _stage("wallets", File(path=path, mime=mime), more={"exhibits": [{"exhibit": "0" * 64, "role": "seizure"}]})


def _ledger(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "ledger.jsonl").write_bytes(raw)
        Ledger(Path(folder), "E").events()


def _package(name: str) -> Target:
    """A package of which one file is anything, and whose manifests say so."""

    def check(raw: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "NL" / "data"
            data.mkdir(parents=True)
            for file in (CORPUS / "package").iterdir():
                (data / file.name).write_bytes(raw if file.name == name else file.read_bytes())
            list(contents_problems(data))
            (data.parent / "manifest-sha256.txt").write_bytes(raw)
            list(verify_package(data.parent, None))

    return check


_IDENTITY = pyrage.x25519.Identity.generate()


def _message(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "setup.age"
        path.write_bytes(pyrage.encrypt(raw, [_IDENTITY.to_public()]))
        header, _, _ = _opened(path, _IDENTITY)
        _parsed(header, path)


def _message_header(raw: bytes) -> None:
    _parsed(raw, Path("setup.age"))


TARGETS: Mapping[str, Target] = {
    "dump-mysql": _database("text/x-sql-dump"),
    "dump-postgres": _database("text/x-sql-dump"),
    "dump-postgres-archive": _database("application/x-postgresql-dump"),
    "sqlite": _database("application/vnd.sqlite3"),
    "innodb": _stage("accounts", File(path=b"var/users.ibd", mime="application/x-innodb-tablespace"), FRM, RULES),
    "innodb-frm": _stage(
        "accounts",
        File(path=b"var/users.ibd", mime="application/x-innodb-tablespace", content=IBD),
        File(path=b"var/users.frm", mime="application/octet-stream"),
        RULES,
    ),
    "log-access": _log("text/x-access-log", "access log"),
    "log-json": _log("text/x-access-log+json", "JSON access log"),
    "log-system": _log("text/x-syslog", "system log"),
    "log-error": _log("text/x-error-log", "error log"),
    "wallet-core": _wallet(b"wallet.dat", "application/x-berkeley-db"),
    "wallet-core-sqlite": _wallet(b"wallet.dat", "application/vnd.sqlite3"),
    "wallet-electrum": _wallet(b"default_wallet", "application/x-electrum-wallet"),
    "archive": _stage("items", File(role="seizure", path=b"a")),
    "picture": _stage("media", File(path=b"p", mime="image/jpeg")),
    "traces": _stage("traces", File(path=b"p", mime="image/jpeg")),
    "selectors": _stage("selectors", File(path=b"x.txt", mime="text/plain")),
    "tagpack": _stage("tags", File(role="tags", path=b"x.yaml")),
    "tag-list": _stage("tags", File(role="tags", path=b"x.csv")),
    "list-vics": _stage("lists", File(role="list", path=b"x.json")),
    "list-csv": _stage("lists", File(role="list", path=b"x.csv")),
    "blocks": export(""),
    "block": lambda raw: void(parse_block(raw, 0x207FFFFF)),
    "undo": lambda raw: void(parse_undo(raw)),
    "export-csv": export("transactions.csv"),
    "export-json": export("transactions.json"),
    "returns": _stage("returns", File(role="return", path=b"r.csv")),
    "returns-json": _stage("returns", File(role="return", path=b"r.json")),
    "prior": _stage("persons", File(role="prior", path=b"p.csv")),
    "service-book": _stage("service_book", File(role="services", path=b"s.csv")),
    "not-locating": _stage("not_locating", File(role="not locating", path=b"n.csv")),
    "mapping": lambda raw: void(read_mapping(raw, "x")),
    "receipt": lambda raw: void(read_form(raw)),
    "ledger": _ledger,
    "package": _package("figures.csv"),
    "package-graph": _package("case.jsonld"),
    "message": _message,
    "message-header": _message_header,
    **RECEIVED,
}


BESIDE = ("package", "package-one", "package-graph", "notice", "export-parts")
"""Folders of the corpus that several targets share, or that hold what stands beside the file that is tried."""


def void(_: object) -> None:
    """A parser's result is no matter here."""


def seeds_of(name: str) -> list[bytes]:
    """The corpus of a target: small files of ours, and what was found with it."""
    folder = CORPUS / {"package": "package-one", "package-graph": "package-graph"}.get(name, name)
    return [path.read_bytes() for path in sorted(folder.iterdir())]
