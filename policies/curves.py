"""Learning curves for the terminal: a line of blocks, and a chart of braille dots."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt

__all__ = ["chart", "sparkline"]

Floats = npt.NDArray[np.float64]

_BLOCKS = "▁▂▃▄▅▆▇█"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800


def _thinned(values: Sequence[float], width: int) -> Floats:
    """Return means of ``width`` equal stretches; ``nan`` where a stretch holds none known."""
    known = np.asarray(values, np.float64)
    if len(known) <= width:
        return known
    edges = np.linspace(0, len(known), width + 1).astype(np.int64)
    out = np.full(width, np.nan)
    for i in range(width):
        part = known[edges[i] : edges[i + 1]]
        part = part[np.isfinite(part)]
        if len(part):
            out[i] = part.mean()
    return out


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Draw a line of blocks, the lowest value lowest; values that aren't known leave a gap.

    Parameters
    ----------
    values
        In order; means of equal stretches are drawn where they are more than ``width``.
    width
        Characters at most.

    Examples
    --------
    >>> sparkline([0.0, 1.0, 2.0, float("nan"), 7.0])
    '▁▂▃ █'
    >>> sparkline([])
    ''
    """
    shown = _thinned(values, width)
    known = shown[np.isfinite(shown)]
    if not len(known):
        return " " * len(shown)
    low, span = known.min(), float(np.ptp(known)) or 1.0
    return "".join(
        _BLOCKS[round((one - low) / span * (len(_BLOCKS) - 1))] if isfinite(one) else " "
        for one in shown.tolist()
    )


def chart(values: Sequence[float], width: int = 60, height: int = 6) -> tuple[str, ...]:
    r"""Draw a curve of braille dots with its least and greatest value beside it.

    Parameters
    ----------
    values
        In order; those that aren't known leave a gap.
    width, height
        Characters of the drawing, without the two numbers.

    Returns
    -------
    tuple[str, ...]
        ``height`` lines, the uppermost first; none before two values are known.

    Examples
    --------
    >>> print(*chart([0, 1, 2, 3, 4, 5, 6, 7], width=4, height=2), sep="\n")
      7 ⠀⠀⡠⠊
      0 ⡠⠊⠀⠀
    """
    if width < 1 or height < 1:
        raise ValueError(f"width and height must be positive, were {width} and {height}")
    shown = _thinned(values, 2 * width)
    known = shown[np.isfinite(shown)]
    if len(known) < 2:
        return ()
    low, high = float(known.min()), float(known.max())
    rows = 4 * height - 1
    cells = np.zeros((height, width), np.int64)
    # Drawn as a line: between neighbours that are both known, what lies on it.
    line = np.interp(np.linspace(0.0, len(shown) - 1.0, 2 * width), np.arange(len(shown)), shown)
    for column, value in enumerate(line.tolist()):
        if isfinite(value):
            row = rows - round((value - low) / ((high - low) or 1.0) * rows)
            cells[row // 4, column // 2] |= _DOTS[row % 4][column % 2]
    labels = [""] * height
    labels[0], labels[-1] = f"{high:.3g}", f"{low:.3g}"
    wide = max(3, *(len(one) for one in labels))
    return tuple(
        f"{label:>{wide}} " + "".join(chr(_BRAILLE + one) for one in row)
        for label, row in zip(labels, cells.tolist(), strict=True)
    )
