"""The one compiled feature step, live and in batch.

Each family of columns is a file with ``names``, ``params``, ``size`` and a compiled ``step``;
here they are laid out in flat arrays and called in order. State ends with the columns
themselves, so one array is everything there is to keep.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numba as nb
import numpy as np
import numpy.typing as npt

from features import (
    daytime,
    flow,
    jumps,
    momentum,
    path,
    ranges,
    shape,
    strength,
    trend,
    volatility,
)
from features.config import FeatureConfig

__all__ = ["VERSION", "VOLATILITY", "Layout", "run", "step"]

VERSION = 1
"""Goes up when a column's meaning changes: what was trained on the old one is then refused."""

VOLATILITY = 0
"""Place of *the* volatility in the state; families follow."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Family(Protocol):
    """What each family's file offers besides its compiled step."""

    def names(self, config: FeatureConfig) -> tuple[str, ...]:
        """Names of its columns."""

    def params(self, config: FeatureConfig) -> tuple[float, ...]:
        """Numbers its step takes."""

    def size(self, config: FeatureConfig) -> int:
        """Floats of state."""


FAMILIES: tuple[Family, ...] = (
    path,
    volatility,
    momentum,
    trend,
    strength,
    ranges,
    flow,
    jumps,
    shape,
    daytime,
)


@dataclass(frozen=True)
class Layout:
    """Where everything lies in the flat arrays of one configuration.

    Parameters
    ----------
    names
        The columns.
    schema
        Sixteen hex digits that stand for columns and configuration.
    params
        Numbers of all families, one after the other.
    at
        ``int64[families + 1, 3]``: where each family's state, params and columns begin; columns
        are counted from the state's start.
    state
        Floats of state, columns included.
    warmup
        Events until the columns are given.
    """

    names: tuple[str, ...]
    schema: str
    params: Floats
    at: Ints
    state: int
    warmup: int

    @classmethod
    def of(cls, config: FeatureConfig) -> Layout:
        """Lay the families out."""
        names = tuple(name for family in FAMILIES for name in family.names(config))
        params = [x for family in FAMILIES for x in family.params(config)]
        at = np.zeros((len(FAMILIES) + 1, 3), np.int64)
        at[0, 0] = VOLATILITY + 1
        for i, family in enumerate(FAMILIES):
            at[i + 1] = at[i] + (
                family.size(config),
                len(family.params(config)),
                len(family.names(config)),
            )
        at[:, 2] += at[-1, 0]
        text = f"{VERSION} {names} {config.model_dump_json()}"
        schema = hashlib.sha256(text.encode()).hexdigest()[:16]
        return cls(names, schema, np.array(params), at, int(at[-1, 2]), config.warmup)


@nb.njit(cache=True)
def step(
    state: Floats,
    params: Floats,
    at: Ints,
    warmup: int,
    time: int,
    high: float,
    low: float,
    close: float,
    volume: float,
) -> None:
    """Take one event (a tick is a bar of one price) and rewrite the columns."""
    out = state[at[0, 2] :]
    walk = state[at[0, 0] : at[1, 0]]
    before = walk[path.CLOSE]
    change = path.advance(walk, close)
    if walk[path.COUNT] < 2.0:
        out[:] = np.nan
        return
    level = walk[path.LEVEL]
    vol = volatility.step(
        state[at[1, 0] : at[2, 0]],
        params[at[1, 1] : at[2, 1]],
        state[at[1, 2] : at[2, 2]],
        change,
    )
    state[VOLATILITY] = vol
    momentum.step(params[at[2, 1] : at[3, 1]], state[at[2, 2] : at[3, 2]], walk, vol)
    trend.step(
        state[at[3, 0] : at[4, 0]],
        params[at[3, 1] : at[4, 1]],
        state[at[3, 2] : at[4, 2]],
        level,
        vol,
    )
    strength.step(
        state[at[4, 0] : at[5, 0]],
        params[at[4, 1] : at[5, 1]],
        state[at[4, 2] : at[5, 2]],
        change,
    )
    ranges.step(
        state[at[5, 0] : at[6, 0]],
        params[at[5, 1] : at[6, 1]],
        state[at[5, 2] : at[6, 2]],
        walk,
        before,
        high,
        low,
        close,
        vol,
    )
    flow.step(
        state[at[6, 0] : at[7, 0]],
        params[at[6, 1] : at[7, 1]],
        state[at[6, 2] : at[7, 2]],
        change,
        volume,
    )
    jumps.step(
        state[at[7, 0] : at[8, 0]],
        params[at[7, 1] : at[8, 1]],
        state[at[7, 2] : at[8, 2]],
        change,
    )
    shape.step(
        state[at[8, 0] : at[9, 0]],
        params[at[8, 1] : at[9, 1]],
        state[at[8, 2] : at[9, 2]],
        walk,
        change,
    )
    daytime.step(state[at[9, 2] : at[10, 2]], time)
    if walk[path.COUNT] < warmup:
        out[:] = np.nan


@nb.njit(cache=True)
def run(
    state: Floats,
    params: Floats,
    at: Ints,
    warmup: int,
    times: Ints,
    values: Floats,
    fresh: npt.NDArray[np.bool_],
    rows: Ints,
) -> tuple[Floats, Floats]:
    """Take every event of a tape; keep columns and volatility of the given rows."""
    first = at[0, 2]
    columns = np.empty((len(rows), len(state) - first))
    volatilities = np.empty(len(rows))
    kept = 0
    for i in range(len(times)):
        if kept == len(rows):
            break
        if fresh[i]:
            state[:] = 0.0
        step(
            state,
            params,
            at,
            warmup,
            times[i],
            values[i, 1],
            values[i, 2],
            values[i, 3],
            values[i, 4],
        )
        if rows[kept] == i:
            columns[kept] = state[first:]
            volatilities[kept] = state[VOLATILITY]
            kept += 1
    return columns, volatilities
