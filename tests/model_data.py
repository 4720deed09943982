"""Datasets for the model tests: of noise, and of a signal whose strength is known."""

import numpy as np

from features.dataset import Dataset
from models.config import EnsembleConfig
from models.members.config import LgbmConfig
from models.nets.config import GruConfig

NAMES = ("signal", "slow_1", "slow_2", "slow_3")
QUICK = EnsembleConfig(
    members=(
        LgbmConfig(trees=40, patience=8, min_leaf=40),
        GruConfig(window=4, hidden=6, epochs=4, patience=2),
    ),
    folds=3,
    embargo=8,
)


def slow(m, n, rho, rng):
    """Return ``n`` columns of unit AR(1) noise."""
    columns = np.empty((m, n))
    columns[0] = rng.normal(size=n)
    for i in range(1, m):
        columns[i] = rho * columns[i - 1] + np.sqrt(1.0 - rho**2) * rng.normal(size=n)
    return columns


def dataset(m=1500, ic=0.0, horizon=1, seed=1, rho=0.9, gaps=()):
    """Return decisions whose next return has correlation ``ic`` with the first column.

    Labels are the sum of the next ``horizon`` returns against .43 deviations; the last ones are
    unknown, as are those that a gap cuts.
    """
    rng = np.random.default_rng(seed)
    X = slow(m, len(NAMES), rho, rng)
    returns = np.zeros(m + 1)
    returns[1:] = ic * X[:, 0] + np.sqrt(1.0 - ic**2) * rng.normal(size=m)
    level = np.cumsum(returns)
    rows = np.arange(m)
    fresh = np.zeros(m, np.bool_)
    fresh[[0, *gaps]] = True
    part = np.cumsum(fresh)
    end = np.minimum(rows + horizon, m - 1)
    known = (rows + horizon < m) & (part[end] == part)
    move = level[end] - level[rows]
    bound = 0.43 * np.sqrt(horizon)
    label = np.where(known, np.where(move > bound, 2, np.where(move < -bound, 0, 1)), -1)
    price = 100.0 * np.exp(1e-3 * level)
    return Dataset(
        symbol="R_75",
        rows=rows,
        times=1_700_000_000_000_000_000 + 2_000_000_000 * rows,
        X=X,
        price=price[:-1],
        fill=price[:-1],
        volatility=np.full(m, 1e-3),
        label=label.astype(np.int8),
        label_end=np.where(known, end, rows),
        fresh=fresh,
        names=NAMES,
        schema="0123456789abcdef",
        every=1,
        horizon=horizon,
    )


def silent(what, share):
    """Take no notice of progress."""
