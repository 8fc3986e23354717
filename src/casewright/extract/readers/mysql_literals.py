"""The values of a dump's rows, as bytes.

Rules: MariaDB Knowledge Base, "String Literals", "Hexadecimal Literals", "Bit Literals". Numbers stay as they are
written; TRUE and FALSE are 1 and 0, as the server stores them.
"""

import re

Value = bytes | None

NAME = rb'(?:`(?:[^`]|``)++`|"(?:[^"]|"")++"|[\w$\x80-\xff]++)'
VALUE = re.compile(
    rb"\s*+(?:_[A-Za-z0-9]++\s*+(?=[xXbB]?'|0[xXb]))?+"
    rb"(?:(?P<kind>[xXbB]?)'(?P<single>(?:[^'\\]++|\\.|'')*+)'"
    rb'|"(?P<double>(?:[^"\\]++|\\.|"")*+)"'
    rb"|(?P<word>[-+]?[0-9.][0-9A-Za-z.+-]*+|[A-Za-z]++))"
    rb"\s*+(?P<after>[,)])",
    re.DOTALL,
)
"""One value and what follows it. Possessive all along: a string that is cut off matches nothing, never a part of it."""

ESCAPED = re.compile(rb"\\.|''|" + b'""', re.DOTALL)
ESCAPES = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}
WORDS: dict[bytes, Value] = {b"NULL": None, b"TRUE": b"1", b"FALSE": b"0"}


class NoLiteralError(ValueError):
    """Bytes that stand where a value must, and are none."""


def value_of(match: re.Match[bytes]) -> Value:
    """The value that `VALUE` matched. Raises NoLiteralError."""
    kind, single, double, word, _ = match.groups()
    if single is None:
        return bare(word) if double is None else _unescaped(double, b'""')
    if kind:
        return digits(single, 16 if kind in b"xX" else 2)
    return _unescaped(single, b"''") if b"\\" in single or b"'" in single else single


def _unescaped(text: bytes, doubled: bytes) -> bytes:
    return ESCAPED.sub(lambda m: _escape(m.group(), doubled), text)


def _escape(token: bytes, doubled: bytes) -> bytes:
    r"""`\%` and `\_` keep their backslash, as the server has it outside of patterns."""
    if token[:1] != b"\\":
        return token[:1] if token == doubled else token
    letter = token[1:]
    return token if letter in (b"%", b"_") else ESCAPES.get(letter, letter)


def bare(word: bytes) -> Value:
    """A number, hex, bits or a word. Raises NoLiteralError."""
    if word[:2] in (b"0x", b"0X"):
        return digits(word[2:], 16)
    if word[:2] == b"0b":
        return digits(word[2:], 2)
    if word.isalpha():
        if word.upper() not in WORDS:
            raise NoLiteralError(f"{word[:20]!r} is no value")
        return WORDS[word.upper()]
    return word


def digits(text: bytes, base: int) -> bytes:
    """Hex digits or bits as bytes, the first byte filled up with zeros. Raises NoLiteralError."""
    try:
        if base == 16:
            return bytes.fromhex(text.decode("ascii").zfill(len(text) + len(text) % 2))
        return int(text or b"0", 2).to_bytes((len(text) + 7) // 8, "big")
    except ValueError as error:
        raise NoLiteralError(f"{text[:12]!r} are no digits of base {base}") from error


def unquoted(name: bytes) -> str:
    """A table's or column's name without its quotes."""
    quote = name[:1]
    plain = name[1:-1].replace(quote * 2, quote) if quote in (b"`", b'"') else name
    return plain.decode("utf-8", "backslashreplace")
