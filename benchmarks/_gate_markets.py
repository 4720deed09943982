"""Markets whose truth is known: three kinds without an edge, one with, and what is best there."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from features.config import FeatureConfig
from features.dataset import Dataset, build
from features.labels import LabelConfig
from market.events import SECOND
from market.processes import CrashBoom, Process, Step, Volatility
from market.tape import Tape

Floats = npt.NDArray[np.float64]

HORIZON = 10
IC, RHO, COST = 0.05, 0.95, 0.1
"""Of the planted edge: correlation with the next return, persistence, cost of a side in standard
deviations of a return."""
VOLATILITY = 1e-4
COLUMNS = FeatureConfig(
    columns=(
        "volatility_16", "momentum_1", "momentum_4", "momentum_16", "run", "direction_16",
        "asymmetry_128", "jump_age_512",
    )
)  # fmt: skip
NULLS: dict[str, Process] = {
    "gbm": Volatility(0.75, 1.0, 4),
    "step": Step(0.1, 1),
    "crash": CrashBoom(20, -1, 4),
    "boom": CrashBoom(20, 1, 4),
    "crash, rare": CrashBoom(300, -1, 4),
}


@dataclass(frozen=True)
class Market:
    """One market, cut in two.

    Parameters
    ----------
    kind
        Which truth.
    known, later
        What may be trained on, and the hold-out.
    half_spread
        Cost of a side.
    jumps
        In the hold-out; None where it isn't a market of jumps.
    """

    kind: str
    known: Dataset
    later: Dataset
    half_spread: float
    jumps: int | None = None


def cut(
    kind: str, whole: Dataset, first: int, half_spread: float, jumps: int | None = None
) -> Market:
    """Hold out what comes from decision ``first`` on; labels don't reach over the border."""
    known = whole.slice(0, first - whole.horizon)
    return Market(kind, known, whole.slice(first, len(whole)), half_spread, jumps)


def null(kind: str, train: int, hold: int, cost: float, seed: int) -> Market:
    """Make a market whose next price nobody knows, seen through the project's own columns."""
    warm, n = COLUMNS.warmup, COLUMNS.warmup + train + hold
    prices = NULLS[kind].prices(10_000.0, n, np.random.default_rng([seed, 1]))
    times = 1_775_001_600 * SECOND + SECOND * np.arange(n)
    whole = build(Tape.of_ticks(kind, times, prices), COLUMNS, LabelConfig(horizon=HORIZON), 1)
    moves = np.diff(np.log(prices))
    jumps = None
    if isinstance(law := NULLS[kind], CrashBoom):
        later = moves[warm + train :]
        jumps = int(np.count_nonzero(np.sign(later) == law.sign))
    return cut(kind, whole, train, cost * float(moves[: warm + train].std()), jumps)


def planted(train: int, hold: int, seed: int, ic: float = IC) -> Market:
    """``r[t+1] = ic s[t] + sqrt(1 - ic²) e``, ``s`` an AR(1), the first of five such columns.

    Orders are filled at the price they were decided on, so that :func:`optimum` holds.
    """
    rng = np.random.default_rng([seed, 2])
    m = train + hold
    shocks = rng.normal(size=(m, 5))
    shocks[1:] *= math.sqrt(1.0 - RHO**2)
    columns = lfilter([1.0], [1.0, -RHO], shocks, axis=0)
    returns = ic * columns[:, 0] + math.sqrt(1.0 - ic**2) * rng.normal(size=m)
    return cut("planted", decisions(columns, returns), train, COST * VOLATILITY)


