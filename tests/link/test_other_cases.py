"""What two cases share: what counts and what is common, why, and that the other case is only read."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from casewright.cli.other_cases import _comparable, _near, take_shared
from casewright.cli.work import runner
from casewright.engine.query import Reader
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.link.case_links import MANY, case_links
from casewright.link.comparable import values
from casewright.link.other_case import shared, written
from casewright.model.errors import BrokenSeal, Missing, UsageError
from casewright.model.settings import CaseSettings
from casewright.vault.case import Case, SourceFile
from casewright.vault.keys import SealKey
from tests.refer.world import write_tables
from tests.world import context, digests_of, rows_of

Tables = dict[str, list[dict[str, Any]]]
HEAD = {"title": "Old matter", "reference": "MCU-7", "agency": "Other Unit", "key": "RWkey"}


def account(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"account": f"acct-{number}", "native": str(number), **more}


def linked(here: Tables, there: Tables, raw: bytes | None = None) -> tuple[list[dict[str, Any]], Any]:
    """The links between a case of these rows and another one of those, and the stage's output."""
    mine, others = context(here), context(there)
    services = pa.concat_tables([w.table("tags").select(["address"]) for w in (mine, others)])
    found = shared(values(mine.sql), values(others.sql), services, _near(31))
    file = written(HEAD, found) if raw is None else raw
    sealed = {"exhibit": "link-1", "role": "case", "position": 0, "path": b"", "name": "shared", "size": len(file),
              "sha256": digests_of(file).sha256}  # fmt: skip
    output = case_links(pa.table({}), context({**here, "exhibit_files": [sealed]}, [file]))
    for tally in output.tallies:
        assert tally.received == tally.done + tally.nothing + len(output.set_aside)
    rows = rows_of(output.tables["case_links"])
    for row in rows:
        line = json.loads(file[row["span_start"] : row["span_start"] + row["span_length"]])
        assert line["value"] == row["value"]
    return rows, output


def strengths(here: Tables, there: Tables) -> dict[tuple[str, str], str]:
    return {(row["kind"], row["value"]): row["strength"] for row in linked(here, there)[0]}


def test_the_same_mailbox_links_accounts_of_two_sites_in_whatever_case_it_is_written() -> None:
    here = {"accounts": [account(email="Ada@Example.org"), account(2, email="bo@example.org")]}
    (row,), _ = linked(here, {"accounts": [account(9, email=" ada@example.ORG ")]})
    assert (row["kind"], row["value"], row["strength"]) == ("email", "ada@example.org", "strong")
    assert (row["accounts"], row["their_ids"], row["sources"]) == (["acct-1"], ["acct-9"], ["acct-1"])
    assert (row["other_case"], row["other_agency"]) == ("MCU-7", "Other Unit")
    assert row["reason"] == "email of an account here, email of an account there"
    assert "taken over" in row["against"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("email", "info@example.org"), ("username", "admin"), ("username", "Bob"), ("registered_ip", "10.0.0.7"),
     ("registered_ip", "fe80::1"), ("registered_ip", "not an address"), ("email", "")],
)  # fmt: skip
def test_what_everybody_may_share_is_no_link(column: str, value: str) -> None:
    both = {"accounts": [{**account(), column: value}]}
    assert linked(both, both)[0] == []


def test_the_same_mail_domain_alone_is_no_link() -> None:
    here, there = ({"accounts": [account(email=f"{name}@freemail.example")]} for name in ("ada", "bo"))
    assert linked(here, there)[0] == []


def test_an_address_of_the_internet_is_weak_and_none_at_all_behind_a_shared_line() -> None:
    one = {"accounts": [account(registered_ip="8.8.4.4")]}
    many = {"accounts": [account(n, registered_ip="8.8.4.4") for n in range(6)]}
    assert strengths(one, one) == {("ip", "8.8.4.4"): "weak"}
    assert strengths(one, many) == strengths(many, one) == {}


def test_a_value_that_many_have_is_weak_and_says_how_many() -> None:
    many = {"accounts": [account(n, email="shared@example.org") for n in range(MANY + 1)]}
    (row,), _ = linked({"accounts": [account(email="shared@example.org")]}, many)
    assert (row["strength"], row["here"], row["there"], len(row["their_ids"])) == ("weak", 1, MANY + 1, 20)
    assert "1 here and 21 there have it" in row["against"]


