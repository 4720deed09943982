"""Markets that might have been, for training only: resampled, jittered and warped tapes.

All three change the *tape*, before features and labels are made of it, so that both tell of the
same prices. What must not change: gaps stay where they are, with their jumps; prices are positive;
a bar's low and high hold its open and close; a price that does not move still does not. Give them
the training part of a tape (``tape.slice``) and train on what they return: rows made of returns
that a result is judged by would tell it the answer.

A tape holds no book and no trades, and a second symbol's tape would need the same draws: columns of
these are not to be computed on what is made here.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from market.tape import CLOSE, HIGH, LOW, VOLUME, Tape

__all__ = ["block_bootstrap", "jitter", "warp"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def block_bootstrap(tape: Tape, block: int, rng: np.random.Generator) -> Tape:
    """Put the tape's rows together anew, from blocks of random length.

    The stationary bootstrap [1]_: every row is followed by the one that followed it, but with
    probability ``1 / block`` by any other; the last by the first. A row brings its log return, its
    shape (open, high and low against the close before), its volume and trades. So the distribution
    of returns and volumes is kept, and within blocks their order: clusters of volatility, and
    whatever can be predicted over spans well below ``block``. The times stay: what the hour of day
    has to do with prices is lost.

    Parameters
    ----------
    tape
        Ticks or bars.
    block
        Mean length, in rows; several times the longest horizon of the labels.
    rng
        Draws starts and lengths.

    Returns
    -------
    As many rows, with the same symbol, times and gaps, from the same first price. The first row and
    those after a gap keep their own returns, which no other row is given.

    References
    ----------
    .. [1] Politis, Romano (1994), The stationary bootstrap, JASA 89(428).
    """
    if block < 1:
        raise ValueError(f"block must be at least 1, was {block}")
    moves, amounts = _moves(tape)
    inner = np.flatnonzero(_inner(tape))
    if len(inner):
        source = inner[_chain(len(inner), block, rng)]
        moves[inner], amounts[inner] = moves[source], amounts[source]
    return _rebuilt(tape, tape.times, moves, amounts)


def jitter(tape: Tape, scale: float, rng: np.random.Generator, half_life: float = 64.0) -> Tape:
    """Add noise to every log return, in units of the volatility around it.

    ``r' = (r + scale * sigma * e) / sqrt(1 + scale^2)`` with *e* standard normal: the mean square
    return stays what it was (in expectation), the noise has the volatility's own clusters, and any
    dependence on the past is diluted by ``1 / sqrt(1 + scale^2)``. The shape of a bar is moved by
    half of its noise, and its high and low widened where its close would leave them.

    Parameters
    ----------
    tape
        Ticks or bars.
    scale
        Of the noise, in standard deviations of a return, from 0; .1 to .5 is usual.
    rng
        Draws the noise.
    half_life
        Rows after which a squared return counts half in ``sigma``. It is scaled so that the sum of
        ``sigma^2`` over the rows that moved is that of their squared returns.

    Returns
    -------
    As many rows, with the same symbol, times, gaps and volumes, from the same first price. Rows
    that did not move, and those after a gap, have no noise.
    """
    if not 0.0 <= scale < np.inf:
        raise ValueError(f"scale must be finite and not negative, was {scale}")
    if not 0.0 < half_life < np.inf:
        raise ValueError(f"half_life must be positive and finite, was {half_life}")
    moves, amounts = _moves(tape)
    inner = np.flatnonzero(_inner(tape))
    square = moves[inner, CLOSE] ** 2
    moved = square > 0.0
    if scale > 0.0 and moved.any():
        sigma = _volatility(square, half_life)
        sigma *= np.sqrt(square[moved].sum() / (sigma[moved] ** 2).sum())
        noise = scale * sigma * rng.standard_normal(len(inner))
        share = np.array([0.0, 0.5, 0.5, 1.0])
        fresh = (moves[inner] + noise[:, None] * share) / np.sqrt(1.0 + scale * scale)
        moves[inner] = np.where(moved[:, None], fresh, moves[inner])
    return _rebuilt(tape, tape.times, moves, amounts)


def warp(
    tape: Tape,
    scale: float,
    span: int,
    rng: np.random.Generator,
    clock: Literal["regular", "events"] = "regular",
) -> Tape:
    """Let the market's own clock run now faster, now slower.

    Its speed is ``g = exp(scale * z)``, with *z* a smooth standard normal path that forgets itself
    over ``span`` rows. A row is never split, repeated or averaged with its neighbour, as warping a
    path of prices by interpolation would do: an average of two prices can be predicted.

    * ``clock="regular"``, for ticks and bars that come on a clock: in a fast market more happens
      between two rows. Log returns and shapes are multiplied by ``sqrt(g)``, volumes and numbers of
      trades (no whole ones then) by ``g`` (Clark 1973: a subordinated process); *g* is scaled so
      that the sum of squared returns stays what it was. Times stay.
    * ``clock="events"``, for rows that come whenever something happens: in a fast market the same
      rows come sooner. The times between rows are divided by ``g``, to whole nanoseconds from 1,
      and each stretch between gaps begins and ends when it did. Prices and volumes stay.

    Parameters
    ----------
    tape
        Ticks or bars.
    scale
        Standard deviation of the log speed, from 0; .2 to .7 is usual.
    span
        Rows over which the speed changes, from 1.
    rng
        Draws the path.
    clock
        What makes the tape's rows come.
    """
    if not 0.0 <= scale < np.inf:
        raise ValueError(f"scale must be finite and not negative, was {scale}")
    if span < 1:
        raise ValueError(f"span must be at least 1, was {span}")
    speed = np.exp(scale * _smooth(len(tape), span, rng))
    moves, amounts = _moves(tape)
    inner = np.flatnonzero(_inner(tape))
    if clock == "events":
        return _rebuilt(tape, _retimed(tape, speed), moves, amounts)
    square = moves[inner, CLOSE] ** 2
    if square.any():
        speed *= square.sum() / (speed[inner] * square).sum()
    moves[inner] *= np.sqrt(speed[inner])[:, None]
    amounts[inner] *= speed[inner, None]
    return _rebuilt(tape, tape.times, moves, amounts)


def _inner(tape: Tape) -> npt.NDArray[np.bool_]:
    """Return which rows have a return of their own: all but the first and those after a gap."""
    inner = ~tape.fresh
    inner[:1] = False
    return inner


def _moves(tape: Tape) -> tuple[Floats, Floats]:
    """Return ``log(price / close of the row before)``, ``float64[n, 4]``, and what is no price."""
    before = np.concatenate([tape.close[:1], tape.close[:-1]])
    return np.log(tape.values[:, :VOLUME] / before[:, None]), tape.values[:, VOLUME:].copy()


def _rebuilt(tape: Tape, times: Ints, moves: Floats, amounts: Floats) -> Tape:
    """Return the tape of these moves, from the same first row on."""
    values = np.empty_like(tape.values)
    if len(tape):
        level = np.cumsum(moves[:, CLOSE])
        with np.errstate(over="ignore", under="ignore"):
            close = tape.close[0] * np.exp(level)
            before = np.concatenate([tape.close[:1], close[:-1]])
            values[:, :VOLUME] = before[:, None] * np.exp(moves)
        values[:, CLOSE] = close
        if not tape.bars:
            values[:, :VOLUME] = close[:, None]
        values[:, HIGH] = values[:, :VOLUME].max(axis=1)
        values[:, LOW] = values[:, :VOLUME].min(axis=1)
        values[0, :VOLUME] = tape.values[0, :VOLUME]
    values[:, VOLUME:] = amounts
    if not (np.isfinite(values[:, :VOLUME]) & (values[:, :VOLUME] > 0.0)).all():
        raise DataError(
            f"{tape.symbol}: its returns, put together anew, leave the range of numbers; "
            "take out the rows that are no market's"
        )
    return Tape(tape.symbol, tape.bars, times.copy(), values, tape.fresh.copy())


def _chain(rows: int, block: int, rng: np.random.Generator) -> Ints:
    """Return the source of each row by the stationary bootstrap, around a circle of as many."""
    starts = rng.random(rows) < 1.0 / block
    starts[0] = True
    first = np.flatnonzero(starts)
    length = np.diff(first, append=rows)
    drawn = rng.integers(0, rows, len(first))
    return np.asarray((np.repeat(drawn - first, length) + np.arange(rows)) % rows)


def _volatility(square: Floats, half_life: float) -> Floats:
    """Return the root of the exponentially weighted mean of squares, this row's included."""
    from scipy.signal import lfilter

    keep = 0.5 ** (1.0 / half_life)
    means = lfilter([1.0 - keep], [1.0, -keep], np.stack([square, np.ones_like(square)]), axis=1)
    return np.asarray(np.sqrt(means[0] / means[1]))


