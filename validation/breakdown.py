"""Where a result comes from: hour by hour, session, weekday, and regime by regime.

A result that is all in one hour, or in one regime that may not come again, is another result than
its mean. But of forty buckets two look remarkable by chance: each is tested against all the others
together, and flagged only if it stands out among as many tests as were made.

Neighbouring decisions are no independent evidence. Means are judged by how much sums over blocks of
consecutive decisions vary (cluster-robust variance, Student's t with one degree of freedom fewer
than a bucket has blocks; Cameron and Miller, "A practitioner's guide to cluster-robust inference",
2015), so blocks must be longer than labels and typical trades. What whole days have in common,
where blocks are shorter than a day, is not seen.

A bucket that saw no crash isn't safe: the spread taken is the larger of its own and of what a
bucket of its size would have if it varied as all decisions do. So calm buckets have intervals wider
than they need, and markets of rare jumps no hours that shine because the jump came in another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from validation.estimate import Estimate
from validation.holm import holm
from validation.seasons import SESSIONS, Grouping, seasons

__all__ = ["Breakdown", "Bucket", "Group", "breakdown"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST = 10
"""Blocks that a bucket, and the rest, must be seen in to be tested; of fewer, t isn't Student's."""


class Bucket(msgspec.Struct, frozen=True):
    """Figures of the decisions of one bucket.

    Parameters
    ----------
    label
        Its name.
    count
        Decisions.
    net
        Mean net return of a decision.
    hit_rate
        Share of the decisions with a position that earned something; ``nan`` without any.
    gain
        Mean log-loss of the base rate less that of the model, over its labelled decisions; above 0
        where the model knows more. ``nan`` without any.
    net_p, gain_p
        Probability, adjusted for the number of tests, of such a difference from all the other
        decisions of the group where there is none; ``nan`` where there is too little to tell.
    differs
        One of them is small enough.
    """

    label: str
    count: int
    net: Estimate
    hit_rate: float
    gain: Estimate
    net_p: float
    gain_p: float
    differs: bool


class Group(msgspec.Struct, frozen=True):
    """Buckets that share the decisions among themselves; empty ones are left out."""

    name: str
    buckets: tuple[Bucket, ...]


class Breakdown(msgspec.Struct, frozen=True):
    """A run, split up in several ways.

    Parameters
    ----------
    decisions
        How many.
    level
        Of the intervals.
    alpha
        Chance that anything at all is flagged where nothing differs.
    tests
        How many were made.
    groups
        ``hour``, ``session``, ``weekday`` and, if known, ``regime``.
    """

    decisions: int
    level: float
    alpha: float
    tests: int
    groups: tuple[Group, ...]

    def flagged(self) -> tuple[tuple[str, Bucket], ...]:
        """Return group's name and bucket of all that differ from the rest."""
        return tuple(
            (group.name, one) for group in self.groups for one in group.buckets if one.differs
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready to be written as JSON: ``nan`` becomes ``None``."""
        return cast(dict[str, Any], _plain(msgspec.to_builtins(self)))


def breakdown(
    returns: Floats,
    exposures: Floats,
    times: Ints,
    *,
    log_loss: Floats | None = None,
    base_log_loss: Floats | None = None,
    regime: Ints | None = None,
    regimes: tuple[str, ...] = (),
    zone: str = "UTC",
    sessions: Mapping[str, tuple[int, int]] = SESSIONS,
    block: int = 50,
    level: float = 0.95,
    alpha: float = 0.05,
) -> Breakdown:
    """Split a run up by season and regime.

    Parameters
    ----------
    returns, exposures
        ``float64[m]``: net return from each decision to the next, and what was held meanwhile.
    times
        ``int64[m]``: of the decisions, ns since 1970 UTC.
    log_loss, base_log_loss
        ``float64[m]``: of the model, and of the base rate; ``nan`` where the label is unknown.
    regime
        ``int64[m]``: index of the regime at the decision, below 0 where it is unknown.
    regimes
        Names of the regimes; their indices where left out.
    zone, sessions
        As :func:`validation.seasons.seasons` takes them.
    block
        Consecutive decisions whose sum is one piece of evidence.
    level
        Of the intervals.
    alpha
        Chance allowed that anything is flagged where nothing differs.

    Raises
    ------
    ValueError
        Lengths differ, a return or exposure isn't finite, a regime has no name, or one loss lacks
        the other.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> times = np.arange(20_000) * 900_000_000_000  # every quarter of an hour
    >>> lunch = times // 3_600_000_000_000 % 24 == 12
    >>> returns = rng.normal(0.0, 0.01, 20_000) + 0.002 * lunch
    >>> found = breakdown(returns, np.ones(20_000), times, block=20)
    >>> [(name, one.label) for name, one in found.flagged()]
    [('hour', '12')]
    """
    m = len(returns)
    if (log_loss is None) != (base_log_loss is None):
        raise ValueError("log_loss and base_log_loss come together: a loss alone says nothing")
    unknown = np.full(m, np.nan)
    losses = unknown if log_loss is None else log_loss
    bases = unknown if base_log_loss is None else base_log_loss
    codes = np.full(m, -1) if regime is None else regime
    for name, values in (
        ("exposures", exposures),
        ("times", times),
        ("log_loss", losses),
        ("base_log_loss", bases),
        ("regime", codes),
    ):
        if len(values) != m:
            raise ValueError(f"{name} must have {m} values as returns have, had {len(values)}")
    for name, values in (("returns", returns), ("exposures", exposures)):
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise ValueError(f"{name} must be finite, was {values[row]} at decision {row}")
    if block < 1:
        raise ValueError(f"block must be at least 1, was {block}")
    groupings = seasons(times, zone, sessions)
    if regime is not None:
        highest = int(codes.max(initial=-1))
        names = regimes or tuple(str(one) for one in range(highest + 1))
        if highest >= len(names):
            raise ValueError(f"regime {highest} has no name; regimes are {', '.join(names)}")
        groupings["regime"] = Grouping(codes, names)
    blocks = np.arange(m) // block
    earned = np.where(exposures != 0.0, (returns > 0.0).astype(np.float64), np.nan)
    nets, gains, hits = (
        {name: _compare(values, one, blocks, level) for name, one in groupings.items()}
        for values in (returns, bases - losses, earned)
    )
    raw = [one.p for figures in (nets, gains) for one in figures.values()]
    tests = int(np.count_nonzero(~np.isnan(np.concatenate(raw))))
    adjusted = np.split(holm(np.concatenate(raw)), np.cumsum([len(p) for p in raw])[:-1])
    groups = []
    for at, (name, grouping) in enumerate(groupings.items()):
        net, gain, hit = nets[name], gains[name], hits[name]
        net_p, gain_p = adjusted[at], adjusted[at + len(groupings)]
        buckets = (
            Bucket(
                label=label,
                count=int(net.count[k]),
                net=net.estimate(k),
                hit_rate=float(hit.mean[k]),
                gain=gain.estimate(k),
                net_p=float(net_p[k]),
                gain_p=float(gain_p[k]),
                differs=bool(net_p[k] <= alpha or gain_p[k] <= alpha),
            )
            for k, label in enumerate(grouping.labels)
            if net.count[k]
        )
        groups.append(Group(name, tuple(buckets)))
    return Breakdown(m, level, alpha, tests, tuple(groups))


@dataclass(frozen=True)
class _Compared:
    """Means of one figure in each of ``k`` buckets, ``float64[k]`` each."""

    count: Floats
    mean: Floats
    reach: Floats
    p: Floats

    def estimate(self, k: int) -> Estimate:
        """Of one bucket's mean."""
        mean, reach = float(self.mean[k]), float(self.reach[k])
        return Estimate(mean, mean - reach, mean + reach)


def _compare(values: Floats, grouping: Grouping, blocks: Ints, level: float) -> _Compared:
    """Mean of every bucket, how far its interval reaches, and p of its difference from the rest.

    Decisions without a value (``nan``) or bucket are left out.
    """
    k = len(grouping.labels)
    known = ~np.isnan(values) & (grouping.codes >= 0)
    rows = int(blocks[-1]) + 1 if len(blocks) else 0
    cell = blocks[known] * k + grouping.codes[known]
    count = np.bincount(cell, minlength=rows * k).astype(np.float64).reshape(rows, k)
    sums: Floats = np.bincount(cell, values[known], rows * k).astype(np.float64)
    total = sums.reshape(rows, k)
    own = _means(count, total)
    rest = _means(*(one.sum(axis=1, keepdims=True) - one for one in (count, total)))
    everything = _means(*(one.sum(axis=1, keepdims=True) for one in (count, total)))
    with np.errstate(divide="ignore", invalid="ignore"):
        # variance of the mean of one decision as a piece of all, neighbours included
        common = _variance(everything.moved, everything.seen) * everything.count
        spread = np.sqrt(np.maximum(_variance(own.moved, own.seen), common / own.count))
        reach = stdtrit(own.seen - 1.0, (1.0 + level) / 2.0) * spread
        fewer = np.minimum(own.seen, rest.seen)
        apart = np.sqrt(
            np.maximum(
                _variance(own.moved - rest.moved, fewer), common / own.count + common / rest.count
            )
        )
        p = 2.0 * stdtr(fewer - 1.0, -np.abs(own.mean - rest.mean) / apart)
    nothing = 1e-12 * float(np.abs(values[known]).max(initial=0.0))
    return _Compared(
        count=own.count,
        mean=own.mean,
        reach=np.where(own.seen > 1.0, reach, np.nan),
        p=np.where((fewer >= FEWEST) & (apart > nothing), p, np.nan),
    )


@dataclass(frozen=True)
class _Means:
    """Of buckets: decisions, mean, what each block moved it by, blocks they are seen in."""

    count: Floats
    mean: Floats
    moved: Floats
    seen: Floats


def _means(count: Floats, total: Floats) -> _Means:
    n = count.sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = total.sum(axis=0) / n
        moved = (total - mean * count) / n
    return _Means(n, mean, moved, (count > 0.0).sum(axis=0).astype(np.float64))


def _variance(moved: Floats, seen: Floats) -> Floats:
    """Of the mean: ``g`` blocks show the spread of ``g - 1``."""
    return np.asarray((moved**2).sum(axis=0) * seen / (seen - 1.0))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
