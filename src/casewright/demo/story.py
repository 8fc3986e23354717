"""How each payment of the operation came about, and what became of the money."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from casewright.demo.economy import FEE, FUNDING, HOT_ADDRESSES, START, Economy, Paid, day
from casewright.demo.keys import Key
from casewright.demo.operation import SERVICES, Operation, Payment
from casewright.demo.transactions import Coin, Transaction

MARKET, MINER = "Glasshouse", "an old miner"
SWEEP_EVERY = 90
POOL = 5_000_000
EXCHANGES = [s.label for s in SERVICES if s.category == "exchange"]


def tell(operation: Operation) -> Economy:
    """The whole story, from the first block to the last cash-out."""
    world, dice = Economy(operation), Random(23)  # noqa: S311  a story, not a secret
    hot = hot_wallets(world)
    for account in operation.accounts:
        world.owners[account.deposit_address] = MARKET
    fund(world, hot)
    planned = sorted({p.day for p in operation.payments} | set(range(40, 700, SWEEP_EVERY)))
    for number in planned:
        due = [p for p in operation.payments if p.day == number]
        pay_all(world, due, dice, hot)
        if number % SWEEP_EVERY == 40:
            sweep(world, hot)
        world.seal_block(day(number), hot[MINER][0])
    return world


def hot_wallets(world: Economy) -> dict[str, list[Key]]:
    """The addresses from which services pay out, mixers behind exchanges, and those of the miner."""
    services = sorted(world.operation.services, key=lambda s: s.category != "exchange")
    return {label: [world.key(label) for _ in range(HOT_ADDRESSES)] for label in (*(s.label for s in services), MINER)}


def fund(world: Economy, hot: dict[str, list[Key]]) -> None:
    """Coins for everybody, mined in turn; then blocks until they are mature."""
    keys = [key for label in hot for key in hot[label]]
    for n in range(FUNDING):
        world.seal_block(START + timedelta(hours=5 * n), keys[n % len(keys)])
    _consolidate(world, hot)


def _consolidate(world: Economy, hot: dict[str, list[Key]]) -> None:
    """Each exchange gathers coins of its hot addresses now and then: co-spending that makes them one cluster."""
    for n, label in enumerate(label for label in hot if label != MINER):
        for spent in range(MATURITY_WAIT):
            world.seal_block(START + timedelta(days=24, hours=n * 40 + spent), hot[MINER][0])
        coins = world.take(label, 5_000_000_000 * 3 + 1, most=5)
        share = (sum(c.sats for c in coins) - FEE) // 8
        world.send(coins, [(hot[label][i % HOT_ADDRESSES], share, label) for i in range(8)])
        world.seal_block(START + timedelta(days=40, hours=n), hot[MINER][0])


MATURITY_WAIT = 6


def pay_all(world: Economy, due: list[Payment], dice: Random, hot: dict[str, list[Key]]) -> None:
    batches: dict[str, list[Payment]] = {}
    for payment in due:
        if payment.route == "batch" and payment.customer:
            batches.setdefault(payment.customer.service, []).append(payment)
        else:
            ROUTES[payment.route](world, payment, dice, hot)
    for label, payments in batches.items():
        _batch(world, label, payments, dice, hot)


def _deposit(world: Economy, payment: Payment) -> tuple[Key, int, str]:
    return world.operation.deposit_key(payment.account), payment.sats, MARKET


def _note(
    world: Economy, payment: Payment, tx: Transaction, vout: int, origin: tuple[str, int, Transaction, Key] | None
) -> None:
    """Remember what is true of a payment; `origin`: service, hops, withdrawal and its payee."""
    service, hops, withdrawal, payee = origin if origin else (None, 0, None, None)
    world.waiting.append(Paid(
        payment, tx.txid[::-1].hex(), vout, tx.outputs[vout][1], 0, START, service, hops,
        withdrawal.txid[::-1].hex() if withdrawal else None, payee.address if payee else None,
    ))  # fmt: skip


def _withdraw(world: Economy, label: str, to: list[tuple[Key, int, str]], hot: dict[str, list[Key]]) -> Transaction:
    """An exchange pays out of its hot wallet, change back to it."""
    total = sum(sats for _, sats, _ in to)
    coins = world.take(label, total + FEE + 1000)
    change = sum(c.sats for c in coins) - total - FEE
    return world.send(coins, [*to, (hot[label][world.made % HOT_ADDRESSES], change, label)])


def _label(payment: Payment) -> str:
    assert payment.customer is not None
    return payment.customer.service


def _owner(payment: Payment) -> str:
    assert payment.customer is not None
    return f"wallet of {payment.customer.number}"


def _direct(world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]]) -> None:
    target = _deposit(world, payment)
    tx = _withdraw(world, _label(payment), [target], hot)
    _note(world, payment, tx, 0, (_label(payment), 1, tx, target[0]))


def _batch(world: Economy, label: str, payments: list[Payment], dice: Random, hot: dict[str, list[Key]]) -> None:
    """One withdrawal for several customers at once, strangers among them."""
    targets = [_deposit(world, p) for p in payments]
    strangers = [(world.key(f"stranger {world.made}"), dice.randrange(1, 50) * 90_000, "strangers") for _ in range(5)]
    tx = _withdraw(world, label, [*targets, *strangers], hot)
    for vout, (payment, target) in enumerate(zip(payments, targets, strict=True)):
        _note(world, payment, tx, vout, (label, 1, tx, target[0]))


def _own_wallet(
    world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]], extra: int
) -> tuple[Coin, Transaction]:
    """A withdrawal to the customer's own wallet, a little more than is needed."""
    owner = _owner(payment)
    key = world.key(owner)
    tx = _withdraw(world, _label(payment), [(key, payment.sats + extra, owner)], hot)
    coin = world.coins[owner].pop()
    return coin, tx


