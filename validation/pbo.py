"""Probability of backtest overfitting: what is the best of many worth in the next half.

Combinatorially symmetric cross-validation cuts a history into blocks, takes every choice of half
of them as the sample in which the best trial is chosen, and looks where that trial ranks in the
other half. Source: Bailey, Borwein, López de Prado, Zhu, "The probability of backtest overfitting"
(Journal of Computational Finance, 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from market.errors import DataError

__all__ = ["Overfitting", "overfitting"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Statistic = Callable[[Floats], Floats]
"""Judges trials: ``float64[n, N]`` of returns to ``float64[N]``, more is better."""

CHUNK = 256
"""Choices of blocks judged at a time: few enough to stay in a processor's cache."""

ROUNDING = 1e-13
"""Of a sum of squares: a variance that is less was lost when the mean's was taken off."""

MOST = 20
"""Blocks beyond which the choices are too many: 20 make 184,756."""


@dataclass(frozen=True)
class Overfitting:
    """What became of the trial that was best in one half, in the other; ``C`` choices of halves.

    Parameters
    ----------
    pbo
        Share of choices in which the trial that was best in sample came out in the lower half of
        the trials, or in its middle, out of sample: ``logits <= 0``.
    logits
        ``float64[C]``: ``ln(w / (1 - w))`` of its relative rank ``w = rank / (N + 1)`` out of
        sample, rank 1 the worst, equals sharing theirs.
    chosen
        ``int64[C]``: the trial.
    inside, outside
        ``float64[C]``: what it was worth in sample and out of sample (Sharpe ratio per
        observation).
    slope
        Of ``outside`` on ``inside``, least squares: how much of a better backtest arrives. Below
        zero the better it looked the worse it was; nan where all looked alike.
    loss
        Share of choices in which it was worth less than nothing out of sample.
    """

    pbo: float
    logits: Floats
    chosen: Ints
    inside: Floats
    outside: Floats
    slope: float
    loss: float

    @property
    def text(self) -> str:
        """The finding in a sentence."""
        return (
            f"probability of backtest overfitting {self.pbo:.1%}: the best trial was worth "
            f"{self.inside.mean():.3f} in sample and {self.outside.mean():.3f} out of it, below "
            f"zero in {self.loss:.1%} of {len(self.logits):,} halves"
        )


