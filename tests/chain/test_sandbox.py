"""The room's stages as the engine runs them: parsers confined, and every row walked down to the exhibits by `why`."""

import gzip
import shutil
from pathlib import Path

import pyarrow as pa

from casewright.chain.stages import STAGES
from casewright.engine.query import Reader
from casewright.engine.runner import Runner
from casewright.engine.stage import Context, Output, Stage
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.engine.why import Explainer
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.settings import CaseSettings
from casewright.model.tables import TABLES
from casewright.vault.case import Case, SourceFile
from tests.chain.world import COIN, Chain, address, frame, masked

KEY = b"glasshse"
TAGS = f"""
label: Kestrel Exchange
category: exchange
tags: [{{address: {address("hot")}}}]
"""


def give_addresses(batch: pa.Table, context: Context) -> Output:
    """Stands for the room that reads the market's database."""
    row = {"id": "dep-1", "account": "acc-1", "address": address("dep")}
    return Output({"deposit_addresses": TABLES["deposit_addresses"].rows([row])})


GIVEN = Stage("given", 1, ("exhibits",), ("deposit_addresses",), give_addresses)


def seal(case: Case, folder: Path) -> None:
    chain = Chain()
    chain.pay(chain.mint(("hot", COIN), ("warm", COIN)), ("x", COIN))
    out = chain.pay(chain.mint(("warm", COIN)), ("anna", COIN))
    chain.pay(out, ("dep", COIN))
    blocks = folder / "blocks"
    blocks.mkdir()
    (blocks / "blk00000.dat").write_bytes(masked(chain.file(), KEY) + bytes(4096))
    (blocks / "blk00001.dat").write_bytes(masked(b"\xfa\xbf\xb5\xda\x00", KEY))
    (blocks / "xor.dat").write_bytes(KEY)
    (folder / "tags.yaml").write_text(TAGS)
    sources = [SourceFile(p, f"blocks/{p.name}".encode()) for p in sorted(blocks.iterdir())]
    with case.writing():
        case.seal_source(sources, "chain", "node")
        case.seal_source([SourceFile(folder / "tags.yaml", b"")], "tags", "tags.yaml")


def run(case: Case) -> dict[str, bytes]:
    pipeline = (*SEALED, GIVEN, *STAGES)
    with case.writing():
        Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, pipeline, Inline()).run(["trace"])
    return {str(p.relative_to(case.tables)): p.read_bytes() for p in case.tables.rglob("*.parquet")}


def test_confined_stages_give_the_same_bytes_twice_and_why_walks_every_row_to_an_exhibit(tmp_path: Path) -> None:
    about = CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example")
    case = Case.create(tmp_path / "case", about, network="regtest")
    seal(case, tmp_path)
    first = run(case)
    shutil.rmtree(case.tables)
    case.tables.mkdir()
    assert run(case) == first
    with Reader(case.tables) as reader:
        (service,) = reader.rows("SELECT * FROM services WHERE direction = 'back'")
        assert (service["service"], service["hops"], service["confidence"]) == ("Kestrel Exchange", 2, "weak")
        (aside,) = reader.rows("SELECT * FROM set_aside")
        assert (aside["stage"], aside["reason"]) == ("blocks", "truncated")
        exhibits = {r["exhibit"] for r in reader.rows("SELECT exhibit FROM exhibits")}
        explainer = Explainer(case.tables, reader)
        for table in ("blocks", "transactions", "inputs", "outputs", "payments", "clusters", "cluster_reasons",
                      "tags", "hops", "services", "set_aside"):  # fmt: skip
            ids = [r["id"] for r in reader.rows(f"SELECT {TABLES[table].key} AS id FROM {table} t")]
            assert ids
            for one in ids:
                loci = explainer.loci(one)
                assert {locus["exhibit"] for locus in loci} <= exhibits
                assert loci, f"{table}: {one}"


def test_a_folder_that_grew_is_read_in_its_new_file_only(tmp_path: Path) -> None:
    about = CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example")
    case = Case.create(tmp_path / "case", about, network="regtest")
    chain, blocks = Chain(), tmp_path / "blocks"
    known: dict[str, int] = {}
    blocks.mkdir()
    for number in range(2):
        chain.mint((f"w{number}", COIN))
        (blocks / f"blk0000{number}.dat").write_bytes(frame(chain.blocks[number]))
        sources = [SourceFile(p, p.name.encode()) for p in sorted(blocks.iterdir())]
        with case.writing():
            case.seal_source(sources, "chain", f"node {number}")
        run(case)
        units = {p.name: p.stat().st_ino for p in (case.tables / ".units" / "read_blocks").iterdir()}
        assert known.items() < units.items()
        assert len(units) == number + 1
        known = units
    with Reader(case.tables) as reader:
        assert [r["height"] for r in reader.rows("SELECT height FROM blocks ORDER BY height")] == [1, 2]


def test_an_export_is_read_in_a_confined_child(tmp_path: Path) -> None:
    about = CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example")
    case = Case.create(tmp_path / "case", about, network="regtest")
    folder = tmp_path / "export"
    folder.mkdir()
    head = "hash,block_hash,block_number,block_timestamp,index\n"
    (folder / "transactions.csv").write_text(f"{head}{'1a' * 32},{'00' * 32},7,1500000000,0\n")
    pays = f"{'1a' * 32},0,{COIN},{address('anna')}\n"
    with gzip.open(folder / "outputs.csv.gz", "wt") as file:
        file.write(f"transaction_hash,index,value,addresses\n{pays}")
    sources = [SourceFile(p, p.name.encode()) for p in sorted(folder.iterdir())]
    with case.writing():
        case.seal_source(sources, "chain", "export")
    run(case)
    with Reader(case.tables) as reader:
        (block,) = reader.rows("SELECT height, state, row FROM blocks")
        assert block == {"height": 7, "state": "exported", "row": 1}
        (coin,) = reader.rows("SELECT txid, address, sats FROM outputs")
        assert coin == {"txid": "1a" * 32, "address": address("anna"), "sats": COIN}
        (locus, *_) = Explainer(case.tables, reader).loci("1a" * 32)
        assert (locus["path"], locus["row"]) == ("transactions.csv", 1)
