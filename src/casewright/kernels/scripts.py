"""What kind of script an output has: the fast twin of the second half of `bitcoin.address_of_script`."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

KINDS = ("p2pkh", "p2sh", "p2wpkh", "p2wsh", "p2tr", "p2pk", "multisig", "op_return", "other")
P2PKH, P2SH, P2WPKH, P2WSH, P2TR, P2PK, MULTISIG, OP_RETURN, OTHER = (np.uint8(i) for i in range(len(KINDS)))


@njit(cache=True, nogil=True)
def kind_of(data, at, size):  # type: ignore[no-untyped-def]
    """Place in KINDS of the script of `size` bytes that begins at `at`."""
    if size == 25 and data[at] == 0x76 and data[at + 1] == 0xA9 and data[at + 2] == 0x14:
        if data[at + 23] == 0x88 and data[at + 24] == 0xAC:
            return P2PKH
    elif size == 23 and data[at] == 0xA9 and data[at + 1] == 0x14 and data[at + 22] == 0x87:
        return P2SH
    if is_program(data, at, size):
        return _kind_of_program(data[at], size - 2)
    return _kind_without_address(data, at, size)


@njit(cache=True, nogil=True)
def is_program(data, at, size):  # type: ignore[no-untyped-def]
    """Whether it is a witness program, of a version in use or not."""
    return 4 <= size <= 42 and (data[at] == 0 or 0x51 <= data[at] <= 0x60) and data[at + 1] == size - 2


@njit(cache=True, nogil=True)
def _kind_of_program(version, size):  # type: ignore[no-untyped-def]
    if version == 0 and size == 20:
        return P2WPKH
    if version == 0 and size == 32:
        return P2WSH
    return P2TR if version == 0x51 and size == 32 else OTHER


@njit(cache=True, nogil=True)
def _kind_without_address(data, at, size):  # type: ignore[no-untyped-def]
    if size == 0:
        return OTHER
    last = data[at + size - 1]
    if data[at] == 0x6A:
        return OP_RETURN
    if last == 0xAC and (size == 35 or size == 67) and data[at] == size - 2:
        return P2PK
    if last == 0xAE and size > 3 and 0x51 <= data[at] <= data[at + size - 2] <= 0x60:
        return MULTISIG
    return OTHER


def kinds_of(scripts: bytes, starts: NDArray[Any]) -> NDArray[np.uint8]:
    """Place in KINDS of each of n scripts; `starts` [n + 1]: where each begins and the last one ends."""
    kinds = np.empty(len(starts) - 1, np.uint8)
    _kinds(np.frombuffer(scripts or b"-", np.uint8), starts, kinds)
    return kinds


@njit(cache=True, nogil=True)
def _kinds(data, starts, kinds):  # type: ignore[no-untyped-def]
    for row in range(len(kinds)):
        kinds[row] = kind_of(data, starts[row], starts[row + 1] - starts[row])


kinds_of(b"-", np.zeros(2, np.int64))  # compiled now: a child may not write what it compiled
