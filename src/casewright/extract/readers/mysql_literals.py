"""The values of a dump's rows, as bytes.

Rules: MariaDB Knowledge Base, "String Literals", "Hexadecimal Literals", "Bit Literals". Numbers stay as they are
written; TRUE and FALSE are 1 and 0, as the server stores them.
"""

import re

from casewright.extract.readers.mysql_charsets import in_utf8

Value = bytes | None

NAME = rb'(?:`(?:[^`]|``)++`|"(?:[^"]|"")++"|[\w$\x80-\xff]++)'
ESCAPES = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}
WORDS: dict[bytes, Value] = {b"NULL": None, b"TRUE": b"1", b"FALSE": b"0"}


class NoLiteralError(ValueError):
    """Bytes that stand where a value must, and are none."""


def value_of(match: re.Match[bytes], escaped: re.Pattern[bytes]) -> Value:
    """The value that a `Lexis` matched, as bytes; `escaped` is that lexis's. Raises NoLiteralError."""
    _, kind, single, double, word, _ = match.groups()
    if single is None:
        return bare(word) if double is None else _unescaped(double, b'""', escaped)
    if kind and kind not in b"nN":
        return digits(single, 16 if kind in b"xX" else 2)
    return _unescaped(single, b"''", escaped) if b"\\" in single or b"'" in single else single


def introducer_of(match: re.Match[bytes]) -> str | None:
    """The character set that is named before a string; None where none is."""
    if named := match["set"]:
        return named.decode("ascii").lower()
    return "utf8" if match["kind"] in (b"n", b"N") else None


def is_digits(match: re.Match[bytes]) -> bool:
    """Whether a value is written as hex digits or bits, which are bytes and not text."""
    if match["word"] is not None:
        return match["word"][:2] in (b"0x", b"0X", b"0b")
    return match["kind"] in (b"x", b"X", b"b", b"B")


def _unescaped(text: bytes, doubled: bytes, escaped: re.Pattern[bytes]) -> bytes:
    return escaped.sub(lambda m: _escape(m.group(), doubled), text)


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


def unquoted(name: bytes, charset: str = "") -> str:
    """A table's or column's name without its quotes, in a statement of this character set."""
    text = in_utf8(name, charset).decode("utf-8", "backslashreplace")
    quote = text[:1]
    return text[1:-1].replace(quote * 2, quote) if quote in ("`", '"') else text
