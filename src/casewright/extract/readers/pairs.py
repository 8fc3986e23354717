"""Character sets in which the second byte of a character may look like a backslash, a backtick or a letter.

Sources: MySQL Reference Manual and PostgreSQL documentation on the sets; ISO/IEC 2022's predecessors of each vendor
(code pages 932, 936, 949 and 950 as published by Unicode, Inc.).
"""

import re

SHIFT_JIS = rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]"
GBK = rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]"
PAIRS = {
    "big5": rb"[\xa1-\xf9][\x40-\x7e\xa1-\xfe]",
    "cp932": SHIFT_JIS,
    "gb18030": GBK,
    "gbk": GBK,
    "johab": rb"[\x84-\xd3\xd8-\xde\xe0-\xf9][\x31-\x7e\x81-\xfe]",
    "sjis": SHIFT_JIS,
}
"""A character of two bytes, as a pattern of two classes."""


def halves(charset: str) -> tuple[list[int], list[int]]:
    """The bytes that may be the first, and the second, of a character of two."""
    first, second = (re.compile(half + b"]") for half in PAIRS[charset].split(b"]")[:2])
    return [n for n in range(256) if first.match(bytes([n]))], [n for n in range(256) if second.match(bytes([n]))]


def string_body(quote: bytes, pair: bytes, escape: bytes) -> bytes:
    """A pattern for what stands between two quotes, in which the quote is doubled. Possessive, so that a string that
    is cut off matches nothing. `escape`: a pattern for a backslash and what follows it; nothing where it is a sign."""
    lead = pair.partition(b"]")[0][1:]
    plain = b"[^" + quote + (b"\\\\" if escape else b"") + lead + b"]++"
    return b"(?:" + b"|".join(filter(None, (plain, pair, lead and b"[" + lead + b"]", escape, quote * 2))) + b")*+"
