"""Which table of an unknown database holds accounts, their addresses, files and sign-ins.

A table is taken by what its columns hold; where several would do, by what else speaks for each.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from casewright.extract.columns import Column, Sample
from casewright.extract.guesses import OWNER, ROLES, Guesses, holds_keys_of, is_referred, owner_of, username_of

UPLOAD = re.compile(r"upload|file|attach|media|item|galler|scan|photo|video|image", re.I)
NO_UPLOAD = re.compile(r"avatar|thumb|comment|message|news|product|order|profile|smil|icon|banner|template|cache", re.I)
DOWNLOAD = re.compile(r"download|fetch|(?<!re)view|access(?!.*(?:token|attempt|right|control))|hits?$|purchase", re.I)
SIGN_IN = re.compile(r"log_?in|session|sign_?in|auth(?!or)|visit|(?<![a-z])ip_?log", re.I)
SEEN = re.compile(r"(?:^|_)ips?(?:_|$)|access|(?:^|_)log|history|online|activity", re.I)
REFUSED = re.compile(r"attempt|fail|strike|bann?|block|lock", re.I)
NO_SIGN_IN = re.compile(
    r"order|comment|post|thread|topic|messag|mail|invoice|pay|admin|moder|vote|poll|review|download|upload|report", re.I
)
PAID_OUT = re.compile(r"withdraw|payout|refund|sweep", re.I)
PAID_IN = re.compile(r"deposit|credit|pay(?!out)|top_?up|ledger|incoming|receiv|balance|fund|transact", re.I)
COINS = re.compile(r"btc|bitcoin|coin|satoshi|(?:^|_)sats?(?:_|$)", re.I)
SECRET = re.compile(r"pass|pwd|secret|salt|hash", re.I)
THING = re.compile(r"(?:^|_)id$|id$|_(?:ref|key)$", re.I)
NO_THING = re.compile(r"order|cart|store|shop|session|group|status|type|lang|parent|forum|topic|thread", re.I)
MOST_REFERRED = 6


class Finder(Protocol):
    def __call__(
        self, tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample]
    ) -> Guesses | None: ...


def accounts_table(tables: Mapping[str, Sample]) -> Sample | None:
    """Holds emails or names, has passwords, and is referred to by others."""

    looking = {name: table for name, table in tables.items() if table.rows and _looks(table)}

    def score(table: Sample) -> tuple[int, int]:
        looks = _looks(table)
        if any(adds_to(table, other) for other in looking.values() if other is not table):
            looks -= 4
        secrets = any(SECRET.search(c.name) for c in table.columns.values())
        referred = sum(is_referred(t, table) for t in tables.values())
        return looks + 2 * secrets + min(referred, MOST_REFERRED), table.rows

    return max(looking.values(), key=score, default=None)


def _looks(table: Sample) -> int:
    """How much a table's own columns look like accounts': not at all without emails and names."""
    emails = any(c.is_kind("email") and c.distinct > 0.5 for c in table.columns.values())
    return 2 * emails + (username_of(table) is not None)


def adds_to(table: Sample, other: Sample) -> bool:
    """Whether each row of a table belongs to a row of its own of another's: it tells more of those, and is none."""
    return any(
        c.name != table.primary and c.distinct == 1 and (c.refers == other.name or OWNER.search(c.name))
        and c.refers in (None, other.name) and holds_keys_of(c, other)
        for c in table.columns.values()
    )  # fmt: skip


def deposits(tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample]) -> Guesses | None:
    """Accounts' own addresses; not those that they were paid out to."""
    for table in sorted(tables.values(), key=lambda t: (t is not accounts, -t.rows, t.name)):
        owner = owner_of(table, accounts)
        if owner is None or PAID_OUT.search(table.name):
            continue
        guesses = Guesses(table, {"account": owner})
        guesses.take("address")
        if "address" in guesses.columns:
            guesses.take(*(() if table is accounts else ("created_at",)))
            return guesses
    return None


def uploads(tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample]) -> Guesses | None:
    """Whose files, and where they are stored; named like uploads, or with hashes of files."""

    def score(found: Guesses) -> int:
        hashed, named = bool({"sha256", "md5"} & found.columns.keys()), UPLOAD.search(found.table.name)
        against = NO_UPLOAD.search(found.table.name) or _takes(found.table.name)
        return 0 if against else 2 * bool(named) + hashed

    return _best(_transfers(tables, accounts, used), score)


def _takes(name: str) -> bool:
    """Whether a table is named like downloads, and not also like uploads."""
    return DOWNLOAD.search(name) is not None and "upload" not in name.lower()


def downloads(tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample]) -> Guesses | None:
    """Named like downloads, or with keys of the files that were uploaded, and from where they were asked for; what was
    taken is a path, or the key of another table."""
    named = {name: t for name, t in tables.items() if DOWNLOAD.search(name)}
    if found := _best(_transfers(named, accounts, used, keys=True), lambda g: 1 + len(g.columns)):
        return found
    files = used.get("uploads")
    keyed = {name: t for name, t in tables.items() if files and _has_keys_of(files, t)}
    return _best(_transfers(keyed, accounts, used, keys=True), lambda g: {"time", "ip"} <= g.columns.keys())


