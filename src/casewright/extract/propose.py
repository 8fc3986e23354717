"""Proposing a mapping for a schema that nobody told us, by looking at what the columns hold.

Values decide: an address whose checksum holds, an email, an IP, a time, a hash. Names only break ties. The table that
others refer to and that holds names or emails is the accounts'. Every guess says why; what is too weak is left out.
"""

import re
from collections.abc import Mapping, Sequence

from casewright.extract.columns import Sample
from casewright.extract.guesses import Guesses, is_referred, key_of, owner_of, username_of

UPLOAD = re.compile(r"upload|file|post|attach|media|item|galler|scan|photo|video", re.I)
DOWNLOAD = re.compile(r"download|fetch|view|access|hits?$|purchase", re.I)
LOGIN = re.compile(r"log_?in|session|sign_?in|auth(?!or)|visit|(?<![a-z])ip_?log", re.I)
PAID_OUT = re.compile(r"withdraw|payout|refund|sweep", re.I)
SECRET = re.compile(r"pass|pwd|secret|salt|hash", re.I)
LOGIN_PATH = re.compile(r"log_?in|sign_?in|session|(?<![a-z])auth(?![a-z])", re.I)
SITES_OWN = re.compile(r"static|asset|css|theme|icon|avatar|/js/", re.I)


def propose(tables: Mapping[str, Sample], pages: Sequence[str] = (), folders: Sequence[str] = ()) -> str:
    """The proposal as TOML, with a comment for each guess and for what was left out.

    `pages` are paths that users named in logs asked for, `folders` those below which they took media.
    """
    accounts = _accounts_table(tables)
    if accounts is None:
        return "format = 1\n\n# No table looks like accounts: none holds names or emails. Add [accounts].\n"
    lines = [
        "format = 1",
        "",
        "# Proposed by casewright from what the columns hold. Look it over before you accept it.",
    ]
    of_accounts = _account_columns(accounts)
    lines += _section("accounts", of_accounts)
    used = {accounts.name}
    for ours, finder in FINDERS.items():
        found = finder(tables, accounts, used)
        if found is None:
            lines += ["", f"# [{ours}]: no table looks like it"]
            continue
        lines += _section(ours, found)
        used.add(found.table.name)
    lines += _log_section(of_accounts, pages, folders)
    rest = sorted(set(tables) - used)
    lines += ["", f"# Tables that were left out: {', '.join(map(_comment, rest)) or 'none'}"]
    return "\n".join(lines) + "\n"


def _accounts_table(tables: Mapping[str, Sample]) -> Sample | None:
    """Holds emails or names, and is referred to by most others."""

    def score(table: Sample) -> tuple[int, int, int]:
        emails = any(c.is_kind("email") and c.distinct > 0.5 for c in table.columns.values())
        secrets = any(SECRET.search(c.name) for c in table.columns.values())
        looks = 2 * emails + (username_of(table) is not None)
        return (looks + (secrets if looks else 0), sum(is_referred(t, table) for t in tables.values()), table.rows)

    best = max((t for t in tables.values() if t.rows), key=score, default=None)
    return best if best and score(best)[0] else None


def _account_columns(table: Sample) -> Guesses:
    guesses = Guesses(table)
    key, name = key_of(table), username_of(table)
    if name:
        guesses.columns["username"] = name.name, "distinct text, named like a user name"
    guesses.take("email", "registered_at", "registered_ip")
    if key and key.name not in {column for column, _ in guesses.columns.values()}:
        native = key.name, "primary key" if key.name == table.primary else "a number that no two rows share"
    else:
        native = guesses.columns.get("username") or guesses.columns["email"]
    return Guesses(table, {"native": native, **guesses.columns}, guesses.notes)


def _deposits(tables: Mapping[str, Sample], accounts: Sample, used: set[str]) -> Guesses | None:
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


def _transfers(table: Sample, accounts: Sample) -> Guesses | None:
    """A table of accounts' files: whose, and where they are stored."""
    owner = owner_of(table, accounts)
    if owner is None or table is accounts:
        return None
    guesses = Guesses(table, {"account": owner})
    guesses.take("time", "reference", "sha256", "md5", "ip")
    return guesses if "reference" in guesses.columns else None


def _uploads(tables: Mapping[str, Sample], accounts: Sample, used: set[str]) -> Guesses | None:
    """Named like uploads, or otherwise with hashes of files."""
    free = [t for t in sorted(tables.values(), key=lambda t: t.name) if t.name not in used and not _takes(t.name)]
    found = [guesses for t in free if (guesses := _transfers(t, accounts))]
    hashed = [g for g in found if {"sha256", "md5"} & g.columns.keys()]
    named = [g for g in found if UPLOAD.search(g.table.name)]
    return next(iter([g for g in named if g in hashed] or named or hashed), None)


def _takes(name: str) -> bool:
    """Whether a table is named like downloads, and not also like uploads."""
    return DOWNLOAD.search(name) is not None and "upload" not in name.lower()


def _downloads(tables: Mapping[str, Sample], accounts: Sample, used: set[str]) -> Guesses | None:
    named = [t for t in sorted(tables.values(), key=lambda t: t.name) if DOWNLOAD.search(t.name) and t.name not in used]
    return next((g for t in named if (g := _transfers(t, accounts))), None)


def _logins(tables: Mapping[str, Sample], accounts: Sample, used: set[str]) -> Guesses | None:
    """Whose, when and from where; named like sign-ins, or with user agents."""
    for table in sorted(tables.values(), key=lambda t: (not LOGIN.search(t.name), t.name)):
        owner = owner_of(table, accounts)
        if table.name in used or owner is None:
            continue
        guesses = Guesses(table, {"account": owner})
        guesses.take("time", "ip", "agent")
        if {"time", "ip"} <= guesses.columns.keys() and (LOGIN.search(table.name) or "agent" in guesses.columns):
            return guesses
    return None


FINDERS = {"deposit_addresses": _deposits, "uploads": _uploads, "downloads": _downloads, "logins": _logins}


def _section(ours: str, guesses: Guesses) -> list[str]:
    lines = ["", f"[{ours}]", f"table = {_quoted(guesses.table.name)}    # {guesses.table.rows} rows"]
    lines += [f"{name} = {_quoted(column)}    # {_comment(why)}" for name, (column, why) in guesses.columns.items()]
    return lines + [f"# {_comment(note)}" for note in guesses.notes]


def _log_section(accounts: Guesses, pages: Sequence[str], folders: Sequence[str]) -> list[str]:
    """Sign-ins and media folders as the logs' own paths suggest them."""
    user = next(name for name in ("username", "email", "native") if name in accounts.columns)
    logins = ", ".join(_quoted(p) for p in sorted(set(pages)) if LOGIN_PATH.search(p))
    media = ", ".join(_quoted(p) for p in sorted(set(folders)) if not SITES_OWN.search(p))
    return ["", "[logs]", f'user = "{user}"    # the log\'s user field', f"login_paths = [{logins}]",
            f"download_paths = [{media}]"]  # fmt: skip


def _quoted(text: str) -> str:
    """A TOML basic string; the seized service's names are data."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
