"""How a family's step is compiled, and the pointers it is handed.

Handing arrays and slices around costs compiled code more than the arithmetic of a column: an array
is seven words and a reference count. A pointer is one word, and ``p[3]`` reads as an array does.
Nothing checks it: a step may touch only what its family asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

import numba as nb
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["Floats", "Ints", "ahead", "call", "compiled", "pointer"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
"""What a step is handed: a pointer in compiled code, an array for whoever calls it from Python."""

Step = TypeVar("Step", bound=Callable[..., object])


def compiled(function: Step) -> Step:
    """Compile a function that compiled code calls; ``x / 0.0`` is inf or nan, no exception."""
    return cast(Step, nb.njit(error_model="numpy")(function))


if TYPE_CHECKING:
    Array = TypeVar("Array", Floats, Ints)

    def pointer(array: Array) -> Array:
        """Return the pointer to an array's first element."""

    def ahead(at: Array, elements: int) -> Array:
        """Return a pointer so many elements ahead."""

    def call(
        address: int, h: Floats, memory: Floats, params: Floats, first: Ints, at: Ints
    ) -> None:
        """Call the compiled function at an address with five pointers."""

else:

    @intrinsic
    def pointer(typing, array):
        """Return the pointer to an array's first element."""

        def code(context, builder, signature, args):
            made = make_array(signature.args[0])
            return made(context, builder, args[0]).data

        return types.CPointer(array.dtype)(array), code

    @intrinsic
    def ahead(typing, at, elements):
        """Return a pointer so many elements ahead."""

        def code(context, builder, signature, args):
            return builder.gep(args[0], [args[1]])

        return at(at, types.int64), code

    @intrinsic
    def call(typing, address, h, memory, params, first, at):
        """Call the compiled function at an address (``int64``) with five pointers.

        Code that is called so is compiled once, and not again into everyone who calls it.
        """

        def code(context, builder, signature, args):
            takes = ir.FunctionType(ir.VoidType(), [one.type for one in args[1:]])
            builder.call(builder.inttoptr(args[0], takes.as_pointer()), args[1:])
            return context.get_dummy_value()

        return types.void(address, h, memory, params, first, at), code
