"""Schemas of shops, forums and markets as they are found, filled with invented rows, and what a mapping of each should
say. Tables and columns are facts from public documentation (`about`); every row is made up by a seeded generator.

A column is written `name type [primary] | kind`; a kind is a method of `Rows` and what it is given.
"""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casewright.model.bitcoin import base58check_encode

HERE = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in HERE.glob("*.toml")))
BEGAN, LASTED = 1_483_228_800, 63_000_000
WORDS = ("vase", "amber", "scan", "lintel", "frieze", "plate", "museum", "ledger", "relief", "bronze", "kiln", "folio")
FIRST = ("Anouk", "Bram", "Carla", "Daan", "Elif", "Femke", "Goran", "Hanna", "Iwan", "Jana", "Koen", "Lotte")
LAST = ("Voorbeeld", "Muster", "Exempel", "Esempio", "Ejemplo", "Primer", "Beispiel", "Exemple")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; rv:60.0) Gecko/20100101 Firefox/60.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0 Safari/537.36",
    "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18",
)
META = ("nickname", "first_name", "wp_capabilities", "session_tokens", "billing_email")


@dataclass(frozen=True)
class Column:
    name: str
    declared: str
    primary: bool
    kind: str
    of: str


@dataclass
class Rows:
    """Makes values; `dice` decides."""

    dice: random.Random
    counts: Mapping[str, int]
    number: int = 0
    made: dict[str, Any] = field(default_factory=dict)

    def key(self, of: str) -> int:
        return self.number

    def ref(self, of: str) -> int:
        return self.dice.randint(1, self.counts[of])

    def ref1(self, of: str) -> int:
        return self.counts[of] + 1 - self.number

    foreign = ref

    def small(self, of: str) -> int:
        return self.dice.randrange(int(of))

    def size(self, of: str) -> int:
        return self.dice.randint(10_000, 9_000_000)

    def amount(self, of: str) -> str:
        return f"{self.dice.randint(1, 99_999) / 1000:.8f}"

    def zero(self, of: str) -> int:
        return 0

    def null(self, of: str) -> None:
        return None

    def empty(self, of: str) -> str:
        return ""

    def const(self, of: str) -> str:
        return of

    def unix(self, of: str) -> int:
        return 0 if of == "or 0" and self.dice.random() < 0.2 else BEGAN + self.dice.randrange(LASTED)

    def datetime(self, of: str) -> str:
        day, second = self.dice.randint(1, 28), self.dice.randrange(86_400)
        return (
            f"{self.dice.choice((2017, 2018))}-{self.dice.randint(1, 12):02}-{day:02} "
            f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        )

    def date(self, of: str) -> str:
        return self.datetime(of)[:10]

    def nick(self, of: str) -> str:
        return f"{self.dice.choice(WORDS)}{self.dice.randint(1, 10_000)}"

    def same(self, of: str) -> Any:
        return self.made[of]

    def first(self, of: str) -> str:
        return self.dice.choice(FIRST)

    def last(self, of: str) -> str:
        return self.dice.choice(LAST)

    def full(self, of: str) -> str:
        return f"{self.first(of)} {self.last(of)}"

    def phone(self, of: str) -> str:
        return f"555-01{self.dice.randint(0, 99):02}"

    def email(self, of: str) -> str:
        return f"{self.nick(of)}@{self.dice.choice(('example.org', 'example.net', 'mail.example'))}"

    def word(self, of: str) -> str:
        return f"{self.dice.choice(WORDS)}_{self.dice.choice(WORDS)}"

    def words(self, of: str) -> str:
        return " ".join(self.dice.choices(WORDS, k=self.dice.randint(2, 6)))

    def hex(self, of: str) -> str:
        return f"{self.dice.getrandbits(4 * int(of)):0{of}x}"

    def token(self, of: str) -> str:
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"
        return "".join(self.dice.choices(letters, k=40))

    def uuid(self, of: str) -> str:
        raw = self.hex("32")
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}"

    def bcrypt(self, of: str) -> str:
        return "$2y$10$" + (self.token(of) + self.token(of))[:53]

    def pbkdf2(self, of: str) -> str:
        return f"pbkdf2_sha256$260000${self.token(of)[:22]}${self.token(of)}+Ab="

    def ip(self, of: str) -> str:
        return f"{self.dice.choice(('192.0.2', '198.51.100', '203.0.113'))}.{self.dice.randint(1, 254)}"

    def long(self, of: str) -> int:
        return int.from_bytes(bytes(map(int, self.ip(of).split("."))), "big")

    def packed(self, of: str) -> bytes:
        if self.dice.random() < 0.2:
            return bytes.fromhex("20010db8") + bytes(8) + self.dice.randbytes(4)
        return bytes(map(int, self.ip(of).split(".")))

    def agent(self, of: str) -> str:
        return self.dice.choice(AGENTS)

    def page(self, of: str) -> str:
        return f"/{self.dice.choice(WORDS)}.php?id={self.dice.randint(1, 900)}"

    def avatar(self, of: str) -> str:
        return "" if self.dice.random() < 0.5 else f"/avatars/{self.number}.png"

    def file(self, of: str) -> str:
        return f"{self.word(of)}-{self.dice.randint(1, 999)}.jpg"

    def path(self, of: str) -> str:
        return f"scans/2018/{self.hex('8')}.jpg"

    def url(self, of: str) -> str:
        return f"https://forum.example/assets/{self.path(of)}"

    def uri(self, of: str) -> str:
        return f"public://{self.path(of)}"

    def upload(self, of: str) -> str:
        return f"/uploads/default/original/1X/{self.hex('40')}.jpg"

    def thumb(self, of: str) -> str:
        return f"thumbs/{self.hex('8')}.jpg"

    def stored(self, of: str) -> str:
        return f"{self.dice.randint(1, 80)}_{self.hex('32')}"

    def attach(self, of: str) -> str:
        return f"201801/post_{self.dice.randint(1, 80)}_{self.unix('')}_{self.hex('32')}.attach"

    def address(self, of: str) -> str:
        return base58check_encode(b"\0" + self.dice.randbytes(20))

    def meta(self, of: str) -> str:
        return self.dice.choice(META)

    def metavalue(self, of: str) -> str:
        return self.email(of) if self.made["meta_key"] == "billing_email" else self.words(of)