def decisions(columns: Floats, returns: Floats) -> Dataset:
    """Put columns and the returns that follow them, of deviation 1, into a dataset."""
    m = len(returns)
    level = np.concatenate(([0.0], np.cumsum(returns)))
    rows = np.arange(m)
    end = np.minimum(rows + HORIZON, m)
    move, bound = level[end] - level[:-1], 0.43 * math.sqrt(HORIZON)
    label = np.where(move > bound, 2, np.where(move < -bound, 0, 1))
    price = 1000.0 * np.exp(VOLATILITY * level[:-1])
    return Dataset(
        symbol="PLANTED",
        rows=rows,
        times=1_775_001_600 * SECOND + SECOND * rows,
        X=columns.astype(np.float32),
        price=price,
        fill=price,
        volatility=np.full(m, VOLATILITY),
        label=np.where(rows + HORIZON < m, label, -1).astype(np.int8),
        label_end=np.minimum(end, m - 1),
        fresh=rows == 0,
        names=tuple(f"column_{i}" for i in range(columns.shape[1])),
        schema="planted",
        every=1,
        horizon=HORIZON,
    )


def foretelling(train: int, hold: int, seed: int, knows: float) -> Market:
    """Make a random walk with a leak: the first column is the next return, and noise."""
    rng = np.random.default_rng([seed, 3])
    returns = rng.normal(size=train + hold)
    columns = rng.normal(size=(train + hold, 5))
    columns[:, 0] = knows * returns + math.sqrt(1.0 - knows**2) * columns[:, 0]
    return replace(cut("", decisions(columns, returns), train, COST * VOLATILITY), kind="leak")


def bouncing(train: int, hold: int, seed: int, leak: bool) -> Market:
    """Make last prices that bounce between bid and ask round a random walk.

    Who sees one can foresee the next, but trades at the next. With the leak an order is filled at
    the very price that it was decided on.
    """
    rng = np.random.default_rng([seed, 4])
    m = train + hold
    walk = np.cumsum(rng.normal(size=m + 1))
    bounce = 0.5 * rng.choice((-1.0, 1.0), m + 1)
    last = walk + bounce
    returns = np.diff(last)
    past = np.concatenate(([0.0], returns[:-1]))
    columns = np.column_stack((past, np.concatenate(([0.0], past[:-1])), rng.normal(size=(m, 3))))
    whole = decisions(columns, returns)
    if not leak:
        whole = replace(whole, fill=np.append(whole.price[1:], whole.price[-1]))
    return cut("own price" if leak else "next price", whole, train, COST * VOLATILITY)


def optimum(ic: float = IC, rho: float = RHO, cost: float = COST) -> tuple[float, float]:
    """Return the best possible gain a step, and the Sharpe ratio of a step of whoever has it.

    Dynamic programming: the signal on a grid of 241 points over ±5, positions -1, 0, 1 chosen
    knowing it; reward ``a ic s - cost |a - b|``, ``b`` the position before. Relative values are
    iterated until the average reward is settled to 1e-9; the Sharpe ratio is that of the best
    policy's own stationary law.
    """
    grid = np.linspace(-5.0, 5.0, 241)
    kernel = np.exp(-0.5 * ((grid[None, :] - rho * grid[:, None]) ** 2) / (1.0 - rho**2))
    kernel /= kernel.sum(axis=1, keepdims=True)
    places = np.array([-1.0, 0.0, 1.0])
    paid = cost * np.abs(places[None, :] - places[:, None])  # [before, after]
    value, gain = np.zeros((len(grid), 3)), np.inf
    while True:
        worth = (ic * grid[:, None] * places + kernel @ value)[:, None, :] - paid
        new = worth.max(axis=2)
        step = new - value
        value = new - new[len(grid) // 2, 1]
        if abs(step[len(grid) // 2, 1] - gain) < 1e-12 and np.ptp(step) < 1e-9:
            break
        gain = float(step[len(grid) // 2, 1])
    after = worth.argmax(axis=2)
    law = np.zeros((len(grid), 3))
    law[len(grid) // 2, 1] = 1.0
    for _ in range(3000):
        moved = np.zeros_like(law)
        for place in range(3):
            moved[:, place] = np.where(after == place, law, 0.0).sum(axis=1)
        law = kernel.T @ moved
    held = float((law * np.abs(places[after])).sum())
    return gain, gain / math.sqrt(held)
