"""Bytes by address, inside compiled code: numbers that are not aligned, and copies, without an array for each.

Nothing here checks bounds: whoever uses it has walked through the bytes before.
"""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_WIDTHS = {8: types.uint8, 32: types.uint32, 64: types.uint64}


def _loader(bits: int) -> Any:
    def load(typing: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            return builder.load(pointer, align=1)

        return _WIDTHS[bits](types.int64), code

    return intrinsic(load)


def _storer(bits: int) -> Any:
    def store(typing: Any, address: Any, value: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            builder.store(arguments[1], pointer, align=1)
            return context.get_dummy_value()

        return types.void(types.int64, _WIDTHS[bits]), code

    return intrinsic(store)


get8, get32, get64 = _loader(8), _loader(32), _loader(64)
"""The number at an address, least significant byte first."""
put8, put32, put64 = _storer(8), _storer(32), _storer(64)


@intrinsic  # type: ignore[untyped-decorator]
def copy(typing: Any, to: Any, source: Any, size: Any) -> Any:
    """Copies `size` bytes; the stretches do not overlap."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, size_type, flag = ir.IntType(8).as_pointer(), ir.IntType(64), ir.IntType(1)
        name = builder.module.declare_intrinsic("llvm.memcpy", [byte, byte, size_type])
        to, source = (builder.inttoptr(a, byte) for a in arguments[:2])
        builder.call(name, [to, source, arguments[2], flag(0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), code


@njit(cache=True, nogil=True)
def same_hash(a, b):  # type: ignore[no-untyped-def]
    """Whether the 32 bytes at two addresses are equal."""
    first = get64(a) == get64(b) and get64(a + 8) == get64(b + 8)
    return first and get64(a + 16) == get64(b + 16) and get64(a + 24) == get64(b + 24)
