"""What sets one referred account apart from the case's others: near-identical reports cannot be told apart otherwise.

Each thing that an account did is told with its amount, how many of the referred accounts did it at all, and whether it
is the most; the rarest first: `30 uploads (the most): 10 of 48 accounts`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from casewright.model.bitcoin import in_coins

Row = Mapping[str, Any]
DEEDS = (
    ("new_media", "{} media on no list"),
    ("listed_media", "{} on a list or near one"),
    ("uploads", "{} uploads"),
    ("satoshis", "{} BTC in {}"),
    ("downloads", "{} downloads"),
)


class Crowd:
    """All referred accounts of the case."""

    def __init__(self, accounts: Sequence[Row]) -> None:
        self._size = len(accounts)
        self._did = {name: sum(a[name] > 0 for a in accounts) for name, _ in DEEDS}
        self._most = {name: max((a[name] for a in accounts), default=0) for name, _ in DEEDS}

    def words(self, account: Row) -> str:
        """What this account did, rarest first, and from when to when. What equally many did is told together."""
        done: dict[int, list[str]] = {}
        for name, words in DEEDS:
            if account[name]:
                most = " (the most)" if account[name] == self._most[name] and self._did[name] > 1 else ""
                done.setdefault(self._did[name], []).append(words.format(*_amounts(account, name)) + most)
        said = [f"{', '.join(deeds)}: {self._among(count)}" for count, deeds in sorted(done.items())]
        days = [f"{account['first']:%Y-%m-%d} to {account['last']:%Y-%m-%d}"] if account["first"] else []
        return "; ".join([*(said or ["nothing on record"]), *days])

    def _among(self, count: int) -> str:
        if count == 1:
            return f"the only one of {self._size} accounts" if self._size > 1 else "the only account"
        return f"{count} of {self._size} accounts"


def _amounts(account: Row, name: str) -> tuple[Any, ...]:
    if name != "satoshis":
        return (account[name],)
    count = account["payments"]
    return in_coins(account[name]), f"{count} payments" if count > 1 else "one payment"
