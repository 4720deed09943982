"""How a family's step is compiled, and the pointers it is handed.

Handing arrays and slices around costs compiled code more than the arithmetic of a column: an array
is seven words and a reference count. A pointer is one word, and ``p[3]`` reads as an array does.
Nothing checks it: a step may touch only what its family asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba as nb
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["Floats", "Ints", "address_of", "ahead", "call", "compiled", "pointer"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
"""What a step is handed: a pointer in compiled code, an array for whoever calls it from Python."""

Step = TypeVar("Step", bound=Callable[..., object])


def compiled(function: Step) -> Step:
    """Compile a function that compiled code calls; ``x / 0.0`` is inf or nan, no exception."""
    return cast(Step, nb.njit(error_model="numpy")(function))


def address_of(step: Callable[..., object]) -> int:
    """Return where a family's step is compiled to, for :func:`call`; it is never let go.

    It is compiled once more, for pointers and nothing else, because that is kept on disk.
    """
    floats: Any = types.CPointer(types.float64)  # type: ignore[no-untyped-call]
    bare: dict[str, Any] = {"no_cpython_wrapper": True}
    like = nb.njit(types.void(*[floats] * 4), cache=True, error_model="numpy", **bare)
    made: Any = like(cast(Any, step).py_func)
    _kept.append(made)
    [code] = made.overloads.values()
    return int(code.library.get_pointer_to_function(code.fndesc.llvm_func_name))


_kept: list[object] = []

if TYPE_CHECKING:
    Array = TypeVar("Array", Floats, Ints, npt.NDArray[np.float32])

    def pointer(array: Array) -> Array:
        """Return the pointer to an array's first element."""

    def ahead(at: Array, elements: int) -> Array:
        """Return a pointer so many elements ahead."""

    def call(address: int, h: Floats, state: Floats, param: Floats, out: Floats) -> None:
        """Call the compiled step at an address."""

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
    def call(typing, address, h, state, param, out):
        """Call the compiled step at an address (``int64``).

        Code that is called so is compiled once, and not again into everyone who calls it.
        """

        def code(context, builder, signature, args):
            # As numba calls: where the result and an exception go come first, a status comes back.
            word = ir.IntType(8).as_pointer()
            takes = ir.FunctionType(ir.IntType(32), [word.as_pointer()] * 2 + [args[1].type] * 4)
            nowhere = cgutils.alloca_once(builder, word, size=2)
            told = [nowhere, builder.gep(nowhere, [ir.IntType(32)(1)])]
            builder.call(builder.inttoptr(args[0], takes.as_pointer()), [*told, *args[1:]])
            return context.get_dummy_value()

        return types.void(address, h, state, param, out), code
