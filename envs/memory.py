"""How compiled code reaches its arrays without counting references, and before it needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from features.compiled import pointer

__all__ = ["aligned", "bare", "flags", "floats", "ints", "prefetch", "shaped", "singles"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LINE = 64
"""Bytes that come near at once."""


def aligned(rows: int, columns: int, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array of any content that begins where a line of the processor's cache does.

    Examples
    --------
    >>> made = aligned(3, 16, np.float32)
    >>> made.shape, made.ctypes.data % 64
    ((3, 16), 0)
    """
    size = rows * columns * np.dtype(kind).itemsize
    room = np.empty(size + LINE, np.uint8)
    begin = -room.ctypes.data % LINE
    return room[begin : begin + size].view(kind).reshape(rows, columns)


if TYPE_CHECKING:

    def bare(array: Floats, shape: tuple[int, ...]) -> Floats:
        """Return an array of the same memory, slices of which count no references.

        Counting them costs more than a step's arithmetic; whoever calls holds the array anyway.
        """

    def shaped(at: Floats, shape: tuple[int, ...]) -> Floats:
        """Return an array of the memory that a pointer points at; slices count no references."""

    def prefetch(at: npt.NDArray[np.generic]) -> None:
        """Bring the memory that a pointer points at near; nothing but time depends on it.

        Episodes stand at rows all over the tapes, and waiting for these costs a step more than
        its arithmetic.
        """

    def floats(address: int) -> Floats:
        """Return a pointer to the ``float64`` at an address."""

    def ints(address: int) -> Ints:
        """Return a pointer to the ``int64`` at an address."""

    def singles(address: int) -> npt.NDArray[np.float32]:
        """Return a pointer to the ``float32`` at an address."""

    def flags(address: int) -> npt.NDArray[np.uint8]:
        """Return a pointer to the ``bool``, 0 or 1, at an address."""

else:

    def _reaching(kind):
        """Make what turns an address into a pointer to a ``kind``."""

        @intrinsic
        def reach(typing, address):
            def code(context, builder, signature, args):
                into = context.get_value_type(signature.return_type)
                return builder.inttoptr(args[0], into)

            return types.CPointer(kind)(types.int64), code

        return reach

    floats, ints = _reaching(types.float64), _reaching(types.int64)
    singles, flags = _reaching(types.float32), _reaching(types.uint8)

    @nb.njit(cache=True, forceinline=True)
    def bare(array, shape):
        """Return an array of the same memory, slices of which count no references."""
        return nb.carray(pointer(array), shape)

    @nb.njit(cache=True, forceinline=True)
    def shaped(at, shape):
        """Return an array of the memory that a pointer points at; slices count no references."""
        return nb.carray(at, shape)

    @intrinsic
    def prefetch(typing, at):
        """Bring the memory that a pointer points at near; nothing but time depends on it."""

        def code(context, builder, signature, args):
            word, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [word, number, number, number])
            hint = builder.module.declare_intrinsic("llvm.prefetch", [word], kind)
            # For reading, to be kept in every cache, of data.
            builder.call(hint, [builder.bitcast(args[0], word), number(0), number(3), number(1)])
            return context.get_dummy_value()

        return types.void(at), code
