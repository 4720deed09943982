"""What a strategy's net returns amount to.

Returns are simple, per decision, after all costs, as fractions of the equity at the decision.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from validation.bootstrap import block_means, interval

__all__ = [
    "Performance",
    "break_even",
    "max_drawdown",
    "moments",
    "performance",
    "sharpe",
    "t_stat",
    "trade_returns",
]

Floats = npt.NDArray[np.float64]


def moments(values: Floats) -> tuple[float, float]:
    """Skewness and (plain) kurtosis; 0 and 3 where all values are one."""
    deviation = values - values.mean()
    variance = float((deviation**2).mean())
    if variance <= (1e-12 * float(np.abs(values).max())) ** 2:
        return 0.0, 3.0
    skew = float((deviation**3).mean()) / variance**1.5
    return skew, float((deviation**4).mean()) / variance**2


def sharpe(returns: Floats) -> float:
    """Mean over standard deviation (``n - 1``), per observation; 0 where nothing varies.

    A constant gain has no measurable risk and thus no Sharpe ratio; it is not infinite skill.
    """
    if len(returns) < 2:
        return 0.0
    spread = float(returns.std(ddof=1))
    if spread <= 1e-12 * float(np.abs(returns).max()):
        return 0.0
    return float(returns.mean()) / spread


def t_stat(returns: Floats, block: int) -> float:
    """Student's t of the mean, from means of blocks of ``block`` returns.

    Blocks longer than the dependence of the returns make the blocks' spread the true one.
    """
    means = block_means(returns, block)
    return sharpe(means) * math.sqrt(len(means))


def max_drawdown(returns: Floats) -> float:
    """Largest loss from a peak of compounded equity, as a fraction of that peak, from 0 to 1."""
    equity = np.concatenate(([1.0], np.cumprod(1.0 + returns)))
    if equity.min() <= 0.0:
        return 1.0
    return float((1.0 - equity / np.maximum.accumulate(equity)).max())


def trade_returns(returns: Floats, exposures: Floats) -> Floats:
    """Sum net returns over each stretch of one direction; flat stretches are left out.

    ``exposures[i]`` is held over the interval of ``returns[i]``; what is paid to close falls into
    the flat interval after it and is counted with the trade.
    """
    direction = np.sign(exposures)
    starts = np.flatnonzero(np.diff(direction, prepend=np.nan) != 0.0)
    if not len(starts):
        return np.empty(0)
    sums = np.add.reduceat(returns, starts)
    kinds = direction[starts]
    closing = np.zeros(len(starts))
    flat_after = np.flatnonzero((kinds[1:] == 0.0) & (kinds[:-1] != 0.0)) + 1
    closing[flat_after - 1] = returns[starts[flat_after]]
    trades: Floats = (sums + closing)[kinds != 0.0]
    return trades


def break_even(average_win: float, average_loss: float) -> float:
    """Share of wins at which wins and losses cancel: ``loss / (win + loss)``, both positive.

    A win rate says nothing without it: on a random walk, a target of 35 and a stop of 65 win
    65 % of the time and earn minus the costs.

    Examples
    --------
    >>> break_even(35.0, 65.0)
    0.65
    """
    total = average_win + average_loss
    return average_loss / total if total > 0.0 else math.nan


class Performance(msgspec.Struct, frozen=True):
    """Figures of one run; ``nan`` where there was nothing to count.

    Parameters
    ----------
    decisions
        Returns counted.
    total
        Compounded net return.
    mean, sharpe
        Per decision.
    t
        Student's t of the mean, from block means.
    low, high
        95 % block-bootstrap interval of the mean.
    drawdown
        Largest loss from a peak, fraction.
    trades
        Stretches of one direction.
    win_rate, break_even_rate
        Share of trades that won, and the share at which these wins and losses would cancel.
    profit_factor
        Sum of wins over sum of losses.
    expectancy
        Mean net return of a trade.
    turnover
        Mean absolute change of exposure per decision.
    """

    decisions: int
    total: float
    mean: float
    sharpe: float
    t: float
    low: float
    high: float
    drawdown: float
    trades: int
    win_rate: float
    break_even_rate: float
    profit_factor: float
    expectancy: float
    turnover: float


def performance(
    returns: Floats,
    exposures: Floats,
    rng: np.random.Generator,
    block: int = 50,
    samples: int = 1000,
) -> Performance:
    """Sum a run up.

    Parameters
    ----------
    returns
        ``float64[m]``: net, per decision.
    exposures
        ``float64[m]``: held over the same intervals, from flat.
    rng
        Draws the bootstrap samples.
    block
        Decisions per block.
    samples
        Bootstrap samples.
    """
    if len(returns) != len(exposures):
        raise ValueError(f"exposures must match returns, were {len(exposures)} and {len(returns)}")
    if not len(returns):
        nan = math.nan
        return Performance(0, 0.0, nan, 0.0, 0.0, nan, nan, 0.0, 0, nan, nan, nan, nan, 0.0)
    trades = trade_returns(returns, exposures)
    wins, losses = trades[trades > 0.0], -trades[trades < 0.0]
    won, lost = float(wins.sum()), float(losses.sum())
    low, high = interval(returns, min(block, len(returns)), samples, 0.95, rng)
    return Performance(
        decisions=len(returns),
        total=float(np.prod(1.0 + returns) - 1.0),
        mean=float(returns.mean()),
        sharpe=sharpe(returns),
        t=t_stat(returns, block),
        low=low,
        high=high,
        drawdown=max_drawdown(returns),
        trades=len(trades),
        win_rate=len(wins) / len(trades) if len(trades) else math.nan,
        break_even_rate=break_even(
            won / len(wins) if len(wins) else 0.0, lost / len(losses) if len(losses) else 0.0
        ),
        profit_factor=won / lost if lost > 0.0 else (math.inf if won > 0.0 else math.nan),
        expectancy=float(trades.mean()) if len(trades) else math.nan,
        turnover=float(np.abs(np.diff(exposures, prepend=0.0)).mean()),
    )
