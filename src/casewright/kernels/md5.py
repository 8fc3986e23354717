"""MD5 of many messages side by side (RFC 1321): the fast twin of hashlib's, which takes one.

Each step of MD5 waits for the step before, so one message leaves most of a core idle. Here a lane of a vector register
holds a message, and one instruction does the same step of all of them. Compiled when this module is imported, and kept
beside it; importing takes a second, so it is done where there is much to hash.
"""

import math
from collections.abc import Mapping

import numba as nb
import numpy as np

LANES = 16
BLOCK = 64
START = np.array((0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476), np.uint32)
SINES = np.array([int(abs(math.sin(step)) * 2**32) for step in range(1, 65)], np.uint32)
_STATES, _WORDS, _PLACES = nb.uint32[:, ::1], nb.uint32[::1], nb.int64[::1]


class Md5:
    """Up to `room` messages, which come piece by piece, each into a place of its own.

    `places[i]` takes `piece` bytes, a multiple of 64, and `take` goes on with the messages of the places it is told of.
    """

    def __init__(self, room: int, piece: int) -> None:
        self._piece, self._stride = piece, piece + 2 * BLOCK  # room for the padding
        raw = bytearray(room * self._stride)
        self._raw, self._words = memoryview(raw), np.frombuffer(raw, np.uint32)
        self._states, self._sizes = np.empty((room, len(START)), np.uint32), [0] * room
        self.places = [self._raw[i * self._stride : i * self._stride + piece] for i in range(room)]

    def begin(self, place: int) -> None:
        self._states[place], self._sizes[place] = START, 0

    def take(self, lengths: Mapping[int, int]) -> dict[int, str]:
        """So many bytes stand in each place now; one that is not full ends its message. Returns digests of those."""
        starts = np.array([place * self._stride // 4 for place in lengths], np.int64)
        blocks = np.array([self._padded(*one) // BLOCK for one in lengths.items()], np.int64)
        states = self._states[list(lengths)]
        go_on(states, self._words, starts, blocks)
        self._states[list(lengths)] = states
        return {place: self._states[place].tobytes().hex() for place, length in lengths.items() if length < self._piece}

    def _padded(self, place: int, length: int) -> int:
        """How many bytes to take of a place: all of a full one, otherwise with the padding, which is written here."""
        self._sizes[place] += length
        if length == self._piece:
            return length
        padding = b"\x80" + bytes(-(length + 9) % BLOCK) + (8 * self._sizes[place]).to_bytes(8, "little")
        at = place * self._stride + length
        self._raw[at : at + len(padding)] = padding
        return length + len(padding)


@nb.njit
def _turned(mixed, a, b, word, by):  # type: ignore[no-untyped-def]
    total = np.uint32(np.uint32(a + mixed) + word)
    return np.uint32(b + np.uint32(np.uint32(total << by) | np.uint32(total >> np.uint32(np.uint32(32) - by))))


@nb.njit
def _word(words, lane, which, step):  # type: ignore[no-untyped-def]
    return np.uint32(words[which % 16 * LANES + lane] + SINES[step])


@nb.njit
def _block(state, words):  # type: ignore[no-untyped-def]
    """One block of every lane: the 64 steps in the four rounds of the RFC. The loop over lanes becomes one vector."""
    for lane in range(LANES):
        a, b, c, d = state[0, lane], state[1, lane], state[2, lane], state[3, lane]
        for i in range(0, 16, 4):
            a = _turned(d ^ (b & (c ^ d)), a, b, _word(words, lane, i, i), 7)
            d = _turned(c ^ (a & (b ^ c)), d, a, _word(words, lane, i + 1, i + 1), 12)
            c = _turned(b ^ (d & (a ^ b)), c, d, _word(words, lane, i + 2, i + 2), 17)
            b = _turned(a ^ (c & (d ^ a)), b, c, _word(words, lane, i + 3, i + 3), 22)
        for i in range(16, 32, 4):
            a = _turned(c ^ (d & (b ^ c)), a, b, _word(words, lane, 5 * i + 1, i), 5)
            d = _turned(b ^ (c & (a ^ b)), d, a, _word(words, lane, 5 * i + 6, i + 1), 9)
            c = _turned(a ^ (b & (d ^ a)), c, d, _word(words, lane, 5 * i + 11, i + 2), 14)
            b = _turned(d ^ (a & (c ^ d)), b, c, _word(words, lane, 5 * i + 16, i + 3), 20)
        for i in range(32, 48, 4):
            a = _turned(b ^ c ^ d, a, b, _word(words, lane, 3 * i + 5, i), 4)
            d = _turned(a ^ b ^ c, d, a, _word(words, lane, 3 * i + 8, i + 1), 11)
            c = _turned(d ^ a ^ b, c, d, _word(words, lane, 3 * i + 11, i + 2), 16)
            b = _turned(c ^ d ^ a, b, c, _word(words, lane, 3 * i + 14, i + 3), 23)
        for i in range(48, 64, 4):
            a = _turned(c ^ (b | ~d), a, b, _word(words, lane, 7 * i, i), 6)
            d = _turned(b ^ (a | ~c), d, a, _word(words, lane, 7 * i + 7, i + 1), 10)
            c = _turned(a ^ (d | ~b), c, d, _word(words, lane, 7 * i + 14, i + 2), 15)
            b = _turned(d ^ (c | ~a), b, c, _word(words, lane, 7 * i + 21, i + 3), 21)
        state[0, lane] += a
        state[1, lane] += b
        state[2, lane] += c
        state[3, lane] += d


@nb.njit(nb.void(_STATES, _WORDS, _PLACES, _PLACES), cache=True, nogil=True)
def go_on(states, words, starts, blocks):  # type: ignore[no-untyped-def]
    """Take so many `blocks` from each of the `starts` (in words) into the message's state."""
    state = np.zeros((4, LANES), np.uint32)
    turned = np.empty(16 * LANES, np.uint32)
    message, at, left = np.full(LANES, -1, np.int64), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    following = 0
    while True:
        shortest = 0
        for lane in range(LANES):
            if left[lane] == 0:  # its message is at its end: the next one takes the lane
                if message[lane] >= 0:
                    for i in range(4):
                        states[message[lane], i] = state[i, lane]
                    message[lane] = -1
                while following < blocks.size and blocks[following] == 0:
                    following += 1
                if following < blocks.size:
                    message[lane], at[lane], left[lane] = following, starts[following], blocks[following]
                    for i in range(4):
                        state[i, lane] = states[following, i]
                    following += 1
            if left[lane] and (shortest == 0 or left[lane] < shortest):
                shortest = left[lane]
        if shortest == 0:
            return
        for _ in range(shortest):
            for lane in range(LANES):
                for i in range(16):
                    turned[i * LANES + lane] = words[at[lane] + i]
                if left[lane]:
                    at[lane] += 16
            _block(state, turned)
        for lane in range(LANES):
            if left[lane]:
                left[lane] -= shortest
