"""What flows around wallets, found for all at once, is what the definition finds for each."""

import random
from pathlib import Path

from casewright.review.index import Indexed
from casewright.review.pages.flows import Flow, around
from tests.review.slow_flows import INWARD, OUTWARD

WALLETS = "SELECT DISTINCT cluster AS node FROM clusters UNION SELECT DISTINCT address FROM outputs WHERE address <> ''"


def test_flows_of_many_wallets_at_once_are_those_of_each_by_the_definition(demo: Path) -> None:
    reader = Indexed(demo / "tables")
    nodes = sorted(row["node"] for row in reader.rows(WALLETS))
    some = random.Random(8).sample([n for n in nodes if n.startswith("cluster-")], 12)
    some += random.Random(9).sample(nodes, 12)
    expected = [Flow(node, row["node"], row["txid"], outward, row["sats"], row["outputs"], row["change"])
                for node in dict.fromkeys(some) for outward, sql in ((False, INWARD), (True, OUTWARD))
                for row in reader.rows(sql, {"node": node})]  # fmt: skip
    assert expected
    assert around(reader.rows, list(dict.fromkeys(some))) == expected
    assert [flow for node in dict.fromkeys(some) for flow in around(reader.rows, [node])] == expected
    reader.close()


def test_around_nothing_is_nothing(demo: Path) -> None:
    assert around(lambda sql, bind: [], []) == []
    assert around(lambda sql, bind: [], ["1unknown"]) == []
