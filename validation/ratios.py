"""Figures of a series of returns: risk, reward, and the ratio of the two.

Returns are simple, per decision, after all costs, as fractions of the equity at the decision.

Figures are per decision. To compare runs of unlike clocks, means are multiplied by the periods per
year and Sharpe and Sortino ratios by its square root. The root is right for independent returns
only: where neighbours move together (ρ > 0) it flatters. ``sharpe(block_means(returns, b)) *
sqrt(per_year / b)`` doesn't, if ``b`` is longer than the dependence (Lo, "The statistics of Sharpe
ratios", 2002).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from validation.bootstrap import block_means

__all__ = [
    "calmar",
    "drawdown_length",
    "growth",
    "max_drawdown",
    "moments",
    "periods_per_year",
    "recovery_factor",
    "sharpe",
    "sortino",
    "t_stat",
    "turnover",
]

Floats = npt.NDArray[np.float64]

YEAR = 365.25 * 86_400e9
"""Nanoseconds of a calendar year."""


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


def sortino(returns: Floats, target: float = 0.0) -> float:
    """Mean excess over the root mean square of what fell short of ``target``.

    ``mean(r - target) / sqrt(mean(min(r - target, 0)²))``, the mean below over **all** returns;
    ``inf`` where nothing fell short of it and something exceeded it, ``nan`` where neither.
    Source: Sortino and Price, "Performance measurement in a downside risk framework" (1994).

    Examples
    --------
    >>> round(sortino(np.array([0.03, -0.01, 0.02, -0.02])), 4)
    0.4472
    """
    if not len(returns):
        return math.nan
    excess = returns - target
    below = math.sqrt(float((np.minimum(excess, 0.0) ** 2).mean()))
    mean = float(excess.mean())
    if below == 0.0:
        return math.inf if mean > 0.0 else math.nan
    return mean / below


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


def drawdown_length(returns: Floats) -> int:
    """Decisions that the largest drawdown lasted, from its peak until equity was back there.

    Counted to the end of the returns where it never came back; 0 without a drawdown; the first of
    equals. Equity that is gone stays gone.

    Examples
    --------
    >>> drawdown_length(np.array([0.1, -0.2, 0.1, 0.2, -0.1]))
    3
    """
    depth, longest, deepest, peak, left = 0.0, 0, 0.0, 0.0, 0
    level = 0.0
    for at, step in enumerate(_logs(returns).tolist(), 1):
        level += step
        if level >= peak:
            if depth > deepest:
                deepest, longest = depth, at - left
            peak, left, depth = level, at, 0.0
        else:
            depth = max(depth, peak - level)
    return len(returns) - left if depth > deepest else longest


def growth(returns: Floats, per_year: float = 1.0) -> float:
    """Compounded growth per year (per decision with ``per_year`` 1); -1 where all was lost.

    ``exp(per_year · mean(log(1 + r))) - 1``; ``nan`` for no returns.
    """
    if not len(returns):
        return math.nan
    mean = float(_logs(returns).mean())
    with np.errstate(over="ignore"):
        return float(np.expm1(per_year * mean))


def calmar(returns: Floats, per_year: float = 1.0) -> float:
    """:func:`growth` per year over :func:`max_drawdown`.

    ``inf`` for growth without a drawdown, ``nan`` where there is neither. Source: Young, "Calmar
    ratio: a smoother tool" (1991), over the whole run instead of its last three years.

    Examples
    --------
    >>> calmar(np.array([0.5, -0.5, 1.0]))  # 1.5 in three steps, half of it lost on the way
    0.2894
    """
    return _over(growth(returns, per_year), max_drawdown(returns))


def recovery_factor(returns: Floats) -> float:
    """Compounded net return over :func:`max_drawdown`; ``inf`` and ``nan`` as :func:`calmar`.

    Examples
    --------
    >>> recovery_factor(np.array([0.5, -0.5, 1.0]))
    1.0
    """
    return _over(float(np.prod(1.0 + returns) - 1.0), max_drawdown(returns))


def turnover(exposures: Floats) -> float:
    """Mean absolute change of exposure per decision, from flat; ``nan`` for none."""
    if not len(exposures):
        return math.nan
    return float(np.abs(np.diff(exposures, prepend=0.0)).mean())


def periods_per_year(times: npt.NDArray[np.int64]) -> float:
    """Decisions per calendar year, nights and holidays counted as time without any.

    Parameters
    ----------
    times
        ``int64[m]``: of the decisions, ns since 1970 UTC, rising; two at least.

    Examples
    --------
    >>> periods_per_year(np.arange(0, 10) * 3_600_000_000_000)
    8766.0
    """
    if len(times) < 2 or times[-1] <= times[0]:
        raise ValueError(f"times must rise over two decisions at least, were {len(times)}")
    return (len(times) - 1) * YEAR / float(times[-1] - times[0])


def _logs(returns: Floats) -> Floats:
    """Log returns; ``-inf`` where all was lost, or more."""
    logs = np.full(len(returns), -np.inf)
    np.log1p(returns, out=logs, where=returns > -1.0)
    return logs


def _over(gain: float, loss: float) -> float:
    if loss == 0.0:
        return math.inf if gain > 0.0 else math.nan
    return gain / loss