def overfitting(
    returns: Floats, blocks: int = 16, statistic: Statistic | None = None
) -> Overfitting:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    On one matrix of worthless trials it is around .5, but with a standard deviation of about .15
    from matrix to matrix: low values alone are no evidence of skill.

    Parameters
    ----------
    returns
        ``float64[T, N]``: of every trial at the same times, in order of time. All trials must be
        there, not the good ones only.
    blocks
        ``S``: even; contiguous, of nearly the same length. The halves are ``C(S, S / 2)``.
    statistic
        What makes a trial better. By default the Sharpe ratio, from sums of blocks; another one is
        given the rows of each half, and takes accordingly long.

    Raises
    ------
    DataError
        A return isn't finite.

    Examples
    --------
    >>> noise = np.random.default_rng(123).standard_normal((240, 10))
    >>> [round(overfitting(noise, blocks).pbo, 7) for blocks in (4, 6, 8)]
    [0.1666667, 0.3, 0.2428571]
    """
    _check(returns, blocks)
    halves = _halves(blocks)
    edges = np.linspace(0, len(returns), blocks + 1).astype(np.int64)
    judge = _by_sums(returns, edges) if statistic is None else _by_rows(returns, edges, statistic)
    # The complement of the first choice is the last one, and so on: each pair is judged once.
    first, second = [], []
    pairs = halves[: len(halves) // 2]
    for start in range(0, len(pairs), CHUNK):
        half = pairs[start : start + CHUNK]
        one, other = judge(half), judge(~half)
        first.append(_ranked(one, other))
        second.append(_ranked(other, one))
    chosen, inside, outside, rank = (
        np.concatenate([*a, np.concatenate(b)[::-1]])
        for a, b in zip(zip(*first, strict=True), zip(*second, strict=True), strict=True)
    )
    relative = rank / (returns.shape[1] + 1.0)
    logits = np.log(relative / (1.0 - relative))
    spread = inside - inside.mean()
    varies = float(spread @ spread) > 1e-20 * float(inside @ inside)
    slope = float(spread @ outside) / float(spread @ spread) if varies else float("nan")
    return Overfitting(
        float((logits <= 0.0).mean()),
        logits,
        chosen.astype(np.int64),
        inside,
        outside,
        slope,
        float((outside < 0.0).mean()),
    )


def _check(returns: Floats, blocks: int) -> None:
    if returns.ndim != 2 or returns.shape[1] < 2:
        raise ValueError(f"returns must be [T, N] of 2 trials or more, was {returns.shape}")
    if blocks % 2 or not 2 <= blocks <= MOST:
        raise ValueError(f"blocks must be even, from 2 to {MOST}, was {blocks}")
    if len(returns) < 2 * blocks:
        raise ValueError(
            f"blocks must be at most {len(returns) // 4 * 2}, two returns in each, was {blocks}"
        )
    if not np.isfinite(returns).all():
        row, trial = np.argwhere(~np.isfinite(returns))[0]
        raise DataError(
            f"returns must be finite, was {returns[row, trial]} of trial {trial} at row {row}; "
            "a trial that did not trade returns 0"
        )


def _halves(blocks: int) -> npt.NDArray[np.bool_]:
    """Return every choice of half of the blocks, ``bool[C, S]``."""
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    halves = np.zeros((len(chosen), blocks), dtype=bool)
    np.put_along_axis(halves, chosen, True, axis=1)
    return halves


def _by_sums(returns: Floats, edges: Ints) -> Callable[[npt.NDArray[np.bool_]], Floats]:
    """Judge halves by Sharpe ratio, from sums of blocks: no return is looked at twice."""
    centre = returns.mean(axis=0)
    apart = returns - centre  # keeps the squares small: a mean far from zero would drown them
    sums = np.add.reduceat(apart, edges[:-1])
    squares = np.add.reduceat(apart**2, edges[:-1])
    lengths = np.diff(edges).astype(np.float64)
    least = (1e-12 * np.abs(returns).max(axis=0)) ** 2

    def judge(half: npt.NDArray[np.bool_]) -> Floats:
        taken = half.astype(np.float64)
        n = (taken @ lengths)[:, None]
        mean = taken @ sums / n
        square = taken @ squares
        variance = (square - n * mean**2) / (n - 1.0)
        worth: Floats = mean + centre
        # A constant gain has no measurable risk: see validation.metrics.sharpe. In a half that
        # stood still two large numbers cancel, and what is left of them is rounding.
        if (steady := variance <= np.maximum(least, ROUNDING * square / n)).any():
            worth[steady], variance[steady] = 0.0, 1.0
        worth /= np.sqrt(variance)
        return worth

    return judge


def _by_rows(
    returns: Floats, edges: Ints, statistic: Statistic
) -> Callable[[npt.NDArray[np.bool_]], Floats]:
    lengths = np.diff(edges)

    def judge(half: npt.NDArray[np.bool_]) -> Floats:
        return np.stack([statistic(returns[np.repeat(one, lengths)]) for one in half])

    return judge


def _ranked(inside: Floats, outside: Floats) -> tuple[Ints, Floats, Floats, Floats]:
    """Return the best trial inside, its worth inside and outside, and its rank outside."""
    rows = np.arange(len(inside))
    chosen = inside.argmax(axis=1)
    worth = outside[rows, chosen]
    below = np.count_nonzero(outside < worth[:, None], axis=1)
    equal = np.count_nonzero(outside == worth[:, None], axis=1)
    return chosen, inside[rows, chosen], worth, below + (equal + 1.0) / 2.0
