"""How a family's step is compiled, and the pointers it is handed.

Handing arrays and slices around costs compiled code more than the arithmetic of a column: an array
is seven words and a reference count. A pointer is one word, and ``p[3]`` reads as an array does.
Nothing checks it: a step may touch only what its family asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba as nb
import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["Floats", "ahead", "compiled", "pointer"]

Floats = npt.NDArray[np.float64]
"""What a step is handed: a pointer in compiled code, an array for whoever calls it from Python."""

Step = TypeVar("Step", bound=Callable[..., object])


def compiled(function: Step) -> Step:
    """Compile a function that other compiled code calls; ``x / 0.0`` is inf or nan, no exception."""
    return cast(Step, nb.njit(error_model="numpy")(function))


@intrinsic
def pointer(typing, array):  # type: ignore[no-untyped-def]
    """Return the pointer to an array's first element."""

    def code(context, builder, signature, args):  # type: ignore[no-untyped-def]
        made = make_array(signature.args[0])  # type: ignore[no-untyped-call]
        return made(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), code  # type: ignore[no-untyped-call]


@intrinsic
def ahead(typing, at, elements):  # type: ignore[no-untyped-def]
    """Return a pointer so many elements ahead."""

    def code(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.gep(args[0], [args[1]])

    return at(at, types.int64), code