def test_addresses_link_but_not_those_of_services() -> None:
    deposit = {"deposit_addresses": [{"id": f"dep-{n}", "account": "acct-1", "address": f"bc{n}"} for n in (1, 2)]}
    wallet = {"wallet_addresses": [{"id": "own-1", "wallet": "w", "address": "bc1", "role": "own"},
                                   {"id": "own-2", "wallet": "w", "address": "bc2", "role": "contact"}]}  # fmt: skip
    assert strengths(deposit, wallet) == {("bitcoin", "bc1"): "strong"}
    tag = [{"address": "bc1", "label": "Kestrel"}]
    assert strengths({**deposit, "tags": tag}, wallet) == strengths(deposit, {**wallet, "tags": tag}) == {}


def test_what_only_stands_in_a_file_on_one_side_is_weak() -> None:
    text = {"selectors": [{"selector": "sel-1", "kind": "bitcoin", "canonical": "bc1", "item": "i"},
                          {"selector": "sel-2", "kind": "pgp", "canonical": "AB12", "item": "i"},
                          {"selector": "sel-3", "kind": "url", "canonical": "x.example/y", "item": "i"}]}  # fmt: skip
    deposit = {"deposit_addresses": [{"id": "dep-1", "account": "acct-1", "address": "bc1"}]}
    assert strengths(deposit, text) == {("bitcoin", "bc1"): "weak"}
    assert strengths(text, text) == {("bitcoin", "bc1"): "weak", ("pgp", "AB12"): "strong"}


def test_phones_of_customer_records_link_however_they_are_written() -> None:
    here, there = ({"persons": [{"person": "p", "origin": "return", "phone": phone}]}
                   for phone in ("+31 20 555 0123", "+31-20-5550123"))  # fmt: skip
    assert strengths(here, there) == {("phone", "31205550123"): "strong"}


def media(sha256: str, pdq: str = "0f" * 32, **more: Any) -> Tables:
    item = f"item-{sha256}"
    return {"items": [{"item": item, "sha256": sha256}], "media": [{"item": item, "pdq": pdq, "pdq_quality": 90}],
            "uploaded_media": [{"id": "u", "item": item, "account": "acct-1"}], **more}  # fmt: skip


def test_the_same_bytes_link_unless_they_are_harmless_and_weakly_when_listed() -> None:
    (row,), _ = linked(media("aa"), media("aa"))
    assert (row["kind"], row["strength"], row["accounts"]) == ("media", "strong", ["acct-1"])
    listed = media("aa", media_matches=[{"match_id": "m", "item": "item-aa", "list": "l"}])
    assert strengths(media("aa"), listed) == {("media", "aa"): "weak"}
    assert strengths(media("aa"), media("aa", harmless=[{"id": "h", "item": "item-aa"}])) == {}


def test_pictures_near_each_other_are_told_with_their_distance() -> None:
    (row,), _ = linked(media("aa"), media("bb", "0f" * 31 + "0c"))
    assert (row["kind"], row["distance"], row["strength"]) == ("picture", 2, "weak")
    assert (row["value"], row["their_value"]) == ("0f" * 32, "0f" * 31 + "0c")
    assert linked(media("aa"), media("bb", "f0" * 32))[0] == []


def test_serial_numbers_link_and_camera_models_do_not() -> None:
    def traces(*pairs: tuple[str, str]) -> Tables:
        return {"media_traces": [{"id": f"t{n}", "kind": k, "value": v, "item": "i"} for n, (k, v) in enumerate(pairs)]}

    told = traces(("camera", "Lumora L5"), ("serial", "LMR-0044"), ("serial", "0000000"), ("lens serial", "L-5521"))
    assert strengths(told, told) == {("device", "LMR-0044"): "strong", ("lens", "L-5521"): "weak"}


def test_hostile_values_stay_data() -> None:
    name = '=HYPERLINK("x")\u202e\x00\n' + "n" * 10_000
    both = {"accounts": [account(username=name)]}
    (row,), _ = linked(both, both)
    assert row["value"] == name.strip().lower()


