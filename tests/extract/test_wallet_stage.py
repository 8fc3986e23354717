"""Wallets as the engine reads them: in confinement, counted, down to their bytes, and without one private key."""

import io
import json
import shutil
import sqlite3
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casewright.cli.console import Voice
from casewright.cli.work import found_wallets, tell_wallets
from casewright.engine.query import Reader
from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.engine.why import Explainer
from casewright.evidence.sealed import STAGES as SEALED
from casewright.evidence.stages import STAGES as EVIDENCE
from casewright.extract.extended_keys import extended_key
from casewright.extract.stages import STAGES
from casewright.model.settings import CaseSettings, ChainSettings, ExtractSettings
from casewright.vault.case import Case, SourceFile
from tests.command import casewright
from tests.extract import wallet_files as files
from tests.extract.test_descriptors import LONG_WIF, MASTER, OTHER, SHORT_WIF, UPRV, ZPUB
from tests.extract.test_wallets import REAL, TRUTH

ELECTRUM = {"wallet_type": "standard", "seed_version": 17, "use_encryption": False, "addresses": {}, "labels": {},
            "keystore": {"type": "bip32", "seed": "tulip amber harbour slate " * 3, "xprv": UPRV,
                         "xpub": str(replace(extended_key(UPRV), secret=None))}}  # fmt: skip
BARE = {"wallet_type": "imported", "seed_version": 17, "keystore": {"keypairs": {"02" * 33: SHORT_WIF}},
        "addresses": {}}  # fmt: skip
SECRETS = (
    MASTER,
    OTHER,
    UPRV,
    LONG_WIF,
    SHORT_WIF,
    "tulip amber harbour slate",
    *(s for t in TRUTH.values() for s in t["secrets"]),
)
"""Private keys in the seizure below: as texts, and as their bytes in hex."""


def contents() -> dict[str, bytes]:
    return {
        **{f"node/{name}/wallet.dat": (REAL / f"{name}.dat").read_bytes() for name in TRUTH},
        "backup/again.dat": (REAL / "till.dat").read_bytes(),
        "shop/.electrum/default_wallet": json.dumps(ELECTRUM).encode(),
        "shop/.electrum/imported": json.dumps(BARE).encode()
        + b',\n{"op": "add", "path": "/keystore/'
        + SHORT_WIF.encode(),
        "shop/.electrum/locked": b"QklFMQ" + b"A" * 400,
        "shop/config.php": f"<?php $xpub = '{ZPUB}'; // account\n".encode(),
        "shop/copy.php": f"<?php $key = '{ZPUB}';\n".encode(),
        "shop/notes.txt": f"seed {MASTER}\nwpkh({MASTER}/0/*)\nold key {LONG_WIF}\nnew {SHORT_WIF}.\n".encode(),
        "shop/wide.txt": f"key {OTHER} for cash".encode("utf-16-le"),
        "rpm/nothing.txt": b"nothing here",
        "old.tar": archived("cut.dat", (REAL / "single.dat").read_bytes()[:-5000]),
    }


def archived(name: str, raw: bytes) -> bytes:
    file, info = io.BytesIO(), tarfile.TarInfo(name)
    info.size = len(raw)
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(info, io.BytesIO(raw))
    return file.getvalue()


