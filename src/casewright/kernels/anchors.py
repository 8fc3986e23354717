"""Where in any bytes a selector may begin, found in one pass: the fast twin of searching for each kind by its pattern.

An anchor is a place, never a finding: the pattern of its kind decides there. So `anchors` may name too many places; that
it names none too few is held by a property test against the patterns alone.
"""

import numba as nb
import numpy as np

RUN, EMAIL, URL, IPV4, IPV6, PHONE, GROUPS, DESCRIPTOR = range(8)
"""What an anchor is for. `RUN`: letters and digits that stand between others; all else is what it says."""
ALNUM, LOCAL, DIGIT, HEX, BASE58 = 1, 2, 4, 8, 16
CLASS = np.zeros(256, np.uint8)
for _bit, _letters in (
    (ALNUM | LOCAL, b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (LOCAL, b"._%+-"),
    (DIGIT, b"0123456789"),
    (HEX, b"0123456789abcdefABCDEF"),
    (BASE58, b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
):
    CLASS[list(_letters)] |= _bit
LONGEST_LOCAL = 64
_BYTES = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_LONG = nb.int64[::1]


@nb.njit(nb.boolean(_BYTES, nb.int64, nb.int64), cache=True)
def _run(buffer, start, end):  # type: ignore[no-untyped-def]
    """Whether letters and digits of this length and beginning may be an address, a key or a fingerprint."""
    length, first, second = end - start, buffer[start], buffer[start + 1]
    if length < 26:
        return length >= 14 and (first | 32) in (98, 116)  # bc1, tb1, bcrt1
    if length > 112:
        return False
    if length in (40, 42, 56):
        return True
    if (first | 32) in (98, 116) and length <= 92:
        return True
    if length not in (51, 52, 95, 106, 111) and length > 35:
        return False
    if length <= 35 and first not in (49, 50, 51, 109, 110):
        return False
    if length == 111 and second != 112:
        return False
    for i in range(start, end):
        if not CLASS[buffer[i]] & BASE58:
            return False
    return True


@nb.njit(nb.boolean(_BYTES, nb.int64), cache=True)
def _ipv4(buffer, at):  # type: ignore[no-untyped-def]
    for part in range(4):
        digits = 0
        while at < buffer.size and digits < 4 and CLASS[buffer[at]] & DIGIT:
            at += 1
            digits += 1
        if digits == 0 or digits == 4:
            return False
        if part < 3:
            if at >= buffer.size or buffer[at] != 46:
                return False
            at += 1
    return True


@nb.njit(nb.boolean(_BYTES, nb.int64), cache=True)
def _four_hex(buffer, at):  # type: ignore[no-untyped-def]
    if at + 5 >= buffer.size:
        return False
    for i in range(4):
        if not CLASS[buffer[at + i]] & HEX:
            return False
    return True


@nb.njit(nb.boolean(_BYTES, nb.int64), cache=True)
def _phone(buffer, at):  # type: ignore[no-untyped-def]
    digits = 0
    for i in range(at + 1, min(buffer.size, at + 24)):
        if CLASS[buffer[i]] & DIGIT:
            digits += 1
        elif buffer[i] not in (32, 40, 41, 45, 46, 47):
            break
    return digits >= 7


@nb.njit(nb.int64(_BYTES, nb.int64), cache=True)
def _url(buffer, colon):  # type: ignore[no-untyped-def]
    """Where http, https or ftp before a colon begins; -1 when none does."""
    if colon + 3 > buffer.size or buffer[colon + 1] != 47 or buffer[colon + 2] != 47 or colon < 3:
        return -1
    end = colon
    if buffer[end - 1] == 115:
        end -= 1
    if end >= 4 and buffer[end - 4] == 104 and buffer[end - 3] == 116 and buffer[end - 2] == 116 and buffer[end - 1] == 112:
        return end - 4
    if buffer[colon - 3] == 102 and buffer[colon - 2] == 116 and buffer[colon - 1] == 112:
        return colon - 3
    return -1


@nb.njit(nb.int64(_BYTES, nb.int64, nb.uint8), cache=True)
def _behind(buffer, at, kind):  # type: ignore[no-untyped-def]
    """Where the bytes of a kind begin that end before `at`, as far as it can matter; -1 when there are none."""
    start = at
    while start > 0 and at - start < 128 and CLASS[buffer[start - 1]] & kind:
        start -= 1
    return start if start < at else -1


@nb.njit(nb.types.Tuple((nb.int64, nb.int64))(_BYTES, nb.int64, nb.uint8[::1], _LONG, _LONG), cache=True)
def anchors(buffer, begin, kinds, starts, ends):  # type: ignore[no-untyped-def]
    """Fill `kinds`, `starts` and, for runs, `ends` with anchors from `begin` on, by where each was noticed.

    Returns how many there are, and how far the search came: beyond the size of `buffer` when all of it was searched.
    """
    count, at = 0, begin
    run, local = _behind(buffer, begin, ALNUM), _behind(buffer, begin, LOCAL)
    while at <= buffer.size:
        if count + 4 > kinds.size:
            return count, at
        byte = buffer[at] if at < buffer.size else np.uint8(0)
        kind = CLASS[byte] if at < buffer.size else np.uint8(0)
        if kind & ALNUM:
            if run < 0:
                run = at
                before = buffer[at - 1] if at > 0 else np.uint8(0)
                if kind & HEX and before != 58 and before != 46 and _four_hex(buffer, at):
                    if buffer[at + 4] == 58:
                        kinds[count], starts[count], ends[count] = IPV6, at, 0
                        count += 1
                    elif buffer[at + 4] == 32 and _four_hex(buffer, at + 5):
                        kinds[count], starts[count], ends[count] = GROUPS, at, 0
                        count += 1
            if kind & DIGIT and (at == 0 or (not CLASS[buffer[at - 1]] & DIGIT and buffer[at - 1] != 46)):
                if _ipv4(buffer, at):
                    kinds[count], starts[count], ends[count] = IPV4, at, 0
                    count += 1
            if local < 0:
                local = at
            at += 1
            continue
        if run >= 0:
            if at - run >= 14 and _run(buffer, run, at):
                kinds[count], starts[count], ends[count] = RUN, run, at
                count += 1
            elif byte == 40 and at - run <= 11:
                kinds[count], starts[count], ends[count] = DESCRIPTOR, run, 0
                count += 1
        if byte == 64 and local >= 0 and at - local <= LONGEST_LOCAL:
            kinds[count], starts[count], ends[count] = EMAIL, local, 0
            count += 1
        elif byte == 58 and run >= 0:
            start = _url(buffer, at)
            if start >= 0:
                kinds[count], starts[count], ends[count] = URL, start, 0
                count += 1
        elif byte == 43 and run < 0 and _phone(buffer, at):
            kinds[count], starts[count], ends[count] = PHONE, at, 0
            count += 1
        run = -1
        if not kind & LOCAL:
            local = -1
        elif local < 0:
            local = at
        at += 1
    return count, buffer.size + 1


TEXT = np.zeros(256, np.bool_)
TEXT[[9, 10, 13, *range(32, 127)]] = True
FEWEST = 7
"""Letters of two bytes that are worth a look: no selector is shorter."""


@nb.njit(nb.types.Tuple((nb.int64, nb.int64))(_BYTES, nb.int64, _LONG, _LONG), cache=True)
def wide(buffer, begin, starts, ends):  # type: ignore[no-untyped-def]
    """Fill `starts` and `ends` with runs of ASCII letters with a zero byte before each, or after each.

    Returns how many there are, and how far the search came, as `anchors` does.
    """
    count, at, size = 0, begin, buffer.size
    while at + 2 * FEWEST <= size:
        first = 1 if buffer[at] == 0 else 0
        end = at
        if buffer[at + 1 - first] == 0:
            while end + 2 <= size and TEXT[buffer[end + first]] and buffer[end + 1 - first] == 0:
                end += 2
        if end - at >= 2 * FEWEST:
            if count == starts.size:
                return count, at
            starts[count], ends[count] = at, end
            count += 1
            at = end
        else:
            at += 1
    return count, size + 1
