"""Products of 8-bit codes, written for the vector unit.

The processor's instruction for 8-bit dot products does four to five times the multiply-adds of
float32 ones, and its sums are exact integers. Compilers do not find it in ordinary loops, so the
two innermost ones are emitted here, for processors of x86-64 with AVX-512 VNNI.

One *step* is four coordinates. A *panel* holds the codes of `PANEL_PICKS` picks, step by step, so
that one load brings the same step of 16 picks. A *slab* is the same with `SLAB_ROWS` rows.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# 24 of the 32 vector registers add up one tile: 12 rows against 2 x 16 picks.
TILE_ROWS = 12
PANEL_PICKS = 32
# Eight sums in flight hide the latency of the instruction.
SLAB_ROWS = 128

_LANES = 16
_BYTE, _SHORT, _INT, _LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_VECTOR = ir.VectorType(_INT, _LANES)
_ADDRESS = types.voidptr


def can_run() -> bool:
    """Return whether this processor has the instruction."""
    return bool(llvm.get_host_cpu_features().get("avx512vnni"))


@intrinsic
def address_of(_: Any, array: Any) -> Any:
    """Return the address of an array's first byte."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.bitcast(data, _BYTE.as_pointer())

    return _ADDRESS(array), emit


@intrinsic
def step_from(_: Any, address: Any, n_bytes: Any) -> Any:  # noqa: ARG001  typed by the signature
    """Return an address some bytes further on."""

    def emit(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])

    return _ADDRESS(_ADDRESS, types.int64), emit


@intrinsic
def count_trailing_zeros(_: Any, bits: Any) -> Any:  # noqa: ARG001  typed by the signature
    """Return the place of the lowest bit that is set, at least one being so."""

    def emit(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), emit


