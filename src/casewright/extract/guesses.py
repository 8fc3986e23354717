"""One guess: which column of a table is ours, why, and what was left out because nothing decides.

Values decide; names break ties. Where neither does, nothing is guessed: a wrong column would name wrong people.
"""

import re
from dataclasses import dataclass, field

from casewright.extract.columns import IN_WORDS, Column, Sample


@dataclass(frozen=True)
class Role:
    """What a column of ours looks like: kind of its values, names that speak for it (those that say most first), and
    names that speak against it."""

    kind: str
    prefer: tuple[re.Pattern[str], ...]
    avoid: re.Pattern[str]


def _role(kind: str, *prefer: str, avoid: str = r"(?!)") -> Role:
    return Role(kind, tuple(re.compile(names, re.I) for names in prefer), re.compile(avoid, re.I))


BEGAN = r"join|reg(?!ion|ul|ex)|creat|sign_?up|since|made|add(?!r)|enrol|first|issue|given"
ENDED = r"last|seen|active|login|visit|updat|modif|edit|birth|born|dob|expir|until|delet|bann|verif|paid|change|"
ENDED += r"pass|token|reset"
NO_FILE = r"pass|pwd|token|secret|session|post|key|salt|code|user|image_?hash|id_?hash"
ROLES: dict[str, Role] = {
    "email": _role("email", r"^(?:\w+_)?e?_?mail(_?addr(ess)?)?$",
                   avoid=r"recover|backup|old|alt|second|paypal|parent|billing"),
    "registered_at": _role("time", BEGAN, avoid=ENDED),
    "registered_ip": _role("ip", BEGAN, avoid=r"last|login|current|seen|recent"),
    "address": _role("address", r"deposit|addr|wallet|btc",
                     avoid=r"withdraw|payout|refund|sweep|change|cold|hot|send|dest"),
    "created_at": _role("time", BEGAN, avoid=ENDED),
    "time": _role("time", r"start|began|begun|opened", r"creat|upload|add(?!r)|post|load|fetch|made|log_?in",
                  r"^(?!.*(?:last|thumb)).*(?:time|date|at$|when|seen|log)", avoid=r"updat|modif|delet|expir|edit"),
    "ip": _role("ip", r"^(?:\w+_)?ip(?:_?addr(?:ess)?)?$", r"ip|addr", avoid=r"forward|proxy"),
    "amount": _role("amount", r"amount|sats|satoshi|btc|coin|value|sum|credit|received",
                    avoid=r"balance|fee|rate|price|usd|eur|fiat|after|before|total|time|date|ts$|id$"),
    "txid": _role("sha256", r"tx|trans|hash", avoid=r"block|secret|token|pass|sess|file|image"),
    "note": _role("words", r"note|kind|type|state|status|remark|memo|comment|descr"),
    "agent": _role("agent", r"agent|browser|ua"),
    "reference": _role("path", r"physical|stored|attach_?name|disk_?name|file_?path|^path$|storage|location",
                       r"path", r"ur[il]", r"file|image|media", r".",
                       avoid=r"thumb|preview|avatar|small|refer|orig|mask"),
    "sha256": _role("sha256", r"sha|hash|sum|digest", avoid=NO_FILE),
    "md5": _role("md5", r"md5|hash|sum|digest", avoid=NO_FILE),
}  # fmt: skip
OWNER = re.compile(r"user|uid|member|owner|account|acct|customer|uploader|author|poster", re.I)
NICKS = tuple(re.compile(names, re.I) for names in (
    r"^(?:\w+_)?(?:user_?name|nick(?:_?name)?|login|handle|screen_?name|member_?name)$|^user$",
    r"nick|user_?name|login|handle|screen|alias",
    r"(?<!file)(?<!file_)(?<!host)(?<!domain)name|display",
))  # fmt: skip
NO_NICK = re.compile(
    r"first|last|given|famil|sur_?name|real|full|company|key|token|pass|salt|hash|clean|lower|canon", re.I
)
"""Names of people, secrets, and copies of a name made for comparison."""
COUNTED = re.compile(
    r"count|total|num|fail|since|view|download|size|level|order|sort|rank|hit|score|index|width|height|status|type|posts|"
    r"amount|quantity|qty", re.I
)  # fmt: skip
"""Numbers that count or measure, and only look like keys."""
FLAG = re.compile(r"bit|bool|enum|set|tinyint\s*\(1\)", re.I)


