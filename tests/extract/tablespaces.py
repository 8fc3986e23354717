"""Tablespaces as tests read and change them."""

import io
import random
import struct
from pathlib import Path
from typing import Any

from casewright.extract.reader import LIVE, Broken, Piece, Rows
from casewright.extract.readers.innodb import read_innodb
from casewright.kernels.pagesums import crc32c_slow
from tests.extract.beside import Files
from tests.extract.mariadb_server import Row

WORDS = "abc XYZ äöü ß ' \\ é \n ☃ % _"
ALL_TYPES = """(id int unsigned PRIMARY KEY AUTO_INCREMENT, t tinyint, tu tinyint unsigned, s smallint, m mediumint,
b bigint, bu bigint unsigned, f float, d double, f2 float(7,3), d2 double(9,2), dec1 decimal(10,2),
dec2 decimal(30,15) unsigned, dec3 decimal(5), c char(10), cl char(10) CHARACTER SET latin1,
cu char(5) CHARACTER SET ucs2, v varchar(50), vl varchar(50) CHARACTER SET latin1, v2 varchar(300), bi binary(5),
vb varbinary(20), tx text, lt longtext CHARACTER SET latin1, bl blob, tb tinyblob, mt mediumtext, da date, ti time,
ti3 time(3), dt datetime, dt6 datetime(6), ts timestamp NULL, ts2 timestamp(2) NULL, y year,
e enum('a,b','c)','d''e'), st set('x','y','z'), bt bit(9), j json, u uuid, i6 inet6, i4 inet4, bool boolean,
vv int AS (t + 1) VIRTUAL, vs int AS (t DIV 2) STORED, df int DEFAULT 5 COMMENT 'hello, x', gp point,
zf int ZEROFILL, inv int INVISIBLE DEFAULT 3)"""


def pieces_of(path: Path) -> list[Piece]:
    return list(read_innodb(io.BytesIO(path.read_bytes()), Files(path)))


def rows_of(pieces: list[Piece], origin: str = LIVE) -> list[Row]:
    return [
        dict(zip(piece.columns, values, strict=True))
        for piece in pieces
        if isinstance(piece, Rows) and piece.origin == origin
        for values, *_ in piece.each()
    ]


def broken_of(pieces: list[Piece]) -> list[Broken]:
    return [piece for piece in pieces if isinstance(piece, Broken)]


def summed(page: bytes) -> bytes:
    """A page of MariaDB with the sum that is over all of it."""
    return page[:-4] + struct.pack(">I", crc32c_slow(page[:-4]))


class Values:
    """Values of every type, as SQL."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def insert(self, table: str, count: int) -> str:
        rows = []
        for _ in range(count):
            made = {name: "NULL" if self._dice.random() < 0.15 else getattr(self, kind)(*more)
                    for name, (kind, *more) in KINDS.items()}  # fmt: skip
            rows.append(f"INSERT INTO {table} ({','.join(made)}) VALUES ({','.join(made.values())});")
        return "SET time_zone = '+00:00'; SET sql_mode = '';\n" + "\n".join(rows)

    def number(self, low: int, high: int) -> str:
        return str(self._dice.choice((low, high, self._dice.randint(low, high), self._dice.randint(-9, 9))))

    def real(self, largest: int) -> str:
        dice = self._dice
        return repr(dice.choice((
            dice.uniform(-1000, 1000), round(dice.uniform(-1e6, 1e6), dice.randint(0, 5)),
            dice.choice((1, -1)) * 10.0 ** dice.randint(-largest, largest), 0.1, 1e15, 1e-15, 123456789.0,
        )))  # fmt: skip

    def decimal(self, digits: int, places: int) -> str:
        text = str(self._dice.randint(0, 10 ** self._dice.randint(0, digits) - 1)).zfill(places + 1)
        sign = "-" if digits < 30 and self._dice.random() < 0.5 else ""
        return sign + (f"{text[:-places]}.{text[-places:]}" if places else text)

    def text(self, most: int) -> str:
        text = "".join(self._dice.choice(WORDS) for _ in range(self._dice.randint(0, most)))
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

    def raw(self, most: int) -> str:
        return "x'" + self._dice.randbytes(self._dice.randint(0, most)).hex() + "'"

    def day(self) -> str:
        return f"'{self._dice.randint(1000, 9999):04}-{self._dice.randint(1, 12):02}-{self._dice.randint(1, 28):02}'"

    def clock(self, most: int, digits: int) -> str:
        hour, minute, second = (self._dice.randint(0, n) for n in (most, 59, 59))
        fraction = f".{self._dice.randint(0, 10**digits - 1):0{digits}}" if digits else ""
        return f"{hour:02}:{minute:02}:{second:02}{fraction}"

    def time(self, digits: int) -> str:
        return f"'{self._dice.choice(('', '-'))}{self.clock(837, digits)}'"

    def moment(self, low: int, high: int, digits: int) -> str:
        if self._dice.random() < 0.1:
            return "'0000-00-00 00:00:00'"
        day = f"{self._dice.randint(low, high):04}-{self._dice.randint(1, 12):02}-{self._dice.randint(1, 28):02}"
        return f"'{day} {self.clock(23, digits)}'"

    def uuid(self) -> str:
        return "'" + "-".join(self._dice.randbytes(n).hex() for n in (4, 2, 2, 2, 6)) + "'"

    def one_of(self, *values: str) -> str:
        return self._dice.choice(values)


KINDS: dict[str, tuple[Any, ...]] = {
    "t": ("number", -128, 127), "tu": ("number", 0, 255), "s": ("number", -(1 << 15), (1 << 15) - 1),
    "m": ("number", -(1 << 23), (1 << 23) - 1), "b": ("number", -(1 << 63), (1 << 63) - 1),
    "bu": ("number", 0, (1 << 64) - 1), "f": ("real", 30), "d": ("real", 300), "f2": ("real", 2), "d2": ("real", 5),
    "dec1": ("decimal", 10, 2), "dec2": ("decimal", 30, 15), "dec3": ("decimal", 5, 0), "c": ("text", 10),
    "cl": ("text", 10), "cu": ("text", 5), "v": ("text", 50), "vl": ("text", 50), "v2": ("text", 300),
    "bi": ("raw", 5), "vb": ("raw", 20), "tx": ("text", 2000), "lt": ("text", 20000), "bl": ("raw", 30000),
    "tb": ("raw", 255), "mt": ("text", 100), "da": ("day",), "ti": ("time", 0), "ti3": ("time", 3),
    "dt": ("moment", 1000, 9999, 0), "dt6": ("moment", 1000, 9999, 6), "ts": ("moment", 1971, 2037, 0),
    "ts2": ("moment", 1971, 2037, 2), "y": ("number", 1901, 2155), "e": ("number", 1, 3), "st": ("number", 0, 7),
    "bt": ("number", 0, 511), "j": ("one_of", "'[1, 2]'", "'{\"a\": null}'"), "u": ("uuid",),
    "i6": ("one_of", "'::1'", "'2001:db8::ff00:42:8329'", "'::ffff:192.0.2.1'", "'2001:db8:0:0:1:0:0:1'"),
    "i4": ("one_of", "'192.0.2.1'", "'0.0.0.0'"), "bool": ("number", 0, 1), "df": ("number", -9, 9),
    "gp": ("one_of", "point(1,2)", "point(-3,4.5)"), "zf": ("number", 0, 4_000_000_000),
}  # fmt: skip
