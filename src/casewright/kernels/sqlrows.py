"""Rows of an INSERT, found in one pass over the bytes: the fast twin of `extract/readers/mysql_grammar.py`'s patterns.

`scan` tells where the values of each row stand and what they are; `fill` writes one column's values out. What `scan`
does not know (strings in double quotes, bits, words other than NULL, comments) it leaves to the slow reader, row by
row; so it need not know everything to be right. Both are compiled when this module is imported, and kept beside it;
children get them from the process that they are forked from.
"""

import numba as nb
import numpy as np

NULL, PLAIN, ESCAPED, HEX, BARE = 0, 1, 2, 3, 4
AS_BYTES, AS_UTF8, KIND = 16, 32, 15
"""Marks on a kind: `_binary` or `_utf8`, `_utf8mb4` stood before the string. `KIND` leaves them out."""
FIRST, SECOND, QUOTE, ESCAPE = 1, 2, 4, 8
"""What a byte may be within a string: the first or second of a character of two bytes, the quote, or a backslash that
begins an escape."""
SPEAKS = FIRST | QUOTE | ESCAPE
ENDED, MORE, ODD_ROW, ODD_AFTER, FULL = 0, 1, 2, 3, 4
"""Why `scan` stopped: the statement ended; the bytes end in a row; a row, or what follows one, is not known here; there
is no room for another row."""
NAMED = np.zeros(256, np.uint8)
for _letter, _byte in zip(b"0bnrtZ", b"\0\b\n\r\t\x1a", strict=True):
    NAMED[_letter] = _byte
