"""Sixteen numbers of 32 bits at once: which of them are near to one. Compiled into the kernels that use it.

Written as LLVM's own vectors, so that every processor does it with the widest registers it has: a loop over sixteen
numbers is unrolled before it would be made into these.
"""

from typing import Any

import numba as nb
from llvmlite import ir
from numba.core import cgutils
from numba.core.types import int64, uint32, uint64
from numba.extending import intrinsic

LANES = 16
_NUMBER = ir.IntType(32)
_VECTOR = ir.VectorType(_NUMBER, LANES)
_FIRST = ir.Constant(ir.VectorType(_NUMBER, LANES), [0] * LANES)


@intrinsic  # type: ignore[untyped-decorator]
def near_lanes(typing: Any, numbers: Any, at: Any, number: Any, most: Any) -> Any:
    """Bit n of the answer: `numbers[at + n]` differs from `number` in at most `most` bits. All sixteen must exist."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> ir.Value:
        array = context.make_array(signature.args[0])(context, builder, values[0])
        place = builder.bitcast(builder.gep(array.data, [values[1]]), _VECTOR.as_pointer())
        apart = builder.xor(builder.load(place, align=4), _sixteen_times(builder, values[2]))
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        ones = builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.ctpop.v{LANES}i32"), [apart])
        near = builder.icmp_unsigned("<=", ones, _sixteen_times(builder, values[3]))
        return builder.zext(builder.bitcast(near, ir.IntType(LANES)), ir.IntType(64))

    return uint64(nb.types.Array(nb.uint32, 1, "C"), int64, uint32, uint32), generate


def _sixteen_times(builder: Any, number: ir.Value) -> ir.Value:
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    return builder.shuffle_vector(builder.insert_element(nothing, number, ir.Constant(_NUMBER, 0)), nothing, _FIRST)


@intrinsic  # type: ignore[untyped-decorator]
def lowest(typing: Any, bits: Any) -> Any:
    """The place of the lowest one; `bits` has at least one."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> ir.Value:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return int64(uint64), generate
