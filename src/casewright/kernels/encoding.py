"""Addresses of scripts by the million: the fast twin of `bitcoin.address_of_script`, and hashes as they are shown."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.memory import copy
from casewright.kernels.scripts import P2PKH, P2SH, is_program, kind_of
from casewright.kernels.sha256 import scratch, sha256d_at
from casewright.model.bitcoin import BASE58, BECH32, BECH32_CONST, BECH32M_CONST, GENERATED, NETWORKS

ROOM, DIGITS, LIMBS, PAYLOAD = 80, 35, 7, 25
"""No address of a script is longer than `ROOM`; base58 of 25 bytes has at most `DIGITS`, made of `LIMBS` of 32 bits."""
CHUNK = 1 << 20
_BASE58 = np.frombuffer(BASE58.encode(), np.uint8)
_BECH32 = np.frombuffer(BECH32.encode(), np.uint8)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_GENERATED = np.array(GENERATED, np.int64)
FIVE_DIGITS = 58**5


def addresses_of(scripts: NDArray[np.uint8], starts: NDArray[Any], network: str) -> pa.ChunkedArray:
    """Address of each of n scripts, NULL where it has none. `starts` [n + 1]: where each begins and the last ends."""
    count = len(starts) - 1
    chunks = [_some(scripts, starts[at : min(at + CHUNK, count) + 1], network) for at in range(0, count, CHUNK)]
    return pa.chunked_array(chunks, pa.string())


def _some(scripts: NDArray[np.uint8], starts: NDArray[Any], network: str) -> pa.Array:
    net, count = NETWORKS[network], len(starts) - 1
    out, ends = np.empty(ROOM * count + ROOM, np.uint8), np.zeros(count + 1, np.int32)
    head = np.frombuffer(net.hrp.encode(), np.uint8)
    _encode(scripts, np.ascontiguousarray(starts, np.int64), np.uint8(net.p2pkh), np.uint8(net.p2sh), head, out, ends,
            np.empty(PAYLOAD, np.uint8), scratch())  # fmt: skip
    text = pa.StringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]].tobytes()))
    return pc.if_else(pa.array(np.diff(ends) > 0), text, pa.scalar(None, pa.string()))


def hex_of(hashes: NDArray[np.uint8]) -> pa.Array:
    """Hashes [n, 32] as explorers write them: bytes reversed, in hex."""
    raw = np.ascontiguousarray(hashes, np.uint8).reshape(-1, 32)
    out = np.empty(64 * len(raw), np.uint8)
    _hex(raw, out)
    ends = pa.py_buffer((64 * np.arange(len(raw) + 1)).astype(np.int64))
    return pa.LargeStringArray.from_buffers(len(raw), ends, pa.py_buffer(out))


def raw_of(text: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The hashes again, 32 bytes after 32 bytes, of what `hex_of` wrote, 64 digits after 64. Raises ValueError when it
    is something else."""
    raw = np.empty(len(text) // 2, np.uint8)
    if len(text) % 64 or not _unhex(np.ascontiguousarray(text, np.uint8), raw):
        raise ValueError("these are no hashes in hex")
    return raw


@njit(cache=True, nogil=True)
def _unhex(text, raw):  # type: ignore[no-untyped-def]
    for row in range(len(raw) // 32):
        for place in range(64):
            digit = text[64 * row + place]
            if np.uint8(48) <= digit <= np.uint8(57):
                value = digit - np.uint8(48)
            elif np.uint8(97) <= digit <= np.uint8(102):
                value = digit - np.uint8(87)
            else:
                return False
            at = 32 * row + 31 - place // 2
            raw[at] = np.uint8(value << np.uint8(4)) if place % 2 == 0 else np.uint8(raw[at] | value)
    return True


@njit(cache=True, nogil=True)
def _hex(raw, out):  # type: ignore[no-untyped-def]
    for row in range(len(raw)):
        for place in range(32):
            byte = raw[row, 31 - place]
            out[64 * row + 2 * place] = _HEX[byte >> 4]
            out[64 * row + 2 * place + 1] = _HEX[byte & 15]


@njit(cache=True, nogil=True)
def _encode(scripts, starts, p2pkh, p2sh, head, out, ends, payload, used):  # type: ignore[no-untyped-def]
    at = 0
    for row in range(len(starts) - 1):
        start, size = starts[row], starts[row + 1] - starts[row]
        kind = kind_of(scripts, start, size)
        if kind == P2PKH or kind == P2SH:
            payload[0] = p2pkh if kind == P2PKH else p2sh
            payload[1:21] = scripts[start + 3 : start + 23] if kind == P2PKH else scripts[start + 2 : start + 22]
            at = _base58check(payload, out, at, used)
        elif is_program(scripts, start, size) and (scripts[start] or size == 22 or size == 34):
            at = _bech32(scripts, start, size, head, out, at)
        ends[row + 1] = at


@njit(cache=True, nogil=True)
def _base58check(payload, out, at, used):  # type: ignore[no-untyped-def]
    """Writes the 21 bytes with their checksum in base58; returns where it ends."""
    sha256d_at(payload.ctypes.data, 21, used.ctypes.data + 200, used.ctypes.data)
    copy(payload.ctypes.data + 21, used.ctypes.data + 200, 4)
    limbs, digits = np.zeros(LIMBS, np.uint64), np.zeros(DIGITS, np.uint8)
    for place in range(PAYLOAD):
        back = PAYLOAD - 1 - place
        limbs[back // 4] |= np.uint64(payload[place]) << np.uint64(8 * (back % 4))
    for group in range(LIMBS):
        rest = np.uint64(0)
        for limb in range(LIMBS - 1, -1, -1):
            rest = rest << np.uint64(32) | limbs[limb]
            limbs[limb], rest = rest // np.uint64(FIVE_DIGITS), rest % np.uint64(FIVE_DIGITS)
        for place in range(5):
            digits[5 * group + place], rest = rest % np.uint64(58), rest // np.uint64(58)
    count = DIGITS
    while count and digits[count - 1] == 0:
        count -= 1
    zeros = 0
    while zeros < PAYLOAD and payload[zeros] == 0:
        zeros += 1
    for _ in range(zeros):
        out[at] = _BASE58[0]
        at += 1
    for place in range(count - 1, -1, -1):
        out[at] = _BASE58[digits[place]]
        at += 1
    return at


@njit(cache=True, nogil=True)
def _bech32(scripts, start, size, head, out, at):  # type: ignore[no-untyped-def]
    """Writes the address of a witness program; returns where it ends."""
    version = scripts[start] - 0x50 if scripts[start] else 0
    check = 1
    for letter in head:
        check = _step(check, letter >> 5)
    check = _step(check, 0)
    for letter in head:
        check = _step(check, letter & 31)
    for letter in head:
        out[at] = letter
        at += 1
    out[at], out[at + 1] = ord("1"), _BECH32[version]
    check, at = _step(check, version), at + 2
    held, bits = np.int64(0), 0
    for place in range(start + 2, start + size):
        held, bits = (held << 8 | np.int64(scripts[place])) & 0xFFFF, bits + 8
        while bits >= 5:
            bits -= 5
            digit = held >> bits & 31
            out[at], check, at = _BECH32[digit], _step(check, digit), at + 1
    if bits:
        digit = held << (5 - bits) & 31
        out[at], check, at = _BECH32[digit], _step(check, digit), at + 1
    for _ in range(6):
        check = _step(check, 0)
    check ^= BECH32_CONST if version == 0 else BECH32M_CONST
    for place in range(6):
        out[at], at = _BECH32[check >> 5 * (5 - place) & 31], at + 1
    return at


@njit(cache=True, nogil=True)
def _step(check, value):  # type: ignore[no-untyped-def]
    return (check & 0x1FFFFFF) << 5 ^ value ^ _GENERATED[check >> 25]
