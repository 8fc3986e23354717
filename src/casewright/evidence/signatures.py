"""The long tail of file kinds: puremagic's signatures, asked only where one of them can match.

puremagic holds each of 1,400 signatures against a file, which costs more than hashing it. Most files begin like none:
a look at a few bytes at each place where signatures stand tells so.
"""

from collections.abc import Iterable, Mapping

import puremagic
from puremagic import main as magic

SURE = 0.5
SHORTEST = 5
"""Bytes of a signature from which on puremagic is sure; shorter ones count where a second part may follow."""
LOOK = 4


def kind_by_signature(head: bytes) -> str:
    """The media type, or `application/octet-stream` where no signature is sure enough.

    A weak guess must not send a file to a decoder, nor keep it from one: pictures, videos and texts are told by own
    signatures, not here.
    """
    if not _can_match(head):
        return "application/octet-stream"
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"
    named = next((m.mime_type for m in matches if m.mime_type and m.confidence >= SURE), "")
    return named if named and not named.startswith(("image/", "video/", "text/")) else "application/octet-stream"


def _can_match(head: bytes) -> bool:
    """False only where no signature that counts matches."""
    for at, long, short in _PLACES:
        if head[at : at + LOOK] in long or (short and head.startswith(short, at)):
            return True
    tail = head[-magic.max_foot :]
    return any(row.byte_match in tail for row in magic.magic_footer_array)


def _places(rows: Iterable[magic.PureMagic]) -> list[tuple[int, frozenset[bytes], tuple[bytes, ...]]]:
    """For each offset the first bytes of its signatures, and the signatures that are shorter than those."""
    found: Mapping[int, tuple[set[bytes], set[bytes]]] = {row.offset: (set(), set()) for row in rows}
    for row in rows:
        if len(row.byte_match) >= SHORTEST or row.byte_match in magic.multi_part_dict:
            long, short = found[row.offset]
            (long if len(row.byte_match) >= LOOK else short).add(row.byte_match[:LOOK])
    return [(at, frozenset(long), tuple(sorted(short))) for at, (long, short) in sorted(found.items()) if long or short]


_PLACES = _places(magic.magic_header_array)
