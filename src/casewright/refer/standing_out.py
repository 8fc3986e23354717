"""What sets one referred account apart from the case's others: near-identical reports cannot be told apart otherwise.

Each thing that an account did is told with its amount, how many of the referred accounts did it at all, and whether it
is the most; the rarest first: `30 uploads (10 of 48 accounts, the most)`.
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
        """What this account did, rarest first, and from when to when."""
        done = sorted(
            (self._did[name], place, name, words) for place, (name, words) in enumerate(DEEDS) if account[name]
        )
        said = [
            f"{words.format(*_amounts(account, name))} ({self._among(account, name)})" for _, _, name, words in done
        ]
        days = f"; {account['first']:%Y-%m-%d} to {account['last']:%Y-%m-%d}" if account["first"] else ""
        return f"{', '.join(said) or 'nothing on record'}{days}"

    def _among(self, account: Row, name: str) -> str:
        """How many of all did the same."""
        if self._did[name] == 1:
            return f"the only one of {self._size}" if self._size > 1 else "the only account"
        most = ", the most" if account[name] == self._most[name] else ""
        return f"{self._did[name]} of {self._size} accounts{most}"


def _amounts(account: Row, name: str) -> tuple[Any, ...]:
    if name != "satoshis":
        return (account[name],)
    count = account["payments"]
    return in_coins(account[name]), f"{count} payments" if count > 1 else "one payment"