def _spend(world: Economy, coin: Coin, target: tuple[Key, int, str], owner: str) -> Transaction:
    """Pay from one coin, change to a new address of the same wallet."""
    change = coin.sats - target[1] - FEE
    return world.send([coin], [target, (world.key(owner), change, owner)])


def _wallet(world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]]) -> None:
    coin, withdrawal = _own_wallet(world, payment, dice, hot, 300_000)
    tx = _spend(world, coin, _deposit(world, payment), _owner(payment))
    _note(world, payment, tx, 0, (_label(payment), 2, withdrawal, coin.key))


def _wallet2(world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]]) -> None:
    coin, withdrawal = _own_wallet(world, payment, dice, hot, 600_000)
    owner = _owner(payment)
    world.send([coin], [(world.key(owner), coin.sats - FEE, owner)])
    moved = world.coins[owner].pop()
    tx = _spend(world, moved, _deposit(world, payment), owner)
    _note(world, payment, tx, 0, (_label(payment), 3, withdrawal, coin.key))


def _peel(world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]]) -> None:
    """A big coin from which one small payment after the other is peeled; the market's is the third."""
    owner = _owner(payment)
    first, withdrawal = _own_wallet(world, payment, dice, hot, 90_000_000)
    coin = first
    for _ in range(2):
        shop = (world.key("a shop"), dice.randrange(5, 60) * 100_000, "shops")
        _spend(world, coin, shop, owner)
        coin = world.coins[owner].pop()
    tx = _spend(world, coin, _deposit(world, payment), owner)
    _note(world, payment, tx, 0, (_label(payment), 4, withdrawal, first.key))


