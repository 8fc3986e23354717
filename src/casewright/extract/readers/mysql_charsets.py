"""The character sets that MySQL and MariaDB name, and what their bytes mean.

Sources: MySQL Reference Manual, "Supported Character Sets and Collations"; MariaDB Knowledge Base, "Supported Character
Sets and Collations". Where a set has a codec of Python's, `CHANGED` says in which bytes the server reads it otherwise;
a test holds every set against a server. Where the server has no character at all, Python's is kept.
"""

import codecs
import re
from functools import cache

BINARY = "binary"
UTF8 = ("utf8", "utf8mb3", "utf8mb4")
WIDE = {"ucs2": "utf-16-be", "utf16": "utf-16-be", "utf16le": "utf-16-le", "utf32": "utf-32-be"}
"""Sets whose ASCII takes more than a byte: columns have them, a connection can't."""
DOUBLE = {
    "big5": "cp950", "cp932": "cp932", "eucjpms": "euc_jp", "euckr": "cp949", "gb18030": "gb18030", "gb2312": "gb2312",
    "gbk": "gbk", "sjis": "shift_jis", "ujis": "euc_jp",
}  # fmt: skip
SINGLE = {
    "armscii8": "latin-1", "ascii": "ascii", "cp1250": "cp1250", "cp1251": "cp1251", "cp1256": "cp1256",
    "cp1257": "cp1257", "cp850": "cp850", "cp852": "cp852", "cp866": "cp866", "dec8": "latin-1", "geostd8": "cp1252",
    "greek": "iso8859-7", "hebrew": "iso8859-8", "hp8": "hp-roman8", "keybcs2": "cp437", "koi8r": "koi8-r",
    "koi8u": "koi8-u", "latin1": "cp1252", "latin2": "iso8859-2", "latin5": "iso8859-9", "latin7": "iso8859-13",
    "macce": "mac_latin2", "macroman": "mac_roman", "swe7": "ascii", "tis620": "tis_620",
}  # fmt: skip
CHANGED: dict[str, dict[int, str]] = {
    "armscii8": {
        0xA1: "❁§։)(»«—.՝,-՟…՜՛՞ԱաԲբԳգԴդԵեԶզԷէԸըԹթԺժԻիԼլԽխԾծԿկՀհՁձՂղՃճՄմՅյՆնՇշՈոՉչՊպՋջՌռՍսՎվՏտՐրՑցՒւՓփՔքՕօՖֆ’'"
    },
    "cp866": {0xFC: "ⁿ²"},
    "dec8": {0xA8: "¤", 0xD7: "Œ", 0xDD: "Ÿ", 0xF7: "œ", 0xFD: "ÿ"},
    "geostd8": {0xA0: "\xa0¡¢£¤¥¦§¨©ª«¬\xad®¯°±²³´µ¶·¸¹º»¼½¾¿აბგდევზჱთიკლმნჲოპჟრსტჳუფქღყშჩცძწჭხჴჯჰჵ", 0xFD: "№"},
    "greek": {0xA1: "ʽʼ"},
    "hebrew": {0xAF: "‾"},
    "keybcs2": {0x80: "ČüéďäĎŤčěĚĹÍľĺÄÁÉžŽôöÓůÚýÖÜŠĽÝŘťáíóúňŇŮÔšřŕŔ¼§»«", 0xAD: "¡«»"},
    "koi8u": {0x95: "•"},
    "latin1": {byte: chr(byte) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)},
    "swe7": {0x40: "É", 0x5B: "ÄÖÅÜ", 0x60: "é", 0x7B: "äöåü"},
}
READ_AS = {
    "sjis": str.maketrans("＼", "\\"),
    "ujis": str.maketrans("＼", "\\"),
    "big5": str.maketrans("‧﹑¯～⊕⊙∕﹨￥￠￡", "•､‾∼♁☉／＼¥¢£"),
}
"""Characters that the server reads otherwise in sets of two bytes."""
EUC = re.compile(rb"([\xa1-\xfe]{2})|(?:\x8f..|\x8e.|[\x80-\xff])", re.DOTALL)
"""A character of EUC that is not ASCII; of two bytes, or of a set that a byte announces."""
UNDEFINED = "\ufffe"
READ = frozenset((*WIDE, *DOUBLE, *SINGLE))


def known(name: str) -> str:
    """A set's name as the keys above have it; nothing for one that is not known."""
    name = name.lower()
    return name if name == BINARY or name in UTF8 or name in READ else ""


def stays(name: str) -> bool:
    """Whether text of this set is taken as it stands: UTF-8, bytes, or a set that is not known."""
    return name not in READ


def keeps_ascii(name: str) -> bool:
    """Whether bytes below 128 are ASCII, so that text without others needs no work."""
    return name not in WIDE and name != "swe7"


def in_utf8(raw: bytes, name: str) -> bytes:
    """Text of this set as UTF-8; what the set has no characters for stays as it is."""
    if stays(name) or (raw.isascii() and keeps_ascii(name)):
        return raw
    try:
        return meaning(raw, name).encode()
    except UnicodeError:  # half a pair of surrogates is decoded, and can't be encoded
        return raw


def meaning(raw: bytes, name: str) -> str:
    """The characters of text of this set. Raises UnicodeError for bytes that it has no characters for."""
    if stays(name):
        return raw.decode()
    if name in SINGLE:
        return codecs.charmap_decode(raw, "strict", _table(name))[0]
    if name == "eucjpms":
        return EUC.sub(_of_microsoft, raw).decode()
    text = raw.decode(WIDE.get(name) or DOUBLE[name])
    return text.translate(READ_AS[name]) if name in READ_AS else text


def _of_microsoft(match: re.Match[bytes]) -> bytes:
    """A character of `eucjpms`, which arranges the characters of `cp932` as EUC does: by row and cell."""
    if not match[1]:
        return match[0].decode("euc_jp").encode()
    first, second = match[1]
    row, cell = first - 0xA1, second - 0xA1
    odd, lead = row % 2, row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if odd else 0x40 + (cell >= 63))
    return bytes([lead, trail]).decode("cp932").encode()


@cache
def _table(name: str) -> str:
    """What each of 256 bytes means."""
    table = [_one(byte, SINGLE[name]) for byte in range(256)]
    for first, characters in CHANGED.get(name, {}).items():
        table[first : first + len(characters)] = characters
    return "".join(table)


def _one(byte: int, codec: str) -> str:
    try:
        return bytes([byte]).decode(codec)
    except UnicodeDecodeError:
        return UNDEFINED
