"""How compiled code reaches its arrays without counting references, and before it needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from features.compiled import pointer

__all__ = ["bare", "prefetch"]

Floats = npt.NDArray[np.float64]

if TYPE_CHECKING:

    def bare(array: Floats, shape: tuple[int, ...]) -> Floats:
        """Return an array of the same memory, slices of which count no references.

        Counting them costs more than a step's arithmetic; whoever calls holds the array anyway.
        """

    def prefetch(at: npt.NDArray[np.generic]) -> None:
        """Bring the memory that a pointer points at near; nothing but time depends on it.

        Episodes stand at rows all over the tapes, and waiting for these costs a step more than
        its arithmetic.
        """

else:

    @nb.njit(cache=True, forceinline=True)
    def bare(array, shape):
        """Return an array of the same memory, slices of which count no references."""
        return nb.carray(pointer(array), shape)

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
