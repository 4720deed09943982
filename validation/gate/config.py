"""How sure the gate wants to be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from market.config import Config

__all__ = ["GateConfig"]

Probability = Annotated[float, Field(gt=0.0, lt=1.0)]
Count = Annotated[int, Field(ge=1)]


class GateConfig(Config):
    """How sure is sure.

    Parameters
    ----------
    t
        The block means' t must exceed this; 2.326 is one in a hundred. For few blocks it is raised
        to Student's quantile of the same chance.
    block
        Decisions per block; longer than a typical trade and than a label's horizon.
    min_blocks
        Blocks below which nothing is tested.
    timing
        Largest p of the timing test.
    shifts
        Shifts it tries.
    deflated
        The deflated Sharpe ratio must exceed this.
    skill
        Chance of calling a worthless ensemble skilful.
    samples
        Bootstrap samples of whatever is resampled.
    calibration
        Largest distance of probabilities from frequencies, see :mod:`validation.reliability`.
    calibration_chance
        Chance of calling an ensemble at that distance calibrated.
    worse
        Largest chance, as resampled, that the champion is better: .5 asks for an estimate that is
        no worse, .95 refuses only who is shown to be worse. Between two equals .75 refuses one in
        four; of those worse by one standard error, three in five.
    min_trades
        Round trips below which the verdict is inconclusive.
    min_jumps
        The same for jumps, on markets that have them.
    max_drawdown
        Largest loss from a peak, fraction of equity.
    max_ic
        Information coefficient, the correlation of exposure and the market's next return, above
        which a result is suspicious; also for the net Sharpe ratio of a decision, which it bounds.
        .05 is good, .10 very good; above .20 there is usually a fault in the backtest (after
        Grinold and Kahn, "Active portfolio management").
    max_skill
        Share of the class frequencies' log-loss that an ensemble may save. Order books foretell
        the next few events better than this: raise it there, and only there.
    max_decay
        Share of the gross gain that may be gone one decision later. What knows the very next return
        loses all of it, what foresees a few decisions loses a part. ``null`` where labels reach no
        further than a decision.

    Examples
    --------
    >>> GateConfig(timing=0)
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for GateConfig
    timing
      Input should be greater than 0 ...
    """

    t: Annotated[float, Field(gt=0.0)] = 2.326
    block: Count = 50
    min_blocks: Annotated[int, Field(ge=10)] = 24
    timing: Probability = 0.01
    shifts: Annotated[int, Field(ge=99)] = 199
    deflated: Probability = 0.95
    skill: Probability = 0.05
    samples: Annotated[int, Field(ge=200)] = 1000
    calibration: Probability = 0.05
    calibration_chance: Probability = 0.05
    worse: Probability = 0.75
    min_trades: Count = 100
    min_jumps: Count = 500
    max_drawdown: Probability = 0.25
    max_ic: Probability = 0.2
    max_skill: Probability = 0.25
    max_decay: Probability | None = 0.8
