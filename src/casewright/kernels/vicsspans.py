"""Where the media of a VICS document stand, found in one pass over its bytes, however long it is.

A hash set's root has `value`, a list of media; a case's root has `value`, a list of cases, each with its list `Media`.
`scan` notes where each medium begins and ends, holds the commas of those lists to JSON's grammar (RFC 8259), and copies
everything else: a small document with empty lists, which a JSON parser can check. What is inside a medium it does not
judge; it only follows strings and counts brackets. Compiled when this module is imported, and kept beside it.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

STATE = 16
_DEPTH, _STRING, _ESCAPED, _WORD, _LENGTH, _PENDING, _KEY, _IN_VALUE = range(8)
_IN_MEDIA, _IS_CASE, _EXPECT, _RECORD, _CASES, _MEDIA, _VALUES, _CLOSED = range(8, 16)
RECORD = _RECORD
"""Place in the state of the first byte of the medium or case that is begun; -1: none."""
CASES, MEDIA, VALUES, CLOSED = _CASES, _MEDIA, _VALUES, _CLOSED
"""Places in the state of: cases begun; media that stand in no case; lists `value`; whether the root has ended."""
NO_OBJECT, TOO_DEEP, TOO_MANY_CLOSED, BEHIND_END, COMMA = -1, -2, -3, -4, -5
DEEPEST = 500
WRONG = {
    NO_OBJECT: "an entry is no object",
    TOO_DEEP: f"it is nested more than {DEEPEST} deep",
    TOO_MANY_CLOSED: "it closes more than it opened",
    BEHIND_END: "something follows its end",
    COMMA: "the entries of a list are not parted by single commas",
}
"""What `scan` says instead of how far it came."""
_KEY_VALUE, _KEY_MEDIA = 1, 2
_VALUE_WORD = int.from_bytes(b"value", "big")
_MEDIA_WORD = int.from_bytes(b"Media", "big")
_FIRST, _AFTER, _NEXT = 0, 1, 2  # what a list may go on with: anything; a comma or its end; another object
_BYTES = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_BROKEN_OFF, _NO_WORD = 1, 6
_QUOTED_MEDIA = np.frombuffer(b'"Media"', np.uint8)


def begin() -> NDArray[np.int64]:
    """The state before the first byte."""
    state = np.zeros(STATE, np.int64)
    state[_RECORD] = -1
    return state


@nb.njit(nb.boolean(_BYTES, nb.uint64), cache=True)
def _may_be_media(buffer, at):  # type: ignore[no-untyped-def]
    """Whether `"Media"` stands here, as far as the bytes go."""
    for place in range(min(_QUOTED_MEDIA.size, buffer.size - nb.int64(at))):
        if buffer[nb.int64(at) + place] != _QUOTED_MEDIA[place]:
            return False
    return True


@nb.njit(nb.types.Tuple((nb.int64, nb.int64, nb.int64))(_BYTES, nb.int64, nb.int64, nb.int64), cache=True)
def _inside(buffer, at, depth, around):  # type: ignore[no-untyped-def]
    """Over what is inside a medium: to the bracket that ends it, to a string that may be the key `Media` of a case, or
    to the end of the bytes. Returns the place, the depth there, and whether a string is broken off.

    `around`: the depth around the medium. It does what `scan` does with these bytes, with nothing else in the way.
    """
    place, size, one = np.uint64(at), np.uint64(buffer.size), np.uint64(1)  # without signs: no index is from the end
    while place < size:
        byte = buffer[place]
        if byte == 34:
            if around == 2 and depth == 3 and _may_be_media(buffer, place):
                return nb.int64(place), depth, 0
            place += one
            while place < size:
                byte = buffer[place]
                if byte == 34:
                    break
                if byte == 92:
                    place += one
                place += one
            if place >= size:
                return nb.int64(place), depth, _BROKEN_OFF
        elif byte == 123 or byte == 91:
            depth += 1
            if depth > DEEPEST:
                return nb.int64(place), depth, 0
        elif byte == 125 or byte == 93:
            if depth == around + 1:
                return nb.int64(place), depth, 0
            depth -= 1
        place += one
    return nb.int64(size), depth, 0


@nb.njit(
    nb.types.Tuple((nb.int64, nb.int64, nb.int64))(
        _BYTES, nb.int64, nb.int64[::1], nb.int64[::1], nb.int64[::1], nb.uint8[::1]
    ),
    cache=True,
)
def scan(buffer, at, state, starts, ends, rest):  # type: ignore[no-untyped-def]
    """Go on at byte `at`. Notes media in `starts` and `ends` (behind their last byte) until these are full or the bytes
    end, and writes what else there is to `rest`, which needs room for the buffer and a byte for each case.

    Returns where to go on (or, negative, what is wrong), the number of media, and of bytes in `rest`. `buffer` must
    begin at or before the byte `state[RECORD]`, which counts from its begin.
    """
    found, out = 0, 0
    depth, string, escaped = state[_DEPTH], state[_STRING], state[_ESCAPED]
    word, length, pending, key = state[_WORD], state[_LENGTH], state[_PENDING], state[_KEY]
    in_value, in_media, is_case = state[_IN_VALUE], state[_IN_MEDIA], state[_IS_CASE]
    expect, record, closed = state[_EXPECT], state[_RECORD], state[_CLOSED]
    while at < buffer.size and found < starts.size:
        if record >= 0 and not string and not pending and not key:
            at, depth, quoted = _inside(buffer, at, depth, 4 if in_media else 2)
            if quoted == _BROKEN_OFF:  # a string that goes on behind the bytes; it is none of the words
                string, length = 1, _NO_WORD
                escaped = np.int64(at > buffer.size)
                at = buffer.size
            if depth > DEEPEST:
                return TOO_DEEP, found, out
            if at == buffer.size:
                break
        byte = buffer[at]
        copied = not in_media and (not in_value or (depth > 2 and is_case))
        if string and not escaped and not copied and (length > 5 or (depth != 1 and depth != 3)):
            while at < buffer.size and buffer[at] != 34 and buffer[at] != 92:
                at += 1
            if at == buffer.size:
                break
            byte = buffer[at]
        if string:
            if escaped:
                escaped = 0
            elif byte == 92:  # \
                escaped = 1
            elif byte == 34:
                string = 0
                if depth == 1 or (depth == 3 and in_value and not in_media):
                    pending = 0
                    if length == 5 and word == _VALUE_WORD and depth == 1:
                        pending = _KEY_VALUE
                    elif length == 5 and word == _MEDIA_WORD and depth == 3:
                        pending = _KEY_MEDIA
            if string and (depth == 1 or depth == 3):
                length += 1
                word = (word << 8 | np.int64(byte)) & 0xFFFFFFFFFF
        elif byte == 32 or byte == 10 or byte == 13 or byte == 9:
            pass
        elif closed:
            return BEHIND_END, found, out
        elif (in_media and depth == 4) or (in_value and depth == 2):
            if byte == 123 and expect != _AFTER:  # {
                record, is_case = at, is_case if in_media else 0
                depth += 1
                pending = key = 0
            elif byte == 93 and expect != _NEXT:  # ]
                depth -= 1
                if in_media:
                    in_media = 0
                else:
                    in_value = 0
                copied = True
            elif byte == 44 and expect == _AFTER:
                expect = _NEXT
            elif byte == 44 or byte == 93 or byte == 123:
                return COMMA, found, out
            else:
                return NO_OBJECT, found, out
        elif byte == 34:
            string, word, length = 1, 0, 0
        elif byte == 123 or byte == 91:
            if depth == 0 and byte == 91:
                return NO_OBJECT, found, out
            depth += 1
            if depth > DEEPEST:
                return TOO_DEEP, found, out
            if byte == 91 and depth == 2 and key == _KEY_VALUE:
                in_value, expect = 1, _FIRST
                state[_VALUES] += 1
            elif byte == 91 and depth == 4 and key == _KEY_MEDIA and in_value and not in_media:
                in_media, expect = 1, _FIRST
            key = 0
        elif byte == 125 or byte == 93:
            depth -= 1
            if depth < 0:
                return TOO_MANY_CLOSED, found, out
            if depth == 0:
                closed = 1
            elif in_media and depth == 4:
                starts[found], ends[found] = record, at + 1
                found += 1
                record, expect = -1, _AFTER
            elif in_value and depth == 2 and not in_media:
                if not is_case:
                    starts[found], ends[found] = record, at + 1
                    found += 1
                    state[_MEDIA] += 1
                record, expect = -1, _AFTER
        elif byte == 58:  # :
            key, pending = pending, 0
            if key == _KEY_MEDIA and depth == 3 and not is_case:
                is_case = 1
                if state[_CASES]:
                    rest[out] = 44
                    out += 1
                state[_CASES] += 1
                for earlier in range(record, at):
                    rest[out] = buffer[earlier]
                    out += 1
                record, copied = -1, True
        elif depth == 0:
            return NO_OBJECT, found, out
        elif byte == 44:
            key = pending = 0
        if copied:
            rest[out] = byte
            out += 1
        at += 1
    state[_DEPTH], state[_STRING], state[_ESCAPED] = depth, string, escaped
    state[_WORD], state[_LENGTH], state[_PENDING], state[_KEY] = word, length, pending, key
    state[_IN_VALUE], state[_IN_MEDIA], state[_IS_CASE] = in_value, in_media, is_case
    state[_EXPECT], state[_RECORD], state[_CLOSED] = expect, record, closed
    return at, found, out
