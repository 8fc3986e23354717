"""Double SHA-256 inside compiled code (FIPS 180-4; Bitcoin hashes twice).

The work on whole blocks of 64 bytes is OpenSSL's own: `SHA256_Update` of the libcrypto that Python's hashlib is linked
to, which picks the processor's instructions. `SHA256_CTX` is public and has not changed since 1998: eight words of
state come first, and while only whole blocks are given the rest stays zero. Where there is no such function, or it
does not give the sum of a known text, the same work is done by `blocks_slow`, compiled.
"""

import _hashlib  # only to ask which libcrypto it is linked to
import ctypes
import ctypes.util
import hashlib
from collections.abc import Iterator

import llvmlite.binding as llvm
import numba as nb
import numpy as np
from numba import carray, cfunc, njit, types

from casewright.kernels.memory import copy, get32, put32, put64

SYMBOL = "casewright_sha256_blocks"
BLOCK, WORDS, STATE, ROOM, SHORT = 64, 8, 28, 128, 119
"""What is not longer than SHORT is copied and padded, so that one call takes it all."""
_CALL = types.int32(types.int64, types.int64, types.int64)
_PRIMES = [n for n in range(2, 312) if all(n % d for d in range(2, int(n**0.5) + 1))][:64]


def _root_bits(number: int, root: int) -> int:
    """The first 32 bits behind the point of a square or cube root, in whole numbers."""
    wanted, found = number << 32 * root, 0
    for bit in range(40, -1, -1):
        if (found | 1 << bit) ** root <= wanted:
            found |= 1 << bit
    return found & 0xFFFFFFFF


BEGIN = np.array([_root_bits(p, 2) for p in _PRIMES[:8]], np.uint32)
ROUNDS = np.array([_root_bits(p, 3) for p in _PRIMES], np.uint32)


@njit(cache=True)
def _turn(word, bits):  # type: ignore[no-untyped-def]
    return word >> np.uint32(bits) | word << np.uint32(32 - bits)


@njit(cache=True)
def blocks_slow(state, data):  # type: ignore[no-untyped-def]
    """Takes whole blocks into the eight words of `state`, as the standard says."""
    w = np.empty(64, np.uint32)
    for start in range(0, data.size, 64):
        for i in range(16):
            at = start + 4 * i
            w[i] = (np.uint32(data[at]) << np.uint32(24) | np.uint32(data[at + 1]) << np.uint32(16)
                    | np.uint32(data[at + 2]) << np.uint32(8) | np.uint32(data[at + 3]))  # fmt: skip
        for i in range(16, 64):
            s0 = _turn(w[i - 15], 7) ^ _turn(w[i - 15], 18) ^ w[i - 15] >> np.uint32(3)
            s1 = _turn(w[i - 2], 17) ^ _turn(w[i - 2], 19) ^ w[i - 2] >> np.uint32(10)
            w[i] = w[i - 16] + s0 + w[i - 7] + s1
        a, b, c, d, e, f, g, h = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
        for i in range(64):
            s1 = _turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)
            one = np.uint32(h + s1 + (e & f ^ ~e & g) + ROUNDS[i] + w[i])
            s0 = _turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)
            two = np.uint32(s0 + (a & b ^ a & c ^ b & c))
            h, g, f, e, d, c, b, a = g, f, e, np.uint32(d + one), c, b, a, np.uint32(one + two)
        for i, word in enumerate((a, b, c, d, e, f, g, h)):
            state[i] = np.uint32(state[i] + word)


def _own() -> int:
    """Address of a function like OpenSSL's, made of `blocks_slow`."""

    @cfunc(types.int32(types.voidptr, types.voidptr, types.uintp))
    def update(state, data, size):  # type: ignore[no-untyped-def]
        blocks_slow(carray(state, (WORDS,), np.uint32), carray(data, (size,), np.uint8))
        return 1

    _kept.append(update)
    return int(update.address)


_kept: list[object] = []


