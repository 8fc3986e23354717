"""Whether the coins of a transaction can be dealt to several people so that each gets back what it brought.

This is what tells a CoinJoin from a payer's own batch of the same shape: nobody gives strangers money. Source of the
idea: Kalodner et al., "BlockSci", USENIX Security 2020 (its slower test), and Dumplings' bound on the largest input.
"""

from collections.abc import Sequence

MOST_STEPS, MOST_COINS = 2_000, 60
ROOM_SHARE, ROOM_LEAST, CLOSE = 50, 20_000, 2_000
"""A peer may earn a fiftieth of the equal value, or 20,000 sat, or when it is looked at closely 2,000 sat; and may pay
as many times that as there are peers, because one of them pays all fees."""


def returns_to_all(
    spent: Sequence[int], value: int, peers: int, changes: Sequence[int], close: bool = False
) -> bool | None:
    """Each of `peers` gets `value`, some one of the `changes` besides. None when the search grew too long to say."""
    room = CLOSE if close else max(value // ROOM_SHARE, ROOM_LEAST)
    open_ = sorted([value + c for c in changes] + [value] * (peers - len(changes)), reverse=True)
    coins = sorted(spent, reverse=True)
    if not coins or coins[0] > open_[0] + peers * room or len(coins) < peers:
        return False
    if len(coins) > MOST_COINS:
        return None
    return _Dealing(coins, room, peers * room).deal(0, open_)


class _Dealing:
    """Deals one coin after the other, largest first. Everybody may get `room` too much or pay `fees` at most."""

    def __init__(self, coins: Sequence[int], room: int, fees: int) -> None:
        self.coins, self.room, self.fees, self.steps = coins, room, fees, 0

    def deal(self, at: int, missing: list[int]) -> bool | None:
        """`missing`: what each peer has still to bring."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            return None
        if at == len(self.coins):
            return max(missing) <= self.room
        coin, tried, unsure = self.coins[at], set(), False
        for peer, sats in enumerate(missing):
            if sats in tried or coin > sats + self.fees:
                continue
            tried.add(sats)
            found = self.deal(at + 1, [*missing[:peer], sats - coin, *missing[peer + 1 :]])
            if found:
                return True
            unsure = unsure or found is None
            if self.steps > MOST_STEPS:
                return None
        return None if unsure else False


def two_lots(spent: Sequence[int], value: int, changes: tuple[int, int], most: int = 12) -> bool:
    """The coins fall into two lots, each worth `value`, one of the changes, and a part of the fee. Not asked of more
    than `most` coins: with very many some lots always fit."""
    first, whole = value + changes[0], sum(spent)
    fee = whole - 2 * value - sum(changes)
    if not 2 <= len(spent) <= most or fee < 0:
        return False
    sums = {0}
    for sats in spent:
        sums |= {s + sats for s in sums}
    return any(first <= s <= first + fee for s in sums)