def _smooth(rows: int, span: int, rng: np.random.Generator) -> Floats:
    """Return a smooth standard normal path: white noise under a Gaussian window."""
    from scipy.signal import fftconvolve

    reach = np.arange(-3 * span, 3 * span + 1)
    window = np.exp(-0.5 * (reach / span) ** 2)
    window /= np.sqrt((window**2).sum())
    return np.asarray(fftconvolve(rng.standard_normal(rows + 6 * span), window, mode="valid"))


def _retimed(tape: Tape, speed: Floats) -> Ints:
    """Return the times of the same rows under other speeds, stretch by stretch."""
    times = tape.times.copy()
    bounds = [0, *(np.flatnonzero(tape.fresh[1:]) + 1).tolist(), len(times)]
    for start, stop in pairwise(bounds):
        steps = np.diff(tape.times[start:stop])
        spare = int(steps.sum()) - len(steps)
        if spare < 1:
            continue
        wished = steps / speed[start + 1 : stop]
        # Each step is a nanosecond and its part of what is left, so time increases strictly.
        part = np.cumsum(wished) / wished.sum()
        passed = np.floor(part * spare).astype(np.int64) + np.arange(1, len(steps) + 1)
        passed[-1] = spare + len(steps)
        times[start + 1 : stop] = tape.times[start] + passed
    return times