def _openssl() -> Iterator[int]:
    """Addresses of SHA256_Update that may serve."""
    for name in (getattr(_hashlib, "__file__", None), ctypes.util.find_library("crypto")):
        try:
            found = ctypes.CDLL(name).SHA256_Update if name else None
        except (OSError, AttributeError):
            continue
        if found and (address := ctypes.cast(found, ctypes.c_void_p).value):
            yield address


def _holds(address: int) -> bool:
    """Whether the function gives the right sum of a known text."""
    text = bytes(range(119))
    state = np.zeros(STATE, np.uint32)
    state[:WORDS] = BEGIN
    padded = np.frombuffer(text + b"\x80" + (8 * len(text)).to_bytes(8, "big"), np.uint8)
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)(address)
    call(state.ctypes.data, padded.ctypes.data, padded.size)
    return state[:WORDS].astype(">u4").tobytes() == hashlib.sha256(text).digest()


OPENSSL = next(filter(_holds, _openssl()), 0)
"""Address of OpenSSL's function, or 0."""
llvm.add_symbol(SYMBOL, OPENSSL or _own())
_blocks = types.ExternalFunction(SYMBOL, _CALL)
_BYTES = types.Array(types.uint8, 1, "C", readonly=True)


def scratch() -> np.ndarray:
    """Room for the state and what is padded, which one thread uses again and again. Whoever calls compiled code holds
    on to it: an array that is only known by its address there is freed."""
    return np.zeros(ROOM + SHORT + 2 * BLOCK, np.uint8)


@njit(cache=True, nogil=True)
def _begin(state):  # type: ignore[no-untyped-def]
    for i in range(WORDS):
        put32(state + 4 * i, BEGIN[i])


@njit(cache=True, nogil=True)
def _words(state, out):  # type: ignore[no-untyped-def]
    """The state as bytes, most significant first."""
    for i in range(WORDS):
        put32(out + 4 * i, _turned(get32(state + 4 * i)))


@njit(cache=True, nogil=True)
def _turned(word):  # type: ignore[no-untyped-def]
    """A word with its bytes the other way round."""
    ends = word >> np.uint32(24) | word << np.uint32(24)
    return ends | word >> np.uint32(8) & np.uint32(0xFF00) | (word & np.uint32(0xFF00)) << np.uint32(8)


@njit(cache=True, nogil=True)
def _end(room, used, total):  # type: ignore[no-untyped-def]
    """Pads what stands in `room` up to `used`; returns bytes to be hashed, in whole blocks."""
    size = (used + 72) & ~63
    put64(room + used, np.uint64(0x80))
    for at in range(used + 8, size - 8, 8):
        put64(room + at, np.uint64(0))
    put32(room + size - 8, np.uint32(0))
    put32(room + size - 4, _turned(np.uint32(8 * total)))  # nothing in a block is so long that it needs more
    return size


@njit(cache=True, nogil=True)
def sha256_at(data, size, out, state):  # type: ignore[no-untyped-def]
    """SHA-256 of `size` bytes, written to `out`; all are addresses, `state` that of a `scratch`."""
    room, whole = state + ROOM, size & ~63 if size > SHORT else 0
    _begin(state)
    if whole:
        _blocks(state, data, whole)
    copy(room, data + whole, size - whole)
    _blocks(state, room, _end(room, size - whole, size))
    _words(state, out)


@njit(cache=True, nogil=True)
def sha256d_at(data, size, out, state):  # type: ignore[no-untyped-def]
    """The same, hashed twice."""
    room = state + ROOM
    sha256_at(data, size, room, state)
    _begin(state)
    _blocks(state, room, _end(room, 32, 32))
    _words(state, out)


def sha256d_many(data: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Double SHA-256 of n stretches of `data`, uint8 [n, 32]."""
    out = np.empty((len(starts), 32), np.uint8)
    _many(data, starts, sizes, out, scratch())
    return out


@njit(nb.void(_BYTES, nb.int64[::1], nb.int64[::1], nb.uint8[:, ::1], nb.uint8[::1]), cache=True, nogil=True)
def _many(data, starts, sizes, out, used):  # type: ignore[no-untyped-def]
    for row in range(len(starts)):
        sha256d_at(data.ctypes.data + starts[row], sizes[row], out.ctypes.data + 32 * row, used.ctypes.data)
