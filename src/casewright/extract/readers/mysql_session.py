"""What a dump's SET statements say of how its other statements are to be read: the connection's character set and
whether a backslash begins an escape.

Sources: MySQL Reference Manual, "SET NAMES", "Server SQL Modes", "SET Syntax for Variable Assignment".
"""

import re
from dataclasses import dataclass, field

from casewright.extract.readers.mysql_charsets import known

SET = re.compile(rb"\s*(?:/\*M?!\d*\s*)?SET\s+(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
NAMES = re.compile(rb"(?:NAMES|CHARACTER\s+SET|CHARSET)\s+['\"]?(\w+)", re.IGNORECASE)
ASSIGNED = re.compile(
    rb"(?<![\w@])(@{0,2}(?:(?:SESSION|LOCAL)\b\s*+\.?\s*+)?\w++)\s*+:?=\s*+"
    rb"('[^']*'|\"[^\"]*\"|[^,;*']++(?:'[^']*'[^,;*']*)*+)",
    re.IGNORECASE,
)
CLIENT, MODE = "character_set_client", "sql_mode"
NO_ESCAPES = "no_backslash_escapes"
MOST_VARIABLES, LONGEST = 1000, 2000
"""More variables than these are not kept, nor more characters of one: a dump needs few."""


@dataclass
class Session:
    """The variables that a dump has set so far. Nothing is known of what a server would have had before."""

    values: dict[str, str] = field(default_factory=dict)

    @property
    def charset(self) -> str:
        """The set in which statements are written; nothing when the dump does not say, or names none that is known."""
        return known(self.values.get(CLIENT, ""))

    @property
    def escapes(self) -> bool:
        """Whether a backslash begins an escape."""
        return NO_ESCAPES not in self.values.get(MODE, "")

    def notice(self, statement: bytes) -> bool:
        """Take what a statement sets; says whether it was a SET."""
        found = SET.match(statement)
        if found is None:
            return False
        rest = found["rest"]
        if names := NAMES.match(rest):
            self.values[CLIENT] = names[1].decode("ascii", "replace").lower()
            return True
        for assigned in ASSIGNED.finditer(rest):
            name = _variable(assigned[1])
            if name in (CLIENT, MODE, *self.values) or len(self.values) < MOST_VARIABLES:
                self.values[name] = self._value(assigned[2])
        return True

    def _value(self, written: bytes) -> str:
        """What is assigned: a word, or what the variables in it have; of a call, its words."""
        text = written[:LONGEST].decode("ascii", "replace").lower()
        said = re.sub(r"@{1,2}[\w.]+", lambda m: self.values.get(_variable(m.group().encode()), ""), text)
        return said[:LONGEST].strip(" '\"")


def _variable(name: bytes) -> str:
    """A variable's name; those of a user keep their sign, those of the server have none."""
    text = name.decode("ascii", "replace").lower()
    return text if text.startswith("@") and not text.startswith("@@") else re.split(r"[@\s.]+", text)[-1]
