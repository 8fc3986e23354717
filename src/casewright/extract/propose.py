"""Proposing a mapping for a schema that nobody told us, by looking at what the columns hold.

Values decide: an address whose checksum holds, an email, an IP, a time, a hash. Names only break ties. The table that
others refer to and that holds names or emails is the accounts'. Every guess says why and shows a value; what is too
weak is left out, and said.
"""

import re
from collections.abc import Mapping, Sequence

from casewright.extract.columns import Sample
from casewright.extract.finders import (
    FINDERS,
    accounts_table,
    emails_elsewhere,
    names_and_values,
    unowned_addresses,
)
from casewright.extract.guesses import Guesses, key_of, username_of

LOGIN_PATH = re.compile(r"log_?in|sign_?in|session|(?<![a-z])auth(?![a-z])", re.I)
SITES_OWN = re.compile(r"static|asset|css|theme|icon|avatar|/js/", re.I)
NOT_SHOWN = re.compile(r"pass|pwd|secret|salt|token", re.I)
PASSWORD_HASH = re.compile(r"\$\w{1,9}\$|\w+(?:\$[\w+/=.-]+){2,}|\{[A-Z0-9-]+\}")
SHOWN = 60
"""Characters of a value that is shown."""


def propose(tables: Mapping[str, Sample], pages: Sequence[str] = (), folders: Sequence[str] = ()) -> str:
    """The proposal as TOML, with a comment for each guess and for what was left out.

    `pages` are paths that users named in logs asked for, `folders` those below which they took media.
    """
    accounts = accounts_table(tables)
    if accounts is None:
        return "format = 1\n\n# No table looks like accounts: none holds names or emails. Add [accounts].\n"
    lines = [
        "format = 1",
        "",
        "# Proposed by casewright from what the columns hold. Look it over before you accept it.",
        "# Values are shown to help with that: take the comments out before the file goes to anyone else.",
    ]
    of_accounts = _account_columns(accounts)
    lines += _section("accounts", of_accounts)
    used = dict[str, Sample]()
    for ours, finder in FINDERS.items():
        found = finder(tables, accounts, used)
        if found is None:
            lines += ["", f"# [{ours}]: no table looks like it"]
            continue
        lines += _section(ours, found)
        used[ours] = found.table
    lines += _log_section(of_accounts, pages, folders)
    return "\n".join(lines + _left_out(tables, accounts, used)) + "\n"


def _left_out(tables: Mapping[str, Sample], accounts: Sample, used: Mapping[str, Sample]) -> list[str]:
    """What was not mapped, and what stands in it that might be."""
    rest = set(tables) - {accounts.name, *(t.name for t in used.values())}
    notes = [
        f"{name} holds Bitcoin addresses, but no column says whose" for name in unowned_addresses(tables, accounts)
    ]
    notes += [
        f"{name} holds the accounts' emails; a mapping can't join them" for name in emails_elsewhere(tables, accounts)
    ]
    notes += [f"{name} keeps names and values row by row; a mapping can't take them apart"
              for name in names_and_values(tables) if name in rest]  # fmt: skip
    return ["", f"# Tables that were left out: {', '.join(map(_comment, sorted(rest))) or 'none'}",
            *(f"# {_comment(note)}" for note in notes)]  # fmt: skip


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


def _section(ours: str, guesses: Guesses) -> list[str]:
    lines = ["", f"[{ours}]", f"table = {_quoted(guesses.table.name)}    # {guesses.table.rows} rows"]
    for name, (column, why) in guesses.columns.items():
        lines.append(f"{name} = {_quoted(column)}    # {_comment(why + _shown(guesses.table, column))}")
    return lines + [f"# {_comment(note)}" for note in guesses.notes]


def _shown(table: Sample, column: str) -> str:
    """A value of a column, for a person to judge by; never what may be a password's."""
    value = next((v for v in table.columns[column].values if v), "")
    if not value or NOT_SHOWN.search(column) or PASSWORD_HASH.match(value):
        return ""
    return f"; such as {value[:SHOWN]}" + "..." * (len(value) > SHOWN)


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