def _coinjoin(world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]]) -> None:
    """A JoinMarket-shaped mix of four: equal outputs of the payment's size, change for each. The trace must stop."""
    size = payment.sats + 2 * FEE
    coins = [_own_wallet(world, payment, dice, hot, 700_000 + 2 * FEE)[0]]
    owners = [_owner(payment)]
    for n in range(3):
        owner = f"maker {world.made}"
        key = world.key(owner)
        _withdraw(world, EXCHANGES[n % 3], [(key, size + 500_000 + n * 77_777, owner)], hot)
        coins.append(world.coins[owner].pop())
        owners.append(owner)
    mixed = [(world.key(owner), size, owner) for owner in owners]
    change = [(world.key(o), c.sats - size - FEE, o) for o, c in zip(owners, coins, strict=True)]
    world.send(coins, [*mixed[1:], mixed[0], *change])
    coin = next(c for c in world.coins[owners[0]] if c.key == mixed[0][0])
    world.coins[owners[0]].remove(coin)
    tx = world.send([coin], [_deposit(world, payment)])
    _note(world, payment, tx, 0, None)


def _whirlpool(world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]]) -> None:
    """A Whirlpool-shaped mix: five in, five equal out; the payment is made from one of them."""
    coins, owners = [], []
    for n in range(5):
        owner = _owner(payment) if n == 0 else f"whirl {world.made}"
        key = world.key(owner, "p2wpkh")
        _withdraw(world, EXCHANGES[n % 3], [(key, POOL + (10_000 if n < 2 else 0), owner)], hot)
        coins.append(world.coins[owner].pop())
        owners.append(owner)
    mixed = [(world.key(owner, "p2wpkh"), POOL, owner) for owner in owners]
    world.send(coins, mixed)
    coin = next(c for c in world.coins[owners[0]] if c.key == mixed[0][0])
    world.coins[owners[0]].remove(coin)
    sats = min(payment.sats, POOL - FEE)
    deposit = _deposit(world, payment)
    rest = [(world.key(owners[0]), POOL - sats - FEE, owners[0])] if POOL - sats - FEE > FEE else []
    tx = world.send([coin], [(deposit[0], sats, MARKET), *rest])
    _note(world, payment, tx, 0, None)


def _mixer(world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]]) -> None:
    tx = _withdraw(world, "Murkpool", [_deposit(world, payment)], hot)
    _note(world, payment, tx, 0, None)


def _mined(world: Economy, payment: Payment, dice: Random, hot: dict[str, list[Key]]) -> None:
    """From coins that somebody mined: no service stands behind them."""
    tx = _withdraw(world, MINER, [_deposit(world, payment)], hot)
    _note(world, payment, tx, 0, None)


def sweep(world: Economy, hot: dict[str, list[Key]]) -> None:
    """The operator gathers deposits, and cashes out at an exchange, which gathers its customers' deposits in turn."""
    coins = [c for c in world.coins[MARKET] if c.key.name.startswith("deposit")]
    if len(coins) < 2:
        return
    for coin in coins:
        world.coins[MARKET].remove(coin)
    total = sum(c.sats for c in coins)
    world.send(coins, [(world.key(MARKET, "p2wpkh"), total - FEE * len(coins), MARKET)], b"glasshouse")
    gathered = world.coins[MARKET].pop()
    cash = world.key("Brightwater Desk", "p2pkh")
    kept = gathered.sats // 10
    world.send([gathered], [(cash, gathered.sats - kept - FEE, "Brightwater Desk"), (world.key(MARKET), kept, MARKET)])
    deposit = world.coins["Brightwater Desk"].pop()
    own = world.take("Brightwater Desk", 1_000_000)
    whole = deposit.sats + sum(c.sats for c in own) - FEE
    world.send([*own, deposit], [(hot["Brightwater Desk"][0], whole, "Brightwater Desk")])


Route = Callable[[Economy, Payment, Random, dict[str, list[Key]]], None]
ROUTES: dict[str, Route] = {
    "direct": _direct,
    "wallet": _wallet,
    "wallet2": _wallet2,
    "peel": _peel,
    "coinjoin": _coinjoin,
    "whirlpool": _whirlpool,
    "mixer": _mixer,
    "mined": _mined,
}