@dataclass(frozen=True)
class Site:
    """A schema, its truth, and a dump of it."""

    name: str
    about: str
    truth: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, tuple[int, tuple[Column, ...]]]

    @property
    def dump(self) -> bytes:
        dice = random.Random(self.name)
        counts = {name: rows for name, (rows, _) in self.tables.items()}
        parts = [_table(name, count, columns, Rows(dice, counts)) for name, (count, columns) in self.tables.items()]
        return b"-- MariaDB dump 10.19\n/*!40101 SET NAMES utf8mb4 */;\n" + b"".join(parts)


def site(name: str) -> Site:
    """The site with this name, one of `NAMES`."""
    found = tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))
    tables = {table: (made["rows"], tuple(map(_column, made["columns"].strip().splitlines())))
              for table, made in found["tables"].items()}  # fmt: skip
    return Site(name, found["about"], found["truth"], tables)


def _column(line: str) -> Column:
    written, kind = line.split(" | ")
    name, _, declared = written.strip().partition(" ")
    what, _, of = kind.partition(" ")
    return Column(name, declared.removesuffix(" primary"), declared.endswith(" primary"), what, of)


def _table(name: str, count: int, columns: tuple[Column, ...], rows: Rows) -> bytes:
    lines = [f"  `{c.name}` {c.declared} DEFAULT NULL" for c in columns]
    lines += [f"  PRIMARY KEY (`{c.name}`)" for c in columns if c.primary]
    lines += [f"  CONSTRAINT `{name}_{c.name}` FOREIGN KEY (`{c.name}`) REFERENCES `{c.of}` (`id`)" for c in columns
              if c.kind == "foreign"]  # fmt: skip
    values = []
    for number in range(1, count + 1):
        rows.number, rows.made = number, {}
        for column in columns:
            rows.made[column.name] = getattr(rows, column.kind)(column.of)
        values.append(b"(" + b",".join(map(_written, rows.made.values())) + b")")
    head = f"CREATE TABLE `{name}` (\n" + ",\n".join(lines) + f"\n) ENGINE=InnoDB;\nINSERT INTO `{name}` VALUES "
    return head.encode() + b",".join(values) + b";\n"


def _written(value: Any) -> bytes:
    if value is None:
        return b"NULL"
    if isinstance(value, bytes):
        return b"0x" + value.hex().encode()
    return str(value).encode() if isinstance(value, int) else b"'" + value.encode() + b"'"


@dataclass(frozen=True)
class Score:
    """How many places of a mapping were proposed as they should be, otherwise than they should, and not at all. The
    table of a section counts as a place; columns of a wrong table are wrong."""

    right: int
    wrong: tuple[str, ...]
    missed: tuple[str, ...]


def score(proposed: Mapping[str, Any], truth: Mapping[str, Mapping[str, str]]) -> Score:
    """A proposal beside the truth."""
    sections = {name: found for name, found in proposed.items() if isinstance(found, dict) and name != "logs"}
    right, wrong, missed = 0, list[str](), list[str]()
    for name in sorted({*sections, *truth}):
        found, true = sections.get(name, {}), truth.get(name, {})
        astray = bool(found) and found["table"] != true.get("table")
        for column in sorted({*found, *true}):
            place = f"{name}.{column}"
            if column not in found:
                missed.append(place)
            elif astray or found[column] != true.get(column):
                wrong.append(f"{place} = {found[column]}")
            else:
                right += 1
    return Score(right, tuple(wrong), tuple(missed))
