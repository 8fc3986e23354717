"""Tag packs: the public ones are read whole, the broken and the malicious are set aside with a reason."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from casewright.chain.tags import tags
from casewright.engine.stage import Output
from tests.chain.test_blocks import balance
from tests.chain.world import address
from tests.world import SHARED, context, digests_of, needs_shared, rows_of

GOOD = "1Archive1n2C579dMsAu3iC6tWzuQJz8dN"
PACK = f"""
title: Glasshouse test pack
category: exchange
currency: BTC
confidence: service_data
lastmod: 2019-07-03
label: Kestrel Exchange
source: https://kestrel.example/addresses
actor: kestrel
tags:
- address: {GOOD}
- address: 3CTPRyUbCKkByGmAVvDV6ReZXT1WfV3UPd
  label: Kestrel cold
  confidence: web_crawl
  category: wallet_service
"""
ACTORS = """
title: Actors
actors:
- id: kestrel
  label: Kestrel
  jurisdictions: [NO, NL]
  context:
    legal_name: Kestrel B.V.
"""


def read(files: Mapping[str, str | bytes]) -> Output:
    raws = {n: r.encode() if isinstance(r, str) else r for n, r in files.items()}
    rows: list[dict[str, Any]] = [
        {"exhibit": "d" * 64, "role": "tags", "position": i, "path": n.encode(), "name": n, "size": len(r),
         "sha256": digests_of(r).sha256}
        for i, (n, r) in enumerate(raws.items())
    ]  # fmt: skip
    return tags(pa.table({}), context({"exhibit_files": rows}, raws.values()))


def tag_rows(output: Output) -> list[dict[str, Any]]:
    balance(output)
    return rows_of(output.tables["tags"])


def test_tags_inherit_the_packs_header_and_may_say_otherwise() -> None:
    first, second = tag_rows(read({"tags.yaml": PACK}))
    assert (first["label"], first["category"], first["level"], first["row"]) == ("Kestrel Exchange", "exchange", 50, 1)
    assert (second["label"], second["category"], second["level"], second["row"]) == (
        "Kestrel cold", "wallet_service", 20, 2,
    )  # fmt: skip
    assert second["source"] == "https://kestrel.example/addresses"


def test_actors_of_another_pack_give_legal_name_and_country_and_norway_is_no_truth_value() -> None:
    for files in ({"tags.yaml": PACK, "z.yaml": ACTORS}, {"actors.yaml": ACTORS, "tags.yaml": PACK}):
        first, _ = tag_rows(read(files))
        assert (first["legal_name"], first["jurisdiction"]) == ("Kestrel B.V.", "NO, NL")


def test_a_tags_own_context_counts_before_its_actor() -> None:
    own = PACK + '  context: \'{"legal_name": "Cold B.V.", "jurisdiction": "be"}\'\n'
    _, second = tag_rows(read({"tags.yaml": own, "actors.yaml": ACTORS}))
    assert (second["legal_name"], second["jurisdiction"]) == ("Cold B.V.", "BE")


def test_a_tag_says_whether_it_holds_for_its_cluster_or_for_its_address_only() -> None:
    said = [PACK.replace("currency", f"{line}currency", 1) for line in ("", "is_cluster_definer: false\n")]
    assert [tag_rows(read({"tags.yaml": s}))[0]["defines_cluster"] for s in said] == [None, False]


def test_a_header_may_be_included_from_the_same_exhibit_only() -> None:
    header = "title: x\nlabel: Included\ncurrency: BTC\ncategory: exchange\n"
    pack = f"header: !include ../header.yaml\ntags:\n- address: {GOOD}\n"
    output = read({"header.yaml": header, "packs/tags.yaml": pack})
    assert [r["label"] for r in tag_rows(output)] == ["Included"]
    assert output.set_aside == []
    missing = read({"packs/tags.yaml": pack.replace("../header.yaml", "../../../etc/passwd")})
    assert "not in the exhibit" in missing.set_aside[0].detail
    assert tag_rows(missing) == []


def test_tags_of_other_currencies_hold_nothing_to_find() -> None:
    other = PACK + "- address: 0xFA8E3920daF271daB92Be9B87d9998DDd94FEF08\n  currency: ETH\n"
    output = read({"tags.yaml": other})
    assert len(tag_rows(output)) == 2
    assert balance(output)["tags"] == (3, 2, 1, 0)


def test_an_address_whose_checksum_does_not_hold_is_set_aside_with_its_number() -> None:
    broken = PACK + f"- address: {GOOD[:-1]}M\n- just words\n- label: nameless\n"
    output = read({"tags.yaml": broken})
    assert [(s.noun, s.row) for s in output.set_aside] == [("tags", 3), ("tags", 4), ("tags", 5)]
    assert len(tag_rows(output)) == 2


def test_addresses_in_capitals_mean_the_same() -> None:
    upper = f"tags:\n- address: {address('anna').upper()}\n  label: Anna\n"
    assert tag_rows(read({"a.yaml": upper}))[0]["address"] == address("anna")


BOMB = "a: &a [x,x,x,x]\n" + "".join(
    f"{n}: &{n} [{','.join([f'*{m}'] * 9)}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("tags: [", "broken YAML"),
        ("title: only a title\n", "no list of tags"),
        ("- a\n- b\n", "no mapping"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("", "no mapping"),
        ("tags: " + "[" * 500 + "]" * 500, "nested"),
        ("a: " + "[" * 200_000, "nested"),
        ("tags: *nowhere", "broken YAML"),
        (BOMB, "no list of tags"),
        ("--- a: 1\n--- b: 2\n", "broken YAML"),
    ],
)
def test_what_is_no_tag_pack_is_set_aside_with_the_reason(raw: str | bytes, why: str) -> None:
    output = read({"tags.yaml": raw, "good.yaml": PACK})
    assert why in output.set_aside[0].detail
    assert len(tag_rows(output)) == 2


def test_a_pack_cannot_make_objects_or_eat_memory_by_aliases() -> None:
    evil = BOMB + 'tags:\n- !!python/object/apply:os.system ["true"]\n- {address: *i, label: *i}\n'
    output = read({"tags.yaml": evil, "loop.yaml": "tags:\n- &loop {address: x, label: y, more: *loop}\n"})
    assert tag_rows(output) == []
    assert balance(output) == {"files": (2, 1, 0, 1), "tags": (2, 0, 0, 2)}
    assert "recursive" in output.set_aside[0].detail


def test_files_that_are_no_yaml_are_named_and_readmes_are_not() -> None:
    output = read({"tags.yaml": PACK, "README.md": "hello", "tags.xlsx": "PK"})
    assert balance(output)["files"] == (3, 1, 1, 1)


LIST = f"""Address;Entity Name;Type;Score;Country;Source URL
{GOOD};Archive;donations;90;us;https://archive.example
3CTPRyUbCKkByGmAVvDV6ReZXT1WfV3UPd;Kestrel Exchange;exchange;;nl;
"""


def test_a_list_names_its_columns_as_lists_do() -> None:
    first, second = tag_rows(read({"ours.csv": LIST.replace("Entity Name", "Name")}))
    assert (first["label"], first["category"], first["level"], first["row"]) == ("Archive", "donations", 90, 1)
    assert (first["jurisdiction"], first["source"]) == ("US", "https://archive.example")
    assert (second["label"], second["level"], second["confidence"]) == ("Kestrel Exchange", 5, None)


@pytest.mark.parametrize("comma", [",", ";", "\t", "|"])
def test_a_list_may_part_its_fields_in_four_ways_and_come_from_a_spreadsheet(comma: str) -> None:
    raw = f"wallet_address,label,confidence\r\n{GOOD},Caf\xe9,forensic\r\n".replace(",", comma)
    for encoded in (raw.encode("utf-8-sig"), raw.encode("cp1252")):
        (row,) = tag_rows(read({"list.tsv": encoded}))
        assert (row["label"], row["level"]) == ("Caf\xe9", 50)


def test_rows_of_a_list_that_cannot_be_used_are_set_aside_with_their_number() -> None:
    rows = ["Archive,50", "Broken,50", "Short", "High,500", "Negative,-1", ",1"]
    raw = "address,label,level\n" + "\n".join(f"{GOOD},{row}" for row in rows)
    output = read({"list.csv": raw.replace(f"{GOOD},Broken", f"{GOOD[:-1]}M,Broken")})
    assert [s.row for s in output.set_aside] == [2, 3, 4, 5, 6]
    assert "has 2 fields, the heading 3" in output.set_aside[1].detail
    assert "level '500'" in output.set_aside[2].detail
    assert len(tag_rows(output)) == 1


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("label,level\nx,1\n", "no column is called address"),
        (f"address,note\n{GOOD},x\n", "no column is called label"),
        ("", "empty"),
        ("address,address\nx,y\n", "twice"),
    ],
)
def test_a_list_whose_columns_say_nothing_is_set_aside_whole(raw: str, why: str) -> None:
    output = read({"list.csv": raw, "good.yaml": PACK})
    assert why in output.set_aside[0].detail
    assert len(tag_rows(output)) == 2


def test_other_coins_of_a_list_hold_nothing_to_find_and_actors_of_packs_name_its_companies() -> None:
    other = "0xFA8E3920daF271daB92Be9B87d9998DDd94FEF08,x,,ETH"
    listed = f"address,label,actor,coin\n{other}\n{GOOD},Kestrel,kestrel,btc\n"
    output = read({"list.csv": listed, "actors.yaml": ACTORS})
    assert [r["legal_name"] for r in tag_rows(output)] == ["Kestrel B.V."]
    assert balance(output)["tags"] == (2, 1, 1, 0)


@needs_shared
def test_the_public_packs_are_read_whole() -> None:
    packs = {p.name: p.read_bytes() for p in sorted((SHARED / "tagpacks").glob("*.yaml"))}
    output = read(packs)
    assert balance(output) == {"files": (15, 15, 0, 0), "tags": (1464, 1108, 356, 0)}
    binance = next(r for r in tag_rows(output) if r["label"] == "binance.com")
    assert binance["legal_name"] == "Binance Holdings Limited"
    assert {r["level"] for r in tag_rows(output)} == {5, 50}