def _transfers(
    tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample], *, keys: bool = False
) -> Iterable[Guesses]:
    for table in _free(tables, accounts, used):
        if owner := owner_of(table, accounts):
            guesses = Guesses(table, {"account": owner})
            guesses.take("time", "reference", "sha256", "md5", "ip")
            if keys and "reference" not in guesses.columns and (thing := _thing(table, owner[0], used.get("uploads"))):
                guesses.columns["reference"] = thing
            if "reference" in guesses.columns:
                yield guesses


def _has_keys_of(files: Sample, table: Sample) -> bool:
    """Whether a column is declared to refer to the files, or has the name that only their key has."""
    shared = table.primary == files.primary
    return any(c.refers == files.name or (c.name == files.primary and not shared) for c in table.columns.values())


def _thing(table: Sample, owner: str, files: Sample | None) -> tuple[str, str] | None:
    """The column that says by its key what was taken: declared to refer to the files, or the only one named like it."""
    others = [c for c in table.columns.values() if c.name not in (owner, table.primary) and c.is_kind("number")]
    declared = [c for c in others if files and c.refers == files.name]
    like = [c for c in others if THING.search(c.name) and not OWNER.search(c.name) and not NO_THING.search(c.name)]
    named = declared or [c for c in like if files and c.name == files.primary] or like
    if len(named) != 1:
        return None
    return named[0].name, f"foreign key to {files.name}" if declared and files else "the only key of something else"


def logins(tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample]) -> Guesses | None:
    """Whose, when and from where; sessions before logs, and never what keeps refused attempts."""

    def score(found: Guesses) -> int:
        name = found.table.name
        speaks = 3 * bool(SIGN_IN.search(name)) + 2 * ("agent" in found.columns) + bool(SEEN.search(name))
        return 0 if REFUSED.search(name) else speaks - 4 * bool(NO_SIGN_IN.search(name))

    found = list[Guesses]()
    for table in _free(tables, accounts, used):
        if owner := owner_of(table, accounts):
            guesses = Guesses(table, {"account": owner})
            guesses.take("time", "ip", "agent")
            found += [guesses] if {"time", "ip"} <= guesses.columns.keys() else []
    return _best(found, score)


def credits(tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample]) -> Guesses | None:
    """Amounts of an account's, in a table that names transactions or addresses of the chain, or coins. Nothing is taken
    that only its values speak for: many numbers look like amounts."""

    def score(found: Guesses) -> int:
        name, amount = found.table.name, found.columns["amount"][0]
        chain = 2 * ("txid" in found.columns) + ("address" in found.columns) + bool(COINS.search(f"{name} {amount}"))
        return 0 if PAID_OUT.search(name) else chain and chain + bool(PAID_IN.search(name))

    found = list[Guesses]()
    for table in _free(tables, accounts, used):
        owner = owner_of(table, accounts)
        if owner and (OWNER.search(owner[0]) or table.columns[owner[0]].refers == accounts.name):
            guesses = Guesses(table, {"account": owner})
            guesses.take("amount", "txid", "time", "address", "note")
            if "amount" in guesses.columns and ROLES["amount"].prefer[0].search(guesses.columns["amount"][0]):
                found.append(guesses)
    return _best(found, score)


def _free(tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample]) -> list[Sample]:
    """Tables that are not taken yet, the largest first."""
    taken = {accounts.name, *(t.name for t in used.values())}
    return sorted((t for t in tables.values() if t.name not in taken), key=lambda t: (-t.rows, t.name))


def _best(found: Iterable[Guesses], score: Callable[[Guesses], int]) -> Guesses | None:
    """The one for which most speaks, of equals the largest; None where nothing speaks for any."""
    best = max(found, key=score, default=None)
    return best if best and score(best) > 0 else None


FINDERS: Mapping[str, Finder] = {
    "deposit_addresses": deposits,
    "uploads": uploads,
    "downloads": downloads,
    "logins": logins,
    "credits": credits,
}


def unowned_addresses(tables: Mapping[str, Sample], accounts: Sample) -> list[str]:
    """Tables with Bitcoin addresses of which no column refers to the accounts."""
    return [t.name for t in tables.values()
            if any(c.is_kind("address") for c in t.columns.values()) and owner_of(t, accounts) is None]  # fmt: skip


def emails_elsewhere(tables: Mapping[str, Sample], accounts: Sample) -> list[str]:
    """Tables that keep the accounts' emails, where the accounts' own has none."""
    if any(c.is_kind("email") for c in accounts.columns.values()):
        return []
    others = [t for t in tables.values() if t is not accounts and adds_to(t, accounts)]
    return [t.name for t in others if any(c.is_kind("email") for c in t.columns.values())]


def names_and_values(tables: Mapping[str, Sample]) -> list[str]:
    """Tables that keep a name and a value in each row, which a mapping can't take apart."""
    return [t.name for t in tables.values() if _ends(t, "key", "name") and _ends(t, "value")]


def _ends(table: Sample, *endings: str) -> list[Column]:
    return [c for c in table.columns.values() if c.name.lower().endswith(endings)]
