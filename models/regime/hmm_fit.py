"""Fitting a Gaussian hidden Markov model, by hmmlearn's Baum-Welch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.regime.card import HmmNumbers
from models.regime.config import HmmConfig

__all__ = ["fit_hmm"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

_ROWS = 50
"""Least training rows per state."""
_SELDOM = 5e-3
"""Share of the time that a state must at least have: less is an outlier, not a state."""
_NEVER = 1e-6
"""Least probability of a change from one state to another: nothing is ruled out for good."""
_LOCAL = 16
"""Rows on either side by whose spread, or level, the first guess sorts a row into a state."""


def fit_hmm(config: HmmConfig, rows: Rows, fresh: Flags, seed: int) -> HmmNumbers:
    """Fit states to rows; sequences begin where ``fresh`` says.

    Columns are brought to mean 0 and standard deviation 1 first, because hmmlearn's priors and
    floors are made for such, and the fitted numbers are brought back. The first guess sorts rows by
    how wide (or high) the first column is around them; the other restarts shift the borders.

    Parameters
    ----------
    config
        How.
    rows
        ``float32[m, K]``, finite.
    fresh
        ``bool[m]``.
    seed
        Of the restarts.

    Raises
    ------
    DataError
        Too few rows, a column that is constant, or rows that don't have so many states.
    """
    states, least = config.states, _ROWS * config.states
    if len(rows) < least:
        raise DataError(
            f"{states} states need at least {least} rows to learn from, were {len(rows)}"
        )
    wide = rows.astype(np.float64)
    center, scale = wide.mean(axis=0), wide.std(axis=0)
    for name, spread, middle in zip(config.columns, scale, center, strict=True):
        if not spread > 1e-9 * abs(middle):
            raise DataError(f"{name} must vary, was {middle:g} throughout; take another column")
    z = (wide - center) / scale
    begins = np.flatnonzero(fresh | (np.arange(len(rows)) == 0))
    lengths = np.diff(np.append(begins, len(rows)))
    rng = np.random.default_rng(seed)
    best: Any = None
    likeliest = -np.inf
    for restart in range(config.restarts):
        shift = 0.0 if restart == 0 else float(rng.uniform(-0.5, 0.5))
        model = _fitted(config, z, lengths, _sorted(config, z[:, 0], shift), seed)
        likelihood = model.score(z, lengths)
        if np.isfinite(likelihood) and likelihood > likeliest:
            best, likeliest = model, likelihood
    if best is None:
        raise DataError(f"{', '.join(config.columns)} don't have {states} states; ask for fewer")
    return _numbers(config, best, center, scale)


def _sorted(config: HmmConfig, first: Floats, shift: float) -> npt.NDArray[np.int64]:
    """Guess a row's state by its neighbourhood."""
    measure = first**2 if config.order == "spread" else first
    total = np.concatenate(([0.0], np.cumsum(measure)))
    row = np.arange(len(first))
    low, high = np.maximum(row - _LOCAL, 0), np.minimum(row + _LOCAL + 1, len(first))
    local = (total[high] - total[low]) / (high - low)
    borders = (np.arange(1, config.states) + shift) / config.states
    guess: npt.NDArray[np.int64] = np.searchsorted(
        np.quantile(local, borders), local, side="right"
    ).astype(np.int64)
    return guess


def _fitted(
    config: HmmConfig, z: Floats, lengths: npt.NDArray[np.int64], guess: Any, seed: int
) -> Any:
    from hmmlearn.hmm import GaussianHMM

    states, columns = config.states, z.shape[1]
    model = GaussianHMM(
        n_components=states,
        covariance_type="full",
        n_iter=config.iterations,
        tol=1e-6 * len(z),
        init_params="",
        random_state=seed,
    )
    model.startprob_ = np.full(states, 1.0 / states)
    stay = 0.95
    model.transmat_ = np.full((states, states), (1.0 - stay) / (states - 1))
    np.fill_diagonal(model.transmat_, stay)
    model.means_ = np.zeros((states, columns))
    model.covars_ = np.tile(np.eye(columns), (states, 1, 1))
    for state in range(states):
        own = z[guess == state]
        if len(own) > columns:
            model.means_[state] = own.mean(axis=0)
    model.covars_ = np.stack(
        [
            np.cov(z[guess == state].T, ddof=0).reshape(columns, columns) + 1e-6 * np.eye(columns)
            if (guess == state).sum() > columns
            else np.eye(columns)
            for state in range(states)
        ]
    )
    with warnings.catch_warnings(), _quiet():
        # a state that no row is left in divides by nothing; what comes of it is refused later
        warnings.simplefilter("ignore", RuntimeWarning)
        return model.fit(z, lengths)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep hmmlearn from printing that a last step came out a trifle less likely."""
    logger = logging.getLogger("hmmlearn")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _numbers(config: HmmConfig, model: Any, center: Floats, scale: Floats) -> HmmNumbers:
    states = config.states
    moves = np.maximum(np.asarray(model.transmat_, dtype=np.float64), _NEVER)
    moves /= moves.sum(axis=1, keepdims=True)
    stationary = _stationary(moves)
    if not np.isfinite(stationary).all() or stationary.min() < _SELDOM:
        raise DataError(
            f"{', '.join(config.columns)} don't have {states} states: the rarest would last "
            f"{stationary.min():.2%} of the time; ask for fewer"
        )
    means = center + scale * model.means_
    covariances = scale[:, None] * scale * model.covars_
    rank = covariances[:, 0, 0] if config.order == "spread" else means[:, 0]
    order = np.argsort(rank, kind="stable")
    whitenings = [np.linalg.inv(np.linalg.cholesky(covariances[state])) for state in order]
    return HmmNumbers(
        stationary=tuple(stationary[order].tolist()),
        transitions=tuple(map(tuple, moves[np.ix_(order, order)].tolist())),
        means=tuple(map(tuple, means[order].tolist())),
        whitenings=tuple(tuple(map(tuple, one.tolist())) for one in whitenings),
    )


def _stationary(moves: Floats) -> Floats:
    """Solve ``π A = π``, ``Σ π = 1``."""
    states = len(moves)
    system = np.vstack((moves.T - np.eye(states), np.ones(states)))
    right = np.append(np.zeros(states), 1.0)
    solved: Floats = np.linalg.lstsq(system, right, rcond=None)[0]
    return solved
