"""Where in any bytes a selector may begin, found in one pass: the fast twin of searching for each kind by its pattern.

An anchor is a place, never a finding: the pattern of its kind decides there. So `anchors` may name too many places;
that it names none too few is held by a property test against the patterns alone.

A block of bytes is first asked, by comparisons that the processor makes for many bytes at once, whether any mark of a
selector is in it (an @ between letters, a dot between digits, fourteen letters or digits in a row, ...). What is
compressed, encrypted or plain prose mostly has none, and is passed over.
"""

import numba as nb
import numpy as np

from casewright.kernels.anchor_codes import DESCRIPTOR, EMAIL, GROUPS, IPV4, IPV6, PHONE, RUN, URL

LONGEST_LOCAL = 64
NEAREST_END = 7
"""How far behind its plus the last digit of a telephone number stands at the least."""
LONGEST_RUN = 112
ROOM = 40
"""Anchors that one byte can give at most: an email may begin behind each dot of its name."""
BLOCK, BEFORE, AFTER = 256, 4, 16
"""Bytes that are asked at once, and those before and after them that the answer rests on."""
FEWEST_LETTERS = 14
ALNUM, LOCAL, DIGIT, HEX, BASE58, INNER = 1, 2, 4, 8, 16, 32
CLASS = np.zeros(256, np.uint8)
for _bit, _letters in (
    (ALNUM | LOCAL, b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (LOCAL, b"_%+-"),
    (DIGIT, b"0123456789"),
    (HEX, b"0123456789abcdefABCDEF"),
    (BASE58, b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
    (INNER, b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ[]'/*,<>;("),
):
    CLASS[list(_letters)] |= _bit
SPACE, PAREN, PLUS, DOT, SLASH, COLON, AT = (ord(letter) for letter in " (+./:@")
MARK = np.zeros(256, np.bool_)
MARK[[SPACE, PAREN, PLUS, DOT, COLON, AT]] = True
"""Letters that something is looked for at."""
TEXT = np.zeros(256, np.bool_)
TEXT[[9, 10, 13, *range(32, 127)]] = True
FEWEST = 6
"""Letters of two bytes that are worth a look: no selector is shorter."""
_BYTES = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_LONG = nb.int64[::1]


@nb.njit(nb.boolean(_BYTES, nb.int64, nb.int64), cache=True)
def _run(buffer, start, end):  # type: ignore[no-untyped-def]
    """Whether letters and digits of this length and beginning may be an address, a key or a fingerprint."""
    length, first, second = end - start, buffer[start], buffer[start + 1]
    if length > LONGEST_RUN:
        return False
    if (first | 32) in (98, 116) and length <= 92 and (buffer[start + 2] == 49 or buffer[start + 4] == 49):
        return True  # bc1, tb1, bcrt1
    if length in (40, 42, 56):
        return True
    if length < 26 or (length > 35 and length not in (51, 52, 95, 106, 111)):
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
            if at >= buffer.size or buffer[at] != DOT:
                return False
            at += 1
    return True


@nb.njit(nb.boolean(_BYTES, nb.int64, nb.int64), cache=True)
def _four_hex(buffer, start, end):  # type: ignore[no-untyped-def]
    if end - start != 4 or end > buffer.size:
        return False
    for i in range(start, end):
        if not CLASS[buffer[i]] & HEX:
            return False
    return True


@nb.njit(nb.boolean(_BYTES, nb.int64), cache=True)
def _ipv6(buffer, colon):  # type: ignore[no-untyped-def]
    """Whether two colons follow each other from the first one on, or there are six at least: a time has fewer."""
    colons = 0
    for i in range(colon, min(colon + 36, buffer.size)):
        if buffer[i] == COLON:
            colons += 1
            if colons == 6 or (i > colon and buffer[i - 1] == COLON):
                return True
        elif not CLASS[buffer[i]] & HEX:
            return False
    return False


@nb.njit(nb.boolean(_BYTES, nb.int64), cache=True)
def _groups(buffer, at):  # type: ignore[no-untyped-def]
    """Whether ten groups of four hex digits follow, as GnuPG prints a fingerprint."""
    for group in range(10):
        if not _four_hex(buffer, at, at + 4):
            return False
        at += 4
        if group < 9:
            if at >= buffer.size or buffer[at] != SPACE:
                return False
            at += 1
            if group == 4 and at < buffer.size and buffer[at] == SPACE:
                at += 1
    return True


@nb.njit(nb.boolean(_BYTES, nb.int64), cache=True)
def _phone(buffer, at):  # type: ignore[no-untyped-def]
    """Whether what a number is written with goes on from the plus to a digit as far behind it as the pattern wants."""
    last = 0
    for i in range(at + 1, min(buffer.size, at + 24)):
        if CLASS[buffer[i]] & DIGIT:
            last = i - at
        elif buffer[i] not in (32, 40, 41, 45, 46, 47):
            break
    return last >= NEAREST_END


@nb.njit(nb.boolean(_BYTES, nb.int64), cache=True)
def _opened(buffer, at):  # type: ignore[no-untyped-def]
    """Whether as many letters as a descriptor has at the least follow its parenthesis."""
    for i in range(at, at + 20):
        if i >= buffer.size or not CLASS[buffer[i]] & INNER:
            return False
    return True


@nb.njit(nb.boolean(_BYTES, nb.int64), cache=True)
def _domain(buffer, at):  # type: ignore[no-untyped-def]
    """Whether a name, a dot and two more letters of a name follow."""
    begin = at
    while at < buffer.size and (CLASS[buffer[at]] & ALNUM or buffer[at] == 45):
        at += 1
    if at == begin or at + 2 >= buffer.size or buffer[at] != DOT:
        return False
    return CLASS[buffer[at + 1]] & ALNUM != 0 and (CLASS[buffer[at + 2]] & ALNUM != 0 or buffer[at + 2] in (45, DOT))


@nb.njit(nb.int64(_BYTES, nb.int64), cache=True)
def _scheme(buffer, colon):  # type: ignore[no-untyped-def]
    """Where http, https, ftp, ftps or sftp before a colon begins; -1 when none does."""
    if colon + 3 > buffer.size or buffer[colon + 1] != SLASH or buffer[colon + 2] != SLASH:
        return -1
    end = colon - 1 if colon > 0 and buffer[colon - 1] | 32 == 115 else colon
    if end < 3 or buffer[end - 1] | 32 != 112 or buffer[end - 2] | 32 != 116:
        return -1
    if buffer[end - 3] | 32 == 102:
        return end - 4 if end > 3 and buffer[end - 4] | 32 == 115 else end - 3
    return end - 4 if end > 3 and buffer[end - 3] | 32 == 116 and buffer[end - 4] | 32 == 104 else -1


@nb.njit(nb.int64(_BYTES, nb.int64, nb.int64, nb.uint8[::1], _LONG, _LONG, nb.int64), cache=True)
def _marked(buffer, at, run, kinds, starts, ends, count):  # type: ignore[no-untyped-def]
    """Anchors that the mark at `at` gives, with letters and digits from `run` before it. Returns how many there are."""
    byte = buffer[at]
    if byte == SPACE:
        if _four_hex(buffer, run, at) and _groups(buffer, run):
            kinds[count], starts[count], ends[count] = GROUPS, run, 0
            count += 1
    elif byte == DOT:
        first = at
        while first > run and at - first < 4 and CLASS[buffer[first - 1]] & DIGIT:
            first -= 1
        if 0 < at - first < 4 and (first > run or run == 0 or buffer[run - 1] != DOT) and _ipv4(buffer, first):
            kinds[count], starts[count], ends[count] = IPV4, first, 0
            count += 1
    elif byte == COLON:
        start = _scheme(buffer, at)
        if start >= 0:
            kinds[count], starts[count], ends[count] = URL, start, 0
            kinds[count + 1], starts[count + 1], ends[count + 1] = URL, start + 1, 0
            count += 2
        elif (
            _four_hex(buffer, run, at)
            and _ipv6(buffer, at)
            and (run == 0 or (buffer[run - 1] != COLON and buffer[run - 1] != DOT))
        ):
            kinds[count], starts[count], ends[count] = IPV6, run, 0
            count += 1
    elif byte == AT:
        if _domain(buffer, at + 1):
            lowest = at
            while lowest > 0 and at - lowest <= LONGEST_LOCAL:
                if not CLASS[buffer[lowest - 1]] & LOCAL and buffer[lowest - 1] != DOT:
                    break
                lowest -= 1
            for start in range(max(lowest, at - LONGEST_LOCAL), at):
                if CLASS[buffer[start]] & LOCAL and (start == 0 or not CLASS[buffer[start - 1]] & LOCAL):
                    kinds[count], starts[count], ends[count] = EMAIL, start, 0
                    count += 1
    elif byte == PLUS:
        if run == at and _phone(buffer, at):
            kinds[count], starts[count], ends[count] = PHONE, at, 0
            count += 1
    elif 2 <= at - run <= 11 and _opened(buffer, at + 1):
        kinds[count], starts[count], ends[count] = DESCRIPTOR, run, 0
        count += 1
    return count


@nb.njit(nb.boolean(_BYTES, nb.uint8[::1], nb.uint8[::1]), cache=True)
def _worth(view, letters, hexes):  # type: ignore[no-untyped-def]
    """Whether a block, given with what stands around it, has a mark in it. The others are room to work in."""
    for i in range(BEFORE + BLOCK + AFTER):
        byte, low = view[i], view[i] | 32
        digit = (byte >= 48) & (byte <= 57)
        letters[i] = digit | ((low >= 97) & (low <= 122))
        hexes[i] = digit | ((low >= 97) & (low <= 102))
    four, mark, row = hexes[:BLOCK], False, 0
    for i in range(BLOCK):
        four[i] = hexes[i] & hexes[i + 1] & hexes[i + 2] & hexes[i + 3]
    for i in range(BLOCK):  # `hexes` says here whether four digits follow, and one digit behind the block
        second, last, byte, after, then = view[i + 2], view[i + 3], view[i + 4], view[i + 5], view[i + 6]
        digit = (after >= 48) & (after <= 57)
        word = (
            ((last == 104) & ((second == 107) | (second == 115)))
            | ((last == 107) & (second == 112))
            | ((last == 114) & ((second == 116) | (second == 100)))
            | ((last == 119) & (second == 97))
            | ((last == 111) & (second == 98))
            | ((last == 105) & (second == 116))
        )  # pkh sh, pk, tr addr, raw, combo, multi
        name = (letters[i + 3] != 0) | (last == 46) | (last == 95) | (last == 45) | (last == 43) | (last == 37)
        domain = (letters[i + 5] != 0) & ((letters[i + 6] != 0) | (then == 46) | (then == 45))
        mark |= (
            ((byte == AT) & name & domain)
            | ((byte == DOT) & (last >= 48) & (last <= 57) & digit)
            | ((byte == COLON) & ((after == SLASH) | (four[i] != 0)))
            | ((byte == SPACE) & (four[i] != 0) & (hexes[i + 5] != 0))
            | ((byte == PLUS) & digit & (letters[i + 3] == 0) & (then >= 32) & (then <= 57))
            | ((byte == PAREN) & word)
        )
    if mark:
        return True
    for step in (1, 2, 4, 6):
        for i in range(BEFORE + BLOCK + AFTER - step):
            letters[i] &= letters[i + step]
    for i in range(BEFORE, BEFORE + BLOCK):
        row |= letters[i]
    return row != 0


@nb.njit(nb.types.Tuple((nb.int64, nb.int64))(_BYTES, nb.int64, nb.uint8[::1], _LONG, _LONG), cache=True)
def anchors(buffer, begin, kinds, starts, ends):  # type: ignore[no-untyped-def]
    """Fill `kinds`, `starts` and, for runs, `ends` with anchors from `begin` on, by where each was noticed.

    Returns how many there are, and how far the search came: beyond the size of `buffer` when all of it was searched.
    """
    size, count, at = buffer.size, 0, begin
    letters, hexes = np.empty(BEFORE + BLOCK + AFTER, np.uint8), np.empty(BEFORE + BLOCK + AFTER, np.uint8)
    while at < size:
        stop = at + BLOCK
        if at >= BEFORE and stop + AFTER <= size and not _worth(buffer[at - BEFORE : stop + AFTER], letters, hexes):
            at = stop
            continue
        run = at
        while run > 0 and at - run <= LONGEST_RUN and CLASS[buffer[run - 1]] & ALNUM:
            run -= 1
        while at < size:
            byte = buffer[at]
            if CLASS[byte] & ALNUM:
                at += 1
                continue
            if at - run >= FEWEST_LETTERS and _run(buffer, run, at):
                kinds[count], starts[count], ends[count] = RUN, run, at
                count += 1
            if (
                MARK[byte]
                and (byte != SPACE or at - run == 4)
                and (byte != DOT or (at > run and CLASS[buffer[at - 1]] & DIGIT))
            ):
                count = _marked(buffer, at, run, kinds, starts, ends, count)
            at += 1
            run = at
            if count + ROOM > kinds.size:
                return count, at
            if at >= stop:
                break
        if at >= size and at - run >= FEWEST_LETTERS and _run(buffer, run, size):
            kinds[count], starts[count], ends[count] = RUN, run, size
            count += 1
    return count, size + 1


@nb.njit(nb.int64(_BYTES, nb.int64), cache=True)
def _wide_end(buffer, at):  # type: ignore[no-untyped-def]
    """Where the letters of two bytes end that begin here; `at` itself when none do."""
    size = buffer.size
    first = 1 if buffer[at] == 0 else 0
    while at + 2 <= size and TEXT[buffer[at + first]] and buffer[at + 1 - first] == 0:
        at += 2
    return at


@nb.njit(nb.boolean(_BYTES, nb.int64, nb.int64), cache=True)
def _wide_worth(buffer, at, end):  # type: ignore[no-untyped-def]
    """Whether a mark stands in these letters of two bytes, or enough letters and digits in a row."""
    letters = 0
    for i in range(at + (1 if buffer[at] == 0 else 0), end, 2):
        byte = buffer[i]
        if CLASS[byte] & ALNUM:
            letters += 1
            if letters == FEWEST_LETTERS:
                return True
        elif MARK[byte] and (byte != SPACE or letters == 4):
            return True
        else:
            letters = 0
    return False


@nb.njit(nb.types.Tuple((nb.int64, nb.int64))(_BYTES, nb.int64, _LONG, _LONG), cache=True)
def wide(buffer, begin, starts, ends):  # type: ignore[no-untyped-def]
    """Fill `starts` and `ends` with runs of ASCII letters with a zero byte before each, or after each, if anchors may
    stand in them.

    Returns how many there are, and how far the search came, as `anchors` does.
    """
    count, size, least = 0, buffer.size, 2 * FEWEST
    at, probe = begin, begin + least - 1  # a run that begins at `at` or later has the probe in it, or begins behind it
    while at + least <= size:
        byte = buffer[probe]
        before, after = buffer[probe - 1], buffer[probe + 1] if probe + 1 < size else np.uint8(1)
        if (TEXT[byte] & ((before == 0) | (after == 0))) | ((byte == 0) & (TEXT[before] | TEXT[after])):
            found = False
            while at <= probe and at + least <= size:
                end = _wide_end(buffer, at)
                if end - at >= least:
                    found = True
                    break
                at += 1
            if found:
                if count == starts.size:
                    return count, at
                if _wide_worth(buffer, at, end):
                    starts[count], ends[count] = at, end
                    count += 1
                at = end
        else:
            at = probe + 1
        probe = at + least - 1
    return count, size + 1