IS_NAMED = np.zeros(256, np.bool_)
IS_NAMED[list(b"0bnrtZ")] = True
SPACE, LETTER, WORD, DIGITS = (np.zeros(256, np.bool_) for _ in range(4))
SPACE[list(b" \t\n\r\f\v")] = True
LETTER[list(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = True
WORD |= LETTER
WORD[list(b".+-")] = True
DIGITS[list(b"0123456789abcdefABCDEF")] = True
BINARY, UTF8 = np.frombuffer(b"_binary", np.uint8), np.frombuffer(b"_utf8", np.uint8)
_BYTES = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_LONG, _INT, _BYTE = nb.int64[::1], nb.int32[::1], nb.uint8[::1]


@nb.njit(nb.int64(_BYTES, nb.int64), cache=True, inline="always")
def _skip(buffer, at):  # type: ignore[no-untyped-def]
    while at < buffer.size and SPACE[buffer[at]]:
        at += 1
    return at


@nb.njit(nb.types.Tuple((nb.int64, nb.int32))(_BYTES, nb.int64, _BYTES), cache=True)
def _string(buffer, at, signs):  # type: ignore[no-untyped-def]
    """Behind the closing quote of the string that begins at `at`, and how many bytes it loses; 0 when it has no end."""
    lost = 0
    while at < buffer.size:
        sign = signs[buffer[at]] & SPEAKS
        if not sign:
            at += 1
        elif sign == ESCAPE:
            if at + 1 >= buffer.size:
                return 0, 0
            if buffer[at + 1] != 37 and buffer[at + 1] != 95:
                lost += 1
            at += 2
        elif sign == QUOTE:
            if at + 1 >= buffer.size:
                return 0, 0  # a second quote may follow
            if buffer[at + 1] != 39:
                return at + 1, lost
            lost += 1
            at += 2
        else:
            at += 2 if at + 1 < buffer.size and signs[buffer[at + 1]] & SECOND else 1
    return 0, 0


@nb.njit(nb.boolean(_BYTES, nb.int64, nb.int64, _BYTES), cache=True)
def _begins(buffer, begin, end, word):  # type: ignore[no-untyped-def]
    """Whether what stands here begins with a word."""
    if end - begin < word.size:
        return False
    same = 0
    while same < word.size and buffer[begin + same] == word[same]:
        same += 1
    return same == word.size


@nb.njit(nb.int64(_BYTES, nb.int64, _BYTES, nb.int64, _LONG, _INT, _INT, _BYTE), cache=True)
def _value(buffer, at, signs, place, starts, lengths, outs, kinds):  # type: ignore[no-untyped-def]
    """Note the value that stands at `at`; returns what follows it, -1 when the bytes end in it, -2 when it is odd."""
    size, mark = buffer.size, 0
    at = _skip(buffer, at)
    if at < size and buffer[at] == 95:  # _charset
        begin = at
        at += 1
        while at < size and LETTER[buffer[at]]:
            at += 1
        if at < size:
            if _begins(buffer, begin, at, BINARY) and at == begin + BINARY.size:
                mark = AS_BYTES
            elif _begins(buffer, begin, at, UTF8):
                mark = AS_UTF8
            else:
                return -2
        at = _skip(buffer, at)
        if at < size and buffer[at] != 39 and buffer[at] != 48:
            return -2
        if at + 1 < size and buffer[at] == 48 and buffer[at + 1] != 120 and buffer[at + 1] != 88:
            return -2
    if at >= size:
        return -1
    byte = buffer[at]
    if byte == 39:
        end, lost = _string(buffer, at + 1, signs)
        if end == 0:
            return -1
        starts[place], lengths[place] = at + 1, end - at - 2
        kinds[place], outs[place] = (ESCAPED if lost else PLAIN) | mark, end - at - 2 - lost
        return end
    begin = at
    while at < size and WORD[buffer[at]]:
        at += 1
    if at >= size:
        return -1
    if byte == 78:  # NULL
        if at - begin != 4 or buffer[begin + 1] != 85 or buffer[begin + 2] != 76 or buffer[begin + 3] != 76:
            return -2
        kinds[place], starts[place], lengths[place], outs[place] = NULL, begin, 0, 0
        return at
    signed = byte == 43 or byte == 45
    first = buffer[begin + signed]
    if at == begin + signed or not (48 <= first <= 57 or first == 46):
        return -2
    if byte == 48 and at - begin > 1:
        second = buffer[begin + 1]
        if second == 98:
            return -2
        if second == 120 or second == 88:
            for index in range(begin + 2, at):
                if not DIGITS[buffer[index]]:
                    return -2
            kinds[place], starts[place] = HEX | mark, begin + 2
            lengths[place], outs[place] = at - begin - 2, (at - begin - 1) // 2
            return at
    kinds[place], starts[place], lengths[place], outs[place] = BARE, begin, at - begin, at - begin
    return at


@nb.njit(
    nb.types.Tuple((nb.int64, nb.int64, nb.int64))(
        _BYTES, nb.int64, nb.int64, _BYTES, _BYTES, nb.int64, _LONG, _INT, _INT, _BYTE, _LONG, _LONG
    ),
    cache=True,
)
def scan(buffer, at, columns, head, signs, most, starts, lengths, outs, kinds, row_starts, row_lengths):  # type: ignore[no-untyped-def]
    """Find up to `most` rows of `columns` values each, the first of which is expected at byte `at`.

    `signs`: what each of 256 bytes may be within a string: the sum of the module's constants. The second byte of a
    character is no sign, whatever it looks like.
    An INSERT whose head is byte for byte `head` goes on where another one ended. The arrays take the values row by row:
    first byte, length, length when written out, kind; and the span of each row. Returns the number of rows, where to go
    on, and why it stopped (module constants). Source of the rules: MariaDB Knowledge Base, "String Literals".
    """
    size, rows = buffer.size, 0
    while True:
        begin = _skip(buffer, at)
        if begin >= size:
            return rows, at, MORE
        if buffer[begin] != 40:  # (
            return rows, at, ODD_ROW
        if rows == most:
            return rows, at, FULL
        here = begin + 1
        for column in range(columns):
            here = _value(buffer, here, signs, rows * columns + column, starts, lengths, outs, kinds)
            if here < 0:
                return rows, at, MORE if here == -1 else ODD_ROW
            here = _skip(buffer, here)
            if here >= size:
                return rows, at, MORE
            if buffer[here] != (41 if column == columns - 1 else 44):
                return rows, at, ODD_ROW
            here += 1
        row_starts[rows], row_lengths[rows] = begin, here - begin
        rows += 1
        at = here
        here = _skip(buffer, here)
        if here >= size:
            return rows, at, ODD_AFTER
        if buffer[here] == 44:
            at = here + 1
            continue
        if buffer[here] != 59:
            return rows, at, ODD_AFTER
        at = here + 1
        here = _skip(buffer, at)
        if here + head.size >= size:
            return rows, at, ENDED
        for index in range(head.size):
            if buffer[here + index] != head[index]:
                return rows, at, ENDED
        here = _skip(buffer, here + head.size)
        if here >= size or buffer[here] != 40:
            return rows, at, ENDED
        at = here


@nb.njit(nb.uint8(nb.uint8), cache=True)
def _digit(byte):  # type: ignore[no-untyped-def]
    return byte - 48 if byte <= 57 else (byte & 0xDF) - 55


@nb.njit(
    nb.void(_BYTES, _BYTES, nb.int64, nb.int64, nb.int64, _LONG, _INT, _BYTE, _INT, _BYTE, _BYTE),
    cache=True,
)
def fill(buffer, signs, column, columns, rows, starts, lengths, kinds, offsets, data, valid):  # type: ignore[no-untyped-def]
    """Write one column out in Arrow's layout for binary: `offsets` (rows + 1), `data`, and bits in `valid`."""
    out = 0
    for row in range(rows):
        place = row * columns + column
        offsets[row] = out
        kind, at, end = kinds[place] & KIND, starts[place], starts[place] + lengths[place]
        if kind != NULL:
            valid[row >> 3] |= np.uint8(1 << (row & 7))
        if kind in (PLAIN, BARE):
            for index in range(lengths[place]):
                data[out + index] = buffer[at + index]
            out += lengths[place]
        elif kind == HEX:
            if lengths[place] & 1:
                data[out] = _digit(buffer[at])
                out, at = out + 1, at + 1
            while at < end:
                data[out] = (_digit(buffer[at]) << 4) | _digit(buffer[at + 1])
                out, at = out + 1, at + 2
        elif kind == ESCAPED:
            while at < end:
                byte = buffer[at]
                sign = signs[byte] & SPEAKS
                if sign == FIRST:
                    if at + 1 < end and signs[buffer[at + 1]] & SECOND:
                        data[out] = byte
                        out, at = out + 1, at + 1
                        byte = buffer[at]
                elif sign == QUOTE:
                    at += 1
                elif sign == ESCAPE:
                    at += 1
                    byte = buffer[at]
                    if byte == 37 or byte == 95:
                        data[out] = 92
                        out += 1
                    elif IS_NAMED[byte]:
                        byte = NAMED[byte]
                data[out] = byte
                out, at = out + 1, at + 1
    offsets[rows] = out
