"""Proposing a mapping for a schema that nobody told us, by looking at what the columns hold.

Values decide: an address whose checksum holds, an email, an IP, a time, a hash. Names only break ties. The table that
others refer to and that holds names or emails is the accounts'. Every guess says why; what is too weak is left out.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from casewright.extract.dump import Row
from casewright.extract.schema import Schema
from casewright.extract.values import text_of, time_of
from casewright.model.bitcoin import valid_address

SAMPLE = 400
SHARE = 0.7
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[A-Za-z]{2,24}")
PATH = re.compile(r"(?:/|\w+/|https?://).*\.\w{2,5}")
HINTS = {
    "username": re.compile(r"nick|user_?name|login|handle|screen|display|name", re.I),
    "upload": re.compile(r"upload|file|post|attach|media|item", re.I),
    "download": re.compile(r"download|fetch|view|access|hit", re.I),
    "login": re.compile(r"login|session|signin|sign_in|auth|visit", re.I),
    "agent": re.compile(r"agent|browser|ua", re.I),
}


@dataclass
class Column:
    """What a column's sampled values look like: for each kind, the share of values that are such."""

    name: str
    declared: str
    values: list[str] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)
    refers: str | None = None

    def is_kind(self, kind: str) -> bool:
        return self.shares.get(kind, 0.0) >= SHARE

    @property
    def distinct(self) -> float:
        return len(set(self.values)) / len(self.values) if self.values else 0.0


@dataclass
class Sample:
    """A table's schema and some of its rows."""

    name: str
    columns: dict[str, Column]
    primary: str | None
    rows: int = 0


def sample(pieces: Iterable[object]) -> dict[str, Sample]:
    """Up to `SAMPLE` rows of each table, as columns."""
    tables: dict[str, Sample] = {}
    for piece in pieces:
        if isinstance(piece, Schema):
            tables[piece.table] = Sample(piece.table, {n: Column(n, t) for n, t in piece.columns}, piece.primary)
            for column, other, _ in piece.foreign:
                tables[piece.table].columns[column].refers = other
        elif isinstance(piece, Row):
            table = tables.setdefault(piece.table, Sample(piece.table, {n: Column(n, "") for n in piece.columns}, None))
            table.rows += 1
            if table.rows <= SAMPLE:
                for name, value in zip(piece.columns, piece.values, strict=True):
                    if value is not None and name in table.columns:
                        table.columns[name].values.append(text_of(value[:4096]) or "")
    for found in tables.values():
        for looked_at in found.columns.values():
            _measure(looked_at)
    return tables


def _measure(column: Column) -> None:
    tests = {
        "address": lambda v: valid_address(v) is not None,
        "email": lambda v: EMAIL.fullmatch(v) is not None,
        "ip": _is_ip,
        "time": lambda v: not (v.isdigit() and len(v) < 9) and time_of(v.encode(), "UTC", 0) is not None,
        "sha256": lambda v: re.fullmatch(r"[0-9A-Fa-f]{64}", v) is not None,
        "md5": lambda v: re.fullmatch(r"[0-9A-Fa-f]{32}", v) is not None,
        "path": lambda v: PATH.fullmatch(v) is not None,
        "number": str.isdigit,
    }
    filled = [v for v in column.values if v]
    for kind, test in tests.items():
        column.shares[kind] = sum(map(test, filled)) / len(filled) if filled else 0.0


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def propose(tables: dict[str, Sample], log_paths: Sequence[str] = ()) -> str:
    """The proposal as TOML; with a comment for each guess, and what was left out."""
    accounts = _accounts_table(tables)
    if accounts is None:
        return "format = 1\n\n# No table looks like accounts: none holds names or emails. Add [accounts].\n"
    lines = [
        "format = 1",
        "",
        "# Proposed by casewright from what the columns hold. Look it over before you accept it.",
    ]
    lines += _section("accounts", accounts, _account_columns(accounts))
    used = {accounts.name}
    for ours, finder in (
        ("deposit_addresses", _deposits),
        ("uploads", _uploads),
        ("downloads", _downloads),
        ("logins", _logins),
    ):
        found = finder(tables, accounts, used)
        if found is None:
            lines += ["", f"# [{ours}]: no table looks like it"]
            continue
        table, columns = found
        lines += _section(ours, table, columns)
        if table is not accounts:
            used.add(table.name)
    lines += _log_section(log_paths)
    rest = sorted(set(tables) - used)
    lines += ["", f"# Tables that were left out: {', '.join(map(_comment, rest)) or 'none'}"]
    return "\n".join(lines) + "\n"


Guesses = dict[str, tuple[str, str]]


def _accounts_table(tables: dict[str, Sample]) -> Sample | None:
    """Holds emails or names, has a key, and is referred to by most others."""
    referred = [c.refers for t in tables.values() for c in t.columns.values() if c.refers]

    def score(table: Sample) -> tuple[int, int, int]:
        emails = any(c.is_kind("email") and c.distinct > 0.5 for c in table.columns.values())
        named = _username(table) is not None
        return (2 * emails + named, referred.count(table.name), table.rows)

    best = max((t for t in tables.values() if t.rows), key=score, default=None)
    return best if best and score(best)[0] else None


def _username(table: Sample) -> Column | None:
    taken = ("email", "address", "ip", "time", "sha256", "md5", "path", "number")
    free = [c for c in table.columns.values() if c.values and c.distinct > 0.9 and not any(map(c.is_kind, taken))]
    hinted = [c for c in free if HINTS["username"].search(c.name)]
    return next(iter(hinted), None)


