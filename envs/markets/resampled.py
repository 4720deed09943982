"""Decisions put together anew: what was seen and what came of it, in blocks that stay whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from envs.tape import DecisionTape, Events

__all__ = ["Resampled", "resampled"]

Ints = npt.NDArray[np.int64]


class Resampled(NamedTuple):
    """A decision tape that might have been.

    Parameters
    ----------
    tape
        As long as the one it is made of.
    fresh
        ``bool[m]``: the row begins a block. What has a memory over rows forgets it there: what
        came before in this tape is not what came before the row.
    """

    tape: DecisionTape
    fresh: npt.NDArray[np.bool_]


def resampled(
    tape: DecisionTape,
    block: int,
    rng: np.random.Generator,
    kind: Literal["stationary", "circular"] = "stationary",
) -> Resampled:
    """Resample a decision tape by the block bootstrap, predictions and features along with prices.

    The unit is a decision with all that follows it until the next one: its context and the events
    behind it go together, so that a prediction is followed by what it was followed by, and is as
    good as it was. Where a block ends, the next row's context is of elsewhere: it was made of that
    block's own past alone and tells nothing of what comes behind the seam before it has happened.
    Prices are chained by their returns from the first price on; times by their distances.

    Parameters
    ----------
    tape
        Decisions; the training part of what there is.
    block
        Decisions in a block: the mean of a geometric length if stationary [1]_, each one's if
        circular [2]_. Several times the horizon of what was predicted.
    rng
        Draws starts and lengths.
    kind
        ``stationary`` or ``circular``; the last decision's block goes on with the first either way.

    References
    ----------
    .. [1] Politis, Romano (1994), The stationary bootstrap, JASA 89(428).
    .. [2] Politis, Romano (1992), A circular block-resampling procedure for stationary data.

    Examples
    --------
    >>> from envs.planted import planted
    >>> tape = planted(200, 0.1, 0.9, 0.5, np.random.default_rng(1))
    >>> made = resampled(tape, 20, np.random.default_rng(2))
    >>> len(made.tape), 4 < int(made.fresh.sum()) < 20
    (200, True)
    """
    if block < 1:
        raise ValueError(f"block must be at least 1, was {block}")
    steps = len(tape) - 1
    source = _sources(steps, block, rng, kind)
    rows = np.append(source, source[-1] + 1)
    happening, at = tape.happening
    # Of each step the events behind its decision, up to and with the next one's.
    counts = (at[1:] - at[:-1])[source]
    ends = np.cumsum(counts)
    step = np.repeat(np.arange(steps), counts)
    event = np.arange(ends[-1]) - (ends - counts)[step] + at[source][step] + 1
    price = tape.price
    level = np.concatenate(([0.0], np.cumsum(np.log(price[1:] / price[:-1])[source])))
    chained = price[0] * np.exp(level)
    ratio = chained / price[rows]
    begun = np.concatenate(([0], np.cumsum(np.diff(tape.times)[source]))) + tape.times[0]
    values = happening.values[np.append(at[source[0]], event)].copy()
    values[1:, :4] *= ratio[step, None]
    values[0, :4] *= ratio[0]
    times = happening.times[event] - tape.times[source][step] + begun[step]
    context = tape.rows[rows].copy()
    context[:, :2] *= ratio[:, None]
    context[:, 0] = values[np.append(0, ends), 3]
    made = replace(
        tape,
        times=begun,
        rows=context,
        features=tape.features[rows],
        events=Events(happening.bars, np.append(begun[:1], times), values),
        at=np.append(0, ends),
    )
    fresh = np.append(True, np.append(np.diff(source) != 1, False))
    return Resampled(made, fresh)


def _sources(steps: int, block: int, rng: np.random.Generator, kind: str) -> Ints:
    """Return which step each is, around a circle of as many."""
    if kind == "circular":
        starts = np.arange(steps) % block == 0
    else:
        starts = rng.random(steps) < 1.0 / block
        starts[0] = True
    first = np.flatnonzero(starts)
    length = np.diff(first, append=steps)
    drawn = rng.integers(0, steps, len(first))
    return np.asarray((np.repeat(drawn - first, length) + np.arange(steps)) % steps)