@dataclass
class Guesses:
    """Columns found for one table of ours: `columns[ours] = (column, why)`; `notes` say what was left out."""

    table: Sample
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, *wanted: str) -> None:
        """Guess each of these columns of ours, from columns that are not taken yet."""
        for ours in wanted:
            taken = {name for name, _ in self.columns.values()}
            free = [c for c in self.table.columns.values() if c.name not in taken and c.is_kind(ROLES[ours].kind)]
            self._decide(ours, ROLES[ours], free)

    def _decide(self, ours: str, role: Role, free: list[Column]) -> None:
        what = IN_WORDS[role.kind]
        fitting = [c for c in free if not role.avoid.search(c.name)]
        chosen = preferred(fitting, role.prefer)
        if chosen:
            others = [c.name for c in free if c is not chosen]
            why = f"{chosen.shares[role.kind]:.0%} of {len(chosen.values)} values are {what}"
            self.columns[ours] = chosen.name, why + (f"; also possible: {', '.join(others)}" if others else "")
        elif fitting:
            names = ", ".join(c.name for c in fitting)
            self.notes.append(f"{ours}: left out, nothing decides between {names} ({what})")
        elif free:
            self.notes.append(f"{ours}: left out, {free[0].name} holds {what} but is named otherwise")


def key_of(table: Sample) -> Column | None:
    """The column that tells a table's rows apart: its primary key, or an all-distinct number."""
    if table.primary in table.columns:
        return table.columns[table.primary]
    numbers = (c for c in table.columns.values() if c.is_kind("number") and not c.is_kind("time") and c.distinct == 1)
    return next(numbers, None)


def preferred(columns: list[Column], names: tuple[re.Pattern[str], ...]) -> Column | None:
    """The only column, or the only one among those whose names say most."""
    if len(columns) == 1:
        return columns[0]
    found = next((hit for n in names if (hit := [c for c in columns if n.search(c.name)])), [])
    return found[0] if len(found) == 1 else None


def username_of(table: Sample) -> Column | None:
    """Distinct text that is named like a user name; None when two such columns are alike."""
    taken = ("email", "address", "ip", "time", "sha256", "md5", "path", "number")
    free = [
        c for c in table.columns.values()
        if c.values and c.distinct > 0.9 and not any(map(c.is_kind, taken)) and not NO_NICK.search(c.name)
    ]  # fmt: skip
    named = [c for c in free if any(n.search(c.name) for n in NICKS)]
    if len({tuple(c.values) for c in named}) == 1:  # a copy for addresses of pages, or to compare by
        return next(c for n in NICKS for c in named if n.search(c.name))
    return preferred(named, NICKS)


def owner_of(table: Sample, accounts: Sample) -> tuple[str, str] | None:
    """The column that refers to the accounts and why: declared, or whose values are account keys; None if undecided."""
    key = key_of(accounts)
    if key is None:
        return None
    if table is accounts:
        return key.name, "the accounts' own key"
    declared = [c for c in table.columns.values() if c.refers == accounts.name]
    fitting = declared or [c for c in table.columns.values() if c.name != table.primary and _holds_keys(c, key)]
    why = f"foreign key to {accounts.name}" if declared else f"all its values are keys of {accounts.name}"
    named = [c for c in fitting if c.name == key.name or OWNER.search(c.name)]
    much = [] if named else [c for c in fitting if _says_much(c, accounts) and not COUNTED.search(c.name)]
    for chosen in (fitting if declared else [], named, much):
        if len(chosen) == 1:
            return chosen[0].name, why if declared or chosen is named else why + "; its name does not say so"
    return None


def holds_keys_of(column: Column, table: Sample) -> bool:
    """Whether a column is declared to refer to a table, or all its values may be keys of it."""
    key = key_of(table)
    return key is not None and (column.refers == table.name or _holds_keys(column, key))


def _holds_keys(column: Column, key: Column) -> bool:
    """Whether all values may be keys: numbers within their bounds (0 is nobody), or texts seen as keys."""
    if not column.values or column.refers or FLAG.match(column.declared):
        return False
    if key.is_kind("number"):
        low, high = (
            (key.low, key.high) if key.low is not None else (min(map(_int, key.values)), max(map(_int, key.values)))
        )
        numbers = [_int(v) for v in column.values]
        return (
            low is not None and high is not None and all(n == 0 or low <= n <= high for n in numbers) and any(numbers)
        )
    return sum(v in set(key.values) for v in column.values) >= 0.7 * len(column.values)


def _int(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1


def _says_much(column: Column, accounts: Sample) -> bool:
    """Few small numbers fit any key: a column counts by its values alone only when it holds many different ones."""
    return len(set(column.values)) >= min(5, max(2, accounts.rows // 2))


def is_referred(table: Sample, accounts: Sample) -> bool:
    """Whether `table` refers to `accounts`, declared or by the name of a column that holds its keys."""
    key = key_of(accounts)
    return key is not None and table is not accounts and any(
        c.refers == accounts.name
        or (c.name != table.primary and (c.name == key.name or OWNER.search(c.name)) and _holds_keys(c, key))
        for c in table.columns.values()
    )  # fmt: skip