def _account_columns(table: Sample) -> Guesses:
    guesses: Guesses = {}
    key = table.primary or next(
        (c.name for c in table.columns.values() if c.is_kind("number") and c.distinct == 1), None
    )
    if key:
        guesses["native"] = (key, "primary key")
    if column := _username(table):
        guesses["username"] = (column.name, "distinct text, named like a user name")
    _take(guesses, table, "email", "email")
    _take(guesses, table, "registered_at", "time")
    _take(guesses, table, "registered_ip", "ip")
    return guesses


def _take(guesses: Guesses, table: Sample, ours: str, kind: str) -> None:
    """The first column of that kind that is not taken yet."""
    taken = {name for name, _ in guesses.values()}
    found = [c for c in table.columns.values() if c.is_kind(kind) and c.name not in taken]
    if found:
        others = f"; also possible: {', '.join(c.name for c in found[1:])}" if found[1:] else ""
        guesses[ours] = (
            found[0].name,
            f"{found[0].shares[kind]:.0%} of {len(found[0].values)} values are {WORDS[kind]}{others}",
        )


WORDS = {"email": "emails", "time": "times", "ip": "IP addresses", "address": "Bitcoin addresses whose checksum holds",
         "sha256": "as long as SHA-256", "md5": "as long as MD5", "path": "paths"}  # fmt: skip


def _owner(table: Sample, accounts: Sample) -> tuple[str, str] | None:
    """The column that refers to the accounts: declared, or all of whose values are account keys."""
    if table is accounts:
        key = _account_columns(accounts).get("native")
        return (key[0], "the accounts' own key") if key else None
    declared = [c for c in table.columns.values() if c.refers == accounts.name]
    if declared:
        return declared[0].name, f"foreign key to {accounts.name}"
    key = _account_columns(accounts).get("native")
    known = set(accounts.columns[key[0]].values) if key else set()
    for column in table.columns.values():
        if (
            column.values
            and column.name != table.primary
            and set(column.values) <= known
            and not column.is_kind("time")
        ):
            return column.name, f"all its values are keys of {accounts.name}"
    return None


def _deposits(tables: dict[str, Sample], accounts: Sample, used: set[str]) -> tuple[Sample, Guesses] | None:
    ranked = sorted(tables.values(), key=lambda t: (t is not accounts, -t.rows, t.name))
    for table in ranked:
        owner = _owner(table, accounts)
        if owner and any(c.is_kind("address") and c.distinct > 0.9 for c in table.columns.values()):
            guesses: Guesses = {"account": owner}
            _take(guesses, table, "address", "address")
            if table is not accounts:
                _take(guesses, table, "created_at", "time")
            return table, guesses
    return None


def _transfers(kind: str, tables: dict[str, Sample], accounts: Sample, used: set[str]) -> tuple[Sample, Guesses] | None:
    """A table of accounts' files: a path, and preferably a hash, told apart by its name."""
    for table in sorted(tables.values(), key=lambda t: t.name):
        owner = _owner(table, accounts)
        if table.name in used or owner is None or not HINTS[kind].search(table.name):
            continue
        guesses: Guesses = {"account": owner}
        for ours, what in (("time", "time"), ("reference", "path"), ("sha256", "sha256"), ("md5", "md5"), ("ip", "ip")):
            _take(guesses, table, ours, what)
        if "reference" in guesses:
            return table, guesses
    return None


def _uploads(tables: dict[str, Sample], accounts: Sample, used: set[str]) -> tuple[Sample, Guesses] | None:
    downloads = {t for t in tables if HINTS["download"].search(t) and not re.search("upload", t, re.I)}
    return _transfers("upload", tables, accounts, used | downloads)


def _downloads(tables: dict[str, Sample], accounts: Sample, used: set[str]) -> tuple[Sample, Guesses] | None:
    return _transfers("download", tables, accounts, used)


def _logins(tables: dict[str, Sample], accounts: Sample, used: set[str]) -> tuple[Sample, Guesses] | None:
    for table in sorted(tables.values(), key=lambda t: (not HINTS["login"].search(t.name), t.name)):
        owner = _owner(table, accounts)
        if table.name in used or table is accounts or owner is None:
            continue
        guesses: Guesses = {"account": owner}
        _take(guesses, table, "time", "time")
        _take(guesses, table, "ip", "ip")
        if {"time", "ip"} <= guesses.keys():
            agent = next((c for c in table.columns.values() if HINTS["agent"].search(c.name)), None)
            if agent:
                guesses["agent"] = (agent.name, "named like a user agent")
            return table, guesses
    return None


def _section(ours: str, table: Sample, guesses: Guesses) -> list[str]:
    lines = ["", f"[{ours}]", f"table = {_quoted(table.name)}    # {table.rows} rows"]
    return lines + [f"{name} = {_quoted(column)}    # {_comment(why)}" for name, (column, why) in guesses.items()]


def _log_section(paths: Sequence[str]) -> list[str]:
    """Sign-ins and media folders as the logs' own paths suggest them."""
    logins = sorted({p for p in paths if HINTS["login"].search(p)})
    folders = sorted({p for p in paths if re.search(r"media|download|file|img|image|video", p, re.I)} - set(logins))
    listed = ", ".join(map(_quoted, logins)), ", ".join(map(_quoted, folders))
    return ["", "[logs]", 'user = "username"    # the log\'s user field', f"login_paths = [{listed[0]}]",
            f"download_paths = [{listed[1]}]"]  # fmt: skip


def _quoted(text: str) -> str:
    """A TOML basic string; the seized service's names are data."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
