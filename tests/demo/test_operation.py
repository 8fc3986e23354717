"""The fictional operation: the same every time, invented throughout, and with every case that the rooms must meet."""

import re
from collections import Counter
from ipaddress import ip_address, ip_network

import pytest

from casewright.demo.operation import ACCOUNTS, CLOSED, MEDIA, OPENED, Operation, build_operation
from casewright.model.bitcoin import valid_address

DOCUMENTATION = [ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
RESERVED = re.compile(r"@(mail\.)?example(\.(org|net|com))?$")


@pytest.fixture(scope="module")
def operation() -> Operation:
    return build_operation()


def test_the_same_seed_tells_the_same_story_and_another_seed_another(operation: Operation) -> None:
    assert build_operation() == operation
    assert build_operation(7) != operation


def test_every_account_has_a_deposit_address_of_its_own(operation: Operation) -> None:
    addresses = {a.deposit_address for a in operation.accounts}
    assert len(operation.accounts) == len(addresses) == ACCOUNTS
    assert {valid_address(a) for a in addresses} == {"testnet", "regtest"}
    assert Counter(a.deposit_key.kind for a in operation.accounts) == dict.fromkeys(
        ("p2pkh", "p2wpkh", "p2sh", "p2tr"), ACCOUNTS // 4
    )


def test_every_network_address_and_mailbox_is_reserved_for_documentation(operation: Operation) -> None:
    places = {a.registered_ip for a in operation.accounts} | {ip for _, _, ip in operation.logins}
    places |= {t.ip for t in operation.uploads + operation.downloads} | {c.ip for c in operation.customers}
    assert all(any(ip_address(p) in net for net in DOCUMENTATION) for p in places)
    mailboxes = [a.email for a in operation.accounts] + [c.email for c in operation.customers]
    assert all(RESERVED.search(m) for m in [*mailboxes, *(p.email for p in operation.priors)])
    assert all(c.phone.startswith("+00 ") for c in operation.customers)


SHAPES = ["^[+]", "^@", "^-", "<script>", "\u202e", "\u200f", '"', r"\\", "\t", "'", "^x{200}$", "[\uac00-\ud7a3]",
          "[\u0400-\u04ff]", "[\u4e00-\u9fff]", "\U0001f3fa"]  # fmt: skip


@pytest.mark.parametrize("shape", ["^=", *SHAPES])
def test_some_user_name_is_hostile_or_foreign_in_this_way(operation: Operation, shape: str) -> None:
    assert any(re.search(shape, a.username) for a in operation.accounts)


def test_no_user_name_holds_what_a_database_cannot(operation: Operation) -> None:
    assert not any("\0" in a.username for a in operation.accounts)
    assert len({a.username for a in operation.accounts}) == ACCOUNTS


def test_everything_happens_while_the_market_is_open_and_after_the_account_was_made(operation: Operation) -> None:
    made = {a.number: a.registered_at for a in operation.accounts}
    times = [(n, when) for n, when, _ in operation.logins]
    times += [(t.account, t.time) for t in operation.uploads + operation.downloads]
    assert all(OPENED <= made[number] <= when <= CLOSED for number, when in times)


def test_transfers_are_of_media_that_exist(operation: Operation) -> None:
    assert {t.media for t in operation.uploads + operation.downloads} <= set(range(1, MEDIA + 1))


def test_some_payers_pay_once_some_again_and_one_pays_dust(operation: Operation) -> None:
    times = Counter(p.account for p in operation.payments)
    assert len(times) == 45
    assert set(times.values()) == {1, 2, 3}
    assert 60 <= len(operation.payments) <= 80
    assert [p.sats for p in operation.payments if p.sats < 546] == [500]


def test_an_exchange_pays_several_accounts_of_different_customers_at_once(operation: Operation) -> None:
    batches = Counter((p.customer.service, p.day) for p in operation.payments if p.route == "batch" and p.customer)
    assert max(batches.values()) >= 2
    batch = [
        p for p in operation.payments if p.route == "batch" and p.customer and p.customer.service == "Kestrel Exchange"
    ]
    assert len({p.account for p in batch}) == len({p.customer for p in batch}) == len(batch)


def test_customers_come_from_many_countries_and_one_holds_two_accounts(operation: Operation) -> None:
    payers = {(p.customer, p.account) for p in operation.payments if p.customer}
    assert {"NL", "DE", "US", "KR", "GB", "BR"} <= {c.country for c, _ in payers}
    assert max(Counter(c for c, _ in payers).values()) == 2


def test_earlier_cases_hold_returned_customers_namesakes_and_strangers(operation: Operation) -> None:
    people = {(c.email, c.born) for c in operation.customers}
    names = {c.full_name for c in operation.customers}
    same = [p for p in operation.priors if (p.email, p.born) in people]
    namesakes = [p for p in operation.priors if p not in same and p.full_name in names]
    assert (len(same), len(namesakes)) == (3, 3)
    assert len(tuple(operation.priors)) > 6
    assert any("access to a collection" in p.note for p in same)


def test_the_examiner_decides_each_way_and_leaves_some_open(operation: Operation) -> None:
    decided = {d.account: d.verdict for d in operation.decisions}
    assert set(decided.values()) == {"positive", "negative", "unsure"}
    assert len(decided) == len(operation.decisions)
    reachable = {p.account for p in operation.payments if p.route in ("direct", "batch", "wallet")}
    assert decided.keys() < reachable
    assert all(d.why for d in operation.decisions)


def test_nobody_is_judged_for_a_payment_that_came_out_of_a_mix(operation: Operation) -> None:
    hidden = {p.account for p in operation.payments if p.route in ("coinjoin", "whirlpool", "mixer", "mined")}
    assert hidden
    assert not hidden & {d.account for d in operation.decisions}