@pytest.mark.parametrize("raw", [b"", b"[]\n", b'{"format":2}\n', b"\xff\xfe", b"{" * 100_000], ids=range(5))
def test_a_file_that_is_none_is_set_aside(raw: bytes) -> None:
    rows, output = linked({"accounts": [account(email="ada@example.org")]}, {}, raw)
    assert (rows, [a.reason for a in output.set_aside]) == ([], ["malformed"])


def test_a_line_that_is_none_costs_no_other() -> None:
    both = {"accounts": [account(email="ada@example.org")]}
    found = shared(values(context(both).sql), values(context(both).sql), context().table("tags").select(["address"]),
                   _near(31))  # fmt: skip
    raw = written(HEAD, []) + b'{"kind": 1\n"x"\n' + written(HEAD, found).split(b"\n", 1)[1]
    rows, output = linked(both, both, raw)
    assert (len(rows), len(output.set_aside)) == (1, 2)


RETURNS = b"reference,service,txid,customer,email\nCW-1,Kestrel,t1,C-1,%s\n"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two cases, whose services returned records of one customer each, with the same mailbox."""
    folder = tmp_path_factory.mktemp("cases")
    for name in ("new", "old"):
        root = folder / name
        SealKey.from_seed(name.encode()).save(root / "seal.key")
        case = Case.create(root, CaseSettings(name, "Museum Crimes Unit", "R. Example", f"MCU-{name}"), "seal.key")
        (folder / f"{name}.csv").write_bytes(RETURNS % b"ada@example.org")
        with case.writing():
            case.seal_source([SourceFile(folder / f"{name}.csv", b"")], "return", f"{name}.csv")
            runner(case, Inline()).run(["persons"])
    return folder


@pytest.fixture
def cases(both: Path, tmp_path: Path) -> tuple[Case, Case]:
    copied = Path(shutil.copytree(both, tmp_path / "both"))
    return Case(copied / "new"), Case(copied / "old")


def test_the_other_case_is_only_read_and_what_is_taken_is_sealed_here(cases: tuple[Case, Case]) -> None:
    case, other = cases
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(other.root.rglob("*")) if p.is_file()}
    with case.writing():
        taken = take_shared(case, other.root)
        again = take_shared(case, other.root)
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(other.root.rglob("*")) if p.is_file()}
    assert (taken["shared"], taken["new"], again["new"]) == (1, True, False)
    with case.store.open(taken["exhibit"]) as file:
        head, line = map(json.loads, file.read().splitlines())
    last = other.ledger.events()[-1]
    assert (head["reference"], head["ledger_lines"], head["ledger_last"]) == ("MCU-old", last.seq + 1, last.hash)
    assert (line["kind"], line["value"]) == ("email", "ada@example.org")
    assert any("accounts" in reason for reason in head["not_compared"])


def test_a_case_whose_seals_are_broken_is_not_compared(cases: tuple[Case, Case]) -> None:
    case, other = cases
    with case.writing():
        for path in (other.ledger.path, next((other.tables / "persons").glob("*.parquet"))):
            raw = path.read_bytes()
            path.write_bytes(raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:])
            with pytest.raises(BrokenSeal):
                take_shared(case, other.root)
            path.write_bytes(raw)
        with pytest.raises(UsageError, match="is this case"):
            take_shared(case, case.root)
        with pytest.raises(Missing, match="not a case"):
            take_shared(case, other.tables)
        shutil.rmtree(other.root / "store")  # its evidence is not needed
        assert take_shared(case, other.root)["shared"] == 1
    assert [e.data["role"] for e in case.ledger.events("sealed")].count("case") == 1


def test_a_case_of_another_version_is_compared_by_what_it_has(cases: tuple[Case, Case], tmp_path: Path) -> None:
    _, other = cases
    persons = TableFolder(other.tables).load("persons").drop_columns(["phone"])
    write_tables({"persons": persons}, other.tables)
    with Reader(other.tables) as reader:
        can, missing = _comparable(reader, other)
    assert [one.what for one in can] == ["email in a customer record"]
    assert [m for m in missing if m.startswith("phone in a customer record: no table persons there")]