@pytest.fixture(scope="module")
def seized(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A finished case with every kind of wallet: real ones, texts, copies, one in an archive and damaged."""
    root = tmp_path_factory.mktemp("wallets")
    for name, raw in contents().items():
        (root / "server" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "server" / name).write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEWRIGHT_HOME", str(root / "home"))
        made = Case.create(root / "case", CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example"))
        seal(made, root / "server")
        run(made, *(stage.name for stage in STAGES))
    return made


def seal(case: Case, folder: Path) -> None:
    """The folder as a seizure, in a case of the regression-test network with a gap of seven."""
    settings = replace(case.settings, chain=ChainSettings(network="regtest"), extract=ExtractSettings(wallet_gap=7))
    object.__setattr__(case, "settings", settings)
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    with case.writing():
        case.seal_settings()
        case.seal_source([SourceFile(folder / name, bytes(name)) for name in names], "seizure", folder.name)


def run(case: Case, *names: str) -> None:
    stages = (*SEALED, *EVIDENCE, *STAGES)
    runner = Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, stages, Inline())
    with case.writing():
        runner.run(names)


def rows(case: Case, sql: str) -> list[dict[str, Any]]:
    with Reader(case.tables) as reader:
        return reader.rows(sql)


def test_every_wallet_of_a_seizure_is_found_once(seized: Case) -> None:
    found = rows(seized, "SELECT i.name, w.* FROM wallets w JOIN items i USING (item) ORDER BY program, name")
    assert len({row["wallet"] for row in found}) == len(found)
    programs: dict[str, list[str]] = {}
    for row in found:
        programs.setdefault(row["program"], []).append(row["name"])
    assert {name: len(files) for name, files in programs.items()} == {
        "Bitcoin Core, descriptors": 3, "Bitcoin Core, single keys": 2, "Electrum": 2, "descriptor": 1,
        "extended private key": 2, "extended public key": 1, "private key": 2,
    }  # fmt: skip
    assert {row["gap"] for row in found} == {7}
    assert all(row["private_keys"] for row in found if row["program"] in ("private key", "extended private key"))
    told = rows(seized, "SELECT wallet, count(*) AS n FROM wallet_addresses GROUP BY wallet")
    counted = {row["wallet"]: row["addresses"] for row in found if row["addresses"]}
    assert {row["wallet"]: row["n"] for row in told} == counted


def aside(case: Case) -> list[dict[str, Any]]:
    return rows(case, "SELECT i.name, s.reason, s.noun, s.detail FROM set_aside s JOIN items i ON i.item = s.subject "
                      "WHERE stage = 'wallets'")  # fmt: skip


def test_what_is_not_read_is_set_aside_by_name(seized: Case) -> None:
    given = {(row["name"].rpartition("/")[2], row["reason"], row["noun"]) for row in aside(seized)}
    assert given == {
        ("locked", "encrypted", "items"), ("imported", "truncated", "wallet records"),
        ("cut.dat", "truncated", "wallet records"), ("cut.dat", "unreadable", "wallet records"),
    }  # fmt: skip


def test_an_address_leads_to_its_bytes_and_to_its_wallets(seized: Case) -> None:
    with Reader(seized.tables) as reader:
        explainer = Explainer(seized.tables, reader)
        for table, key in (("wallets", "wallet"), ("wallet_addresses", "id")):
            ids = [row[key] for row in reader.rows(f"SELECT {key} FROM {table}")]
            assert len(set(ids)) == len(ids) > 10
            for one in ids[:: max(1, len(ids) // 40)]:
                assert explainer.loci(one), one
        (label,) = reader.rows(
            "SELECT a.*, i.sha256 FROM wallet_addresses a JOIN items i USING (item) WHERE label = 'legacy 0' LIMIT 1"
        )
    with seized.store.open(label["sha256"]) as file:
        raw = file.read()
    assert b"wpkh(" in raw or b"pkh(" in raw[label["span_start"] : label["span_start"] + label["span_length"]]
    assert label["address"] in TRUTH["till"]["book"]


def test_no_private_key_is_in_any_table_ledger_line_or_answer(seized: Case) -> None:
    """The sealed items hold them; nothing that is made of these does. Hex and bytes are looked for too."""
    status = casewright("status", str(seized.root), "--json")
    assert status.returncode == 0, status.stderr
    assert any(w["private_keys"] and w["wallets"] for w in json.loads(status.stdout)["wallets"])
    made = status.stdout + (seized.root / "ledger.jsonl").read_text("utf-8")
    with Reader(seized.tables) as reader:
        for table in sorted(path.name for path in seized.tables.iterdir() if path.is_dir() and path.name[0] != "."):
            made += json.dumps(reader.rows(f"SELECT * FROM {table}"), default=_shown)
    shown = [secret for secret in SECRETS if secret in made or secret.lower() in made]
    assert not shown
    sealed = {row["sha256"] for row in rows(seized, "SELECT sha256 FROM items")}
    held = [
        path
        for path in (seized.root / "store").rglob("*")
        if path.is_file() and path.parent.name + path.name not in sealed
    ]
    for path in [*held, *seized.tables.rglob("*.parquet")]:
        raw = path.read_bytes()
        assert not [s for s in SECRETS if s.encode() in raw or (len(s) == 64 and bytes.fromhex(s) in raw)], path


def test_the_terminal_says_which_wallets_were_found_and_that_private_keys_are_present(
    seized: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    with Reader(seized.tables) as reader:
        tell_wallets(Voice(False), found_wallets(reader))
    said = {line.split("regtest")[0].strip(): line for line in capsys.readouterr().out.splitlines()}
    assert "present" in said["Electrum"]
    assert any("encrypted" in line and "present" in line for line in said.values())


def _shown(value: Any) -> str:
    return value.decode("latin-1") + value.hex() if isinstance(value, bytes) else str(value)


def test_addresses_are_found_by_a_query(seized: Case) -> None:
    address = TRUTH["till"]["lines"][6]["addresses"][0]
    sql = "SELECT program, role FROM wallet_addresses JOIN wallets USING (wallet) WHERE address = '{}' ORDER BY ALL"
    answer = casewright("query", str(seized.root), sql.format(address), "--json")
    assert answer.returncode == 0, answer.stderr
    assert "Bitcoin Core, descriptors" in answer.stdout


@files.needs_berkeley
def test_changes_that_stand_only_in_a_log_of_berkeley_db_are_told(case: Case, tmp_path: Path) -> None:
    """A node that was killed: its wallet is still empty, and the key stands in the log."""
    made = tmp_path / "node"
    made.mkdir()
    subprocess.run(["/usr/bin/python3", "-c", KILLED, str(made)], check=True)
    for path in made.glob("__db.*"):
        path.unlink()
    seal(case, made)
    run(case, "wallets")
    (told,) = rows(
        case, "SELECT i.name, s.reason FROM set_aside s JOIN items i ON i.item = s.subject WHERE stage = 'wallets'"
    )
    assert (told["name"], told["reason"]) == ("log.0000000001", "not supported")


KILLED = """
import os, sys, bsddb3.db as db
flags = db.DB_CREATE | db.DB_INIT_LOCK | db.DB_INIT_LOG | db.DB_INIT_MPOOL | db.DB_INIT_TXN
env = db.DBEnv(); env.open(sys.argv[1], flags)
wallet = db.DB(env); change = env.txn_begin()
wallet.open("wallet.dat", "main", db.DB_BTREE, db.DB_CREATE, txn=change); wallet.put(b"\\7version", b"1234", txn=change)
change.commit(); os._exit(0)
"""


@pytest.mark.skipif(not shutil.which("mke2fs"), reason="Debian's e2fsprogs is not here")
def test_a_wallet_on_a_disk_is_read_with_the_log_beside_it(case: Case, tmp_path: Path) -> None:
    folder, image = tmp_path / "disk", tmp_path / "sealed" / "disk.img"
    image.parent.mkdir()
    (folder / "shop").mkdir(parents=True)
    path = folder / "shop" / "wallet.dat"
    shutil.copyfile(REAL / "till.dat", path)
    address = TRUTH["till"]["lines"][0]["addresses"][4]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    record = files.named("name", files.sized(address.encode())), files.sized(b"in the log")
    connection.execute("INSERT INTO main VALUES (?, ?)", record)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder, image, "8M"], check=True)
    connection.close()
    shutil.rmtree(folder)
    seal(case, image.parent)
    run(case, "wallets")
    (found,) = rows(
        case, f"SELECT label, name FROM wallet_addresses JOIN items USING (item) WHERE address = '{address}'"
    )
    assert found["label"] == "in the log"
