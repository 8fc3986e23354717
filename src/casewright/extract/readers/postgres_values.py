"""Values as PostgreSQL's dumps write them, as the contract has them.

Source: PostgreSQL documentation, "COPY" (text format), "String Constants" (4.1.2.1), "Binary Data Types" (8.4).
"""

import re
from dataclasses import dataclass
from functools import cache

from casewright.extract.readers.gathering import Convert
from casewright.extract.readers.pairs import PAIRS, string_body

ESCAPE = rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))"
LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
STRING_ESCAPE = rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|''"
CAST = rb"""(?:::[\w. "]+(?:\[\])?)?\s*(?P<end>[,)])"""
BYTEA_ESCAPE = re.compile(rb"\\(?:([0-7]{3})|\\)")
CODECS = {
    "utf8": "utf-8", "unicode": "utf-8", "latin1": "latin-1", "latin2": "iso8859-2", "latin3": "iso8859-3",
    "latin4": "iso8859-4", "latin5": "iso8859-9", "latin6": "iso8859-10", "latin7": "iso8859-13",
    "latin8": "iso8859-14", "latin9": "iso8859-15", "latin10": "iso8859-16", "iso_8859_5": "iso8859-5",
    "iso_8859_6": "iso8859-6", "iso_8859_7": "iso8859-7", "iso_8859_8": "iso8859-8", "koi8r": "koi8-r",
    "koi8u": "koi8-u", "euc_jp": "euc-jp", "euc_kr": "euc-kr", "euc_cn": "gb2312", "johab": "johab",
    "euc_jis_2004": "euc_jis_2004", "sjis": "cp932", "mskanji": "cp932", "shiftjis": "cp932", "win932": "cp932",
    "windows932": "cp932", "shift_jis_2004": "shift_jis_2004", "big5": "cp950", "win950": "cp950",
    "windows950": "cp950", "gbk": "gbk", "win936": "gbk", "windows936": "gbk", "gb18030": "gb18030", "uhc": "cp949",
    "win949": "cp949", "windows949": "cp949",
    **{f"win{n}": f"cp{n}" for n in (866, 874, *range(1250, 1259))},
}  # fmt: skip


ASCII = str.maketrans("¥‾", "\\~")
"""Python reads two bytes of Shift-JIS 2004 as Japan's form of ASCII has them, PostgreSQL as ASCII does."""
HIDING = {"cp932": "cp932", "shift_jis_2004": "cp932", "cp950": "big5", "gbk": "gbk", "gb18030": "gb18030",
          "johab": "johab"}  # fmt: skip
"""Codecs in which a backslash may be the second byte of a character, and their pairs."""


@dataclass(frozen=True)
class Escapes:
    """Patterns for what has backslashes in it, which an encoding decides. Whole characters are matched too."""

    of_copy: re.Pattern[bytes]
    of_string: re.Pattern[bytes]
    to_quote: re.Pattern[bytes]
    """From behind a string's first quote to behind its last."""
    value: re.Pattern[bytes]


@cache
def escapes_in(encoding: str) -> Escapes:
    """The patterns for dumps in this encoding."""
    pair = PAIRS.get(HIDING.get(codec_of(encoding), ""), b"")
    body, pair = string_body(b"'", pair, rb"\\."), pair and pair + b"|"
    value = rb"\s*[eE]?'(?P<text>" + body + rb")'" + CAST
    return Escapes(*(re.compile(p, re.DOTALL) for p in (pair + ESCAPE, pair + STRING_ESCAPE, body + b"'", value)))


def codec_of(encoding: str) -> str:
    """Python's codec for an encoding of PostgreSQL's; UTF-8 for one that it does not have."""
    return CODECS.get(encoding.lower().replace("-", "_"), "utf-8")


def copied(raw: bytes, escapes: Escapes) -> bytes | None:
    """A field of COPY's text format."""
    if raw == b"\\N":
        return None
    return escapes.of_copy.sub(_plain, raw) if b"\\" in raw else raw


def _plain(match: re.Match[bytes]) -> bytes:
    if match[0][:1] != b"\\":
        return match[0]
    octal, hexadecimal, other = match.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    return bytes([int(hexadecimal, 16)]) if hexadecimal else LETTERS.get(other, other)


def unquoted(raw: bytes, escapes: Escapes | None) -> bytes:
    """The text of a string constant, without its quotes. `escapes`: where a backslash begins one."""
    return escapes.of_string.sub(_of_string, raw) if escapes else raw.replace(b"''", b"'")


def _of_string(match: re.Match[bytes]) -> bytes:
    if match[0][:1] not in (b"\\", b"'"):
        return match[0]
    octal, hexadecimal, short, long, other = match.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if short or long:
        number = int(short or long, 16)
        return chr(number).encode("utf-8", "replace") if number < 0x110000 else match.group()
    return LETTERS.get(other, other) if other else b"'"


def converter(declared: str, encoding: str) -> Convert | None:
    """What turns a text value of this type into the contract's; None where nothing has to be done.

    `bytea` becomes its bytes, `boolean` 1 or 0, and text UTF-8 when the dump is in another encoding that is known.
    """
    kind = declared.partition("(")[0].strip()
    if kind == "bytea":
        return _bytes
    if kind in ("boolean", "bool"):
        return _boolean
    codec = codec_of(encoding)
    return None if codec == "utf-8" else lambda raw: _text(raw, codec)


def _bytes(raw: bytes) -> bytes:
    if raw[:2] == b"\\x":
        try:
            return bytes.fromhex(raw[2:].decode("ascii"))
        except ValueError:
            return raw
    return BYTEA_ESCAPE.sub(lambda m: bytes([int(m[1], 8) & 0xFF]) if m[1] else b"\\", raw)


def _boolean(raw: bytes) -> bytes:
    return {b"t": b"1", b"true": b"1", b"f": b"0", b"false": b"0"}.get(raw.lower(), raw)


def text_in(raw: bytes, encoding: str) -> str:
    """Words and names of a dump in this encoding."""
    return in_utf8(raw, encoding).decode("utf-8", "backslashreplace")


def in_utf8(raw: bytes, encoding: str) -> bytes:
    """Text of a dump in this encoding, as UTF-8 where that can be done."""
    return _text(raw, codec_of(encoding))


def _text(raw: bytes, codec: str) -> bytes:
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        return raw
    return (text.translate(ASCII) if codec == "shift_jis_2004" else text).encode()
