"""The chain as columns: numbers that mean the same as the tables' ids."""

import pyarrow as pa

from casewright.chain.columns import KINDS
from casewright.chain.columns import Chain as Columns
from casewright.chain.loading import chain_of
from tests.chain.world import COIN, Chain, address, name_of, read

GIVEN = ("blocks", "transactions", "inputs", "outputs")


Told = tuple[Columns, dict[str, pa.Table], tuple[tuple[bytes, int], ...]]


def told() -> Told:
    chain = Chain()
    (mined,) = chain.mint(("anna", 50 * COIN))
    paid, change, key = chain.pay([mined], ("berta", 20 * COIN), ("anna", 29 * COIN), ("key one", COIN))
    chain.pay([paid, (b"\x07" * 32, 3)], ("carla", 19 * COIN), ("data", 0))
    tables = dict(read({"blk00000.dat": chain.file()}).tables)
    return chain_of(*(tables[name] for name in GIVEN)), tables, (mined, paid, change, key)


def test_numbers_lead_to_the_same_outputs_as_ids() -> None:
    chain, tables, coins = told()
    rows = tables["outputs"].to_pylist()
    for number, row in enumerate(rows):
        assert chain.coin(number) == f"{row['txid']}:{row['vout']}"
        assert chain.sats[number] == row["sats"]
        assert KINDS[chain.kind[number]] == row["kind"]
        assert chain.address(chain.holder[number]) == row["address"]
        spender = int(chain.spender[number])
        assert (chain.txid(spender) if spender >= 0 else None) == row["spent_by"]
    assert [chain.coin(n) for n in range(len(rows)) if chain.spender[n] >= 0] == [name_of(coins[0]), name_of(coins[1])]


def test_inputs_point_at_what_they_spend_and_say_when_it_is_not_there() -> None:
    chain, tables, _ = told()
    spent = [chain.coin(n) if n >= 0 else None for n in chain.spends.tolist()]
    named = [f"{r['prev_txid']}:{r['prev_vout']}" for r in tables["inputs"].to_pylist()]
    assert spent == [*named[:2], None]
    of = [t for t in range(chain.transactions) for _ in range(*chain.first_input[t : t + 2])]
    assert [chain.txid(t) for t in of] == tables["inputs"]["txid"].to_pylist()


def test_a_holder_is_an_address_or_a_script_without_one() -> None:
    chain, _, _ = told()
    known = chain.addresses.to_pylist()
    assert known.count(None) == 2
    assert {address("anna"), address("berta"), address("carla")} <= set(known)
    assert len(known) == len(set(known)) + 1
    made = [t for t in range(chain.transactions) for _ in range(*chain.first_output[t : t + 2])]
    assert chain.made_in.tolist() == made


def test_a_place_that_its_transaction_does_not_have_is_no_output() -> None:
    chain = Chain()
    (mined,) = chain.mint(("anna", COIN))
    chain.pay([(mined[0], 7)], ("berta", COIN))
    tables = read({"blk00000.dat": chain.file()}).tables
    assert tables["inputs"]["spends"].to_pylist() == [None]


def test_an_empty_chain_has_no_columns_to_go_wrong() -> None:
    tables = read({}).tables
    chain = chain_of(*(tables[name] for name in GIVEN))
    assert (chain.transactions, len(chain.holder), len(chain.addresses)) == (0, 0, 0)