@intrinsic
def screen_tile(
    _: Any,
    codes: Any,  # noqa: ARG001  typed by the signature, as all below
    offsets: Any,  # noqa: ARG001
    panel: Any,  # noqa: ARG001
    n_steps: Any,  # noqa: ARG001
    starts: Any,  # noqa: ARG001
    limits: Any,  # noqa: ARG001
    masks: Any,  # noqa: ARG001
) -> Any:
    """Tell which picks of a panel may be near which of `TILE_ROWS` rows.

    Args:
        codes: Unsigned codes; row i begins ``offsets[i]`` bytes further on.
        offsets: int64 per row.
        panel: Signed codes of the picks.
        n_steps: Steps per row.
        starts: int32 per pick; each sum starts there.
        limits: int32 per row.
        masks: Receives 32 bits per row: those of picks whose sum reaches the row's limit.
    """
    signature = types.void(_ADDRESS, _ADDRESS, _ADDRESS, types.int64, _ADDRESS, _ADDRESS, _ADDRESS)

    def emit(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        code_base, offset_base, panel_base, steps, start_base, limit_base, mask_base = arguments
        rows = [
            builder.gep(code_base, [_load(builder, offset_base, _long(8 * i), _LONG, 8)])
            for i in range(TILE_ROWS)
        ]
        starts = [_load(builder, start_base, _long(64 * j), _VECTOR, 4) for j in range(2)]

        def advance(step: Any, sums: list[Any]) -> list[Any]:
            panel_at, row_at = builder.mul(step, _long(128)), builder.mul(step, _long(4))
            picks = [
                _load(builder, panel_base, builder.add(panel_at, _long(64 * j)), _VECTOR, 4)
                for j in range(2)
            ]
            new = []
            for i, row in enumerate(rows):
                spread = _spread(builder, _load(builder, row, row_at, _INT, 1))
                new += [_add_products(builder, sums[2 * i + j], spread, picks[j]) for j in (0, 1)]
            return new

        sums = _loop(builder, steps, starts * TILE_ROWS, advance)
        for i in range(TILE_ROWS):
            limit = _spread(builder, _load(builder, limit_base, _long(4 * i), _INT, 4))
            for j in range(2):
                reached = builder.icmp_signed(">=", sums[2 * i + j], limit)
                _store_bits(builder, mask_base, 2 * (2 * i + j), reached)
        return context.get_dummy_value()

    return signature, emit


@intrinsic
def screen_slab(
    _: Any,
    slab: Any,  # noqa: ARG001  typed by the signature, as all below
    pick: Any,  # noqa: ARG001
    n_steps: Any,  # noqa: ARG001
    start: Any,  # noqa: ARG001
    limits: Any,  # noqa: ARG001
    masks: Any,  # noqa: ARG001
) -> Any:
    """Tell to which of `SLAB_ROWS` rows one pick may be near.

    Args:
        slab: Unsigned codes of the rows.
        pick: Signed codes of the pick.
        n_steps: Steps per row.
        start: int32; each sum starts there.
        limits: int32 per row.
        masks: Receives one bit per row whose sum reaches its limit.
    """
    signature = types.void(_ADDRESS, _ADDRESS, types.int64, types.int32, _ADDRESS, _ADDRESS)
    n_vectors = SLAB_ROWS // _LANES

    def emit(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        slab_base, pick_base, steps, start, limit_base, mask_base = arguments

        def advance(step: Any, sums: list[Any]) -> list[Any]:
            slab_at = builder.mul(step, _long(4 * SLAB_ROWS))
            spread = _spread(
                builder, _load(builder, pick_base, builder.mul(step, _long(4)), _INT, 1)
            )
            return [
                _add_products(
                    builder,
                    total,
                    _load(builder, slab_base, builder.add(slab_at, _long(64 * j)), _VECTOR, 4),
                    spread,
                )
                for j, total in enumerate(sums)
            ]

        sums = _loop(builder, steps, [_spread(builder, start)] * n_vectors, advance)
        for j, total in enumerate(sums):
            limit = _load(builder, limit_base, _long(64 * j), _VECTOR, 4)
            _store_bits(builder, mask_base, 2 * j, builder.icmp_signed(">=", total, limit))
        return context.get_dummy_value()

    return signature, emit


def _loop(
    builder: Any, n_steps: Any, starts: list[Any], advance: Any, kind: Any = _VECTOR
) -> list[Any]:
    """Emit a loop of at least one step over running sums and return the final sums."""
    entry, function = builder.block, builder.function
    body, after = function.append_basic_block("step"), function.append_basic_block("sums")
    builder.branch(body)
    builder.position_at_end(body)
    step = builder.phi(_LONG)
    step.add_incoming(_long(0), entry)
    sums = [builder.phi(kind) for _ in starts]
    for total, start in zip(sums, starts, strict=True):
        total.add_incoming(start, entry)
    new = advance(step, sums)
    following = builder.add(step, _long(1))
    step.add_incoming(following, body)
    for total, value in zip(sums, new, strict=True):
        total.add_incoming(value, body)
    builder.cbranch(builder.icmp_signed("<", following, n_steps), body, after)
    builder.position_at_end(after)
    return new


def _add_products(builder: Any, total: Any, unsigned: Any, signed: Any) -> Any:
    """Add four products of bytes to each of 16 integers; sums wrap around, never saturate."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR, _VECTOR, _VECTOR])
    name = "llvm.x86.avx512.vpdpbusd.512"
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    return builder.call(function, [total, unsigned, signed])


def _load(builder: Any, base: Any, offset: Any, kind: Any, alignment: int) -> Any:
    place = builder.bitcast(builder.gep(base, [offset]), kind.as_pointer())
    value = builder.load(place)
    value.align = alignment
    return value


def _spread(builder: Any, value: Any) -> Any:
    """Return a vector of 16 times the same integer."""
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    single = builder.insert_element(undefined, value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(single, undefined, ir.Constant(_VECTOR, [0] * _LANES))


def _store_bits(builder: Any, base: Any, offset: int, bits: Any) -> None:
    place = builder.bitcast(builder.gep(base, [_long(offset)]), _SHORT.as_pointer())
    builder.store(builder.bitcast(bits, _SHORT), place).align = 1


def _long(value: int) -> Any:
    return ir.Constant(_LONG, value)
