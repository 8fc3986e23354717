"""Values as PostgreSQL's dumps write them, as the contract has them.

Source: PostgreSQL documentation, "COPY" (text format), "String Constants" (4.1.2.1), "Binary Data Types" (8.4).
"""

import re

from casewright.extract.readers.gathering import Convert

ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)
LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
STRING_ESCAPE = re.compile(
    rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|''", re.DOTALL
)
BYTEA_ESCAPE = re.compile(rb"\\(?:([0-7]{3})|\\)")
CODECS = {
    "utf8": "utf-8", "unicode": "utf-8", "latin1": "latin-1", "latin2": "iso8859-2", "latin3": "iso8859-3",
    "latin4": "iso8859-4", "latin5": "iso8859-9", "latin6": "iso8859-10", "latin7": "iso8859-13",
    "latin8": "iso8859-14", "latin9": "iso8859-15", "latin10": "iso8859-16", "iso_8859_5": "iso8859-5",
    "iso_8859_6": "iso8859-6", "iso_8859_7": "iso8859-7", "iso_8859_8": "iso8859-8", "koi8r": "koi8-r",
    "koi8u": "koi8-u", "euc_jp": "euc-jp", "euc_kr": "euc-kr", "euc_cn": "gb2312", "johab": "johab",
    **{f"win{n}": f"cp{n}" for n in (866, 874, *range(1250, 1259))},
}  # fmt: skip


def copied(raw: bytes) -> bytes | None:
    """A field of COPY's text format."""
    if raw == b"\\N":
        return None
    return ESCAPE.sub(_plain, raw) if b"\\" in raw else raw


def _plain(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, other = match.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    return bytes([int(hexadecimal, 16)]) if hexadecimal else LETTERS.get(other, other)


def unquoted(raw: bytes, *, escapes: bool) -> bytes:
    """The text of a string constant, without its quotes. `escapes`: a backslash begins one."""
    return STRING_ESCAPE.sub(_of_string, raw) if escapes else raw.replace(b"''", b"'")


def _of_string(match: re.Match[bytes]) -> bytes:
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
    codec = CODECS.get(encoding.lower().replace("-", "_"), "utf-8")
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
    return _text(raw, CODECS.get(encoding.lower().replace("-", "_"), "utf-8"))


def _text(raw: bytes, codec: str) -> bytes:
    try:
        return raw.decode(codec).encode()
    except UnicodeDecodeError:
        return raw
