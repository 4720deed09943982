"""From a run over a hold-out to the evidence that the gate judges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.dataset import build
from features.labels import LabelConfig
from market.beside import Beside
from market.tape import Tape
from risk.lease import LeaseBook
from trading.backtest import Sleeve, run
from trading.desk import DeskSpec
from trading.journal import MemoryJournal
from trading.rival import SMALLEST, Rival
from validation.evidence import Evidence
from validation.ratios import sharpe

__all__ = ["gather", "traded"]


def traded(desk: DeskSpec, tape: Tape, beside: Beside, names: Iterable[str]) -> Sleeve:
    """Let a desk's own trader trade the rest of a tape, from where the desk begins.

    Parameters
    ----------
    desk
        As :meth:`~trading.desk.DeskSpec.beginning` left it.
    tape, beside
        The recording, from its beginning.
    names
        Every symbol of the floor: they share its limits.
    """
    book = LeaseBook(desk.risk, names, first=True)
    trader = desk.trader(MemoryJournal(keep=False))
    near = {desk.symbol: beside.after(desk.warm_from)}
    return run([tape.after(desk.warm_from)], lambda _: trader, book, near).sleeves[desk.symbol]


def gather(
    sleeve: Sleeve,
    tape: Tape,
    features: FeatureConfig,
    labels: LabelConfig,
    every: int,
    frequencies: npt.NDArray[np.float64],
    trials: int,
    beside: Beside | None = None,
    sharpes: Sequence[float] = (),
    champion: Rival | None = None,
) -> Evidence:
    """Put together what a strategy did on a hold-out.

    Parameters
    ----------
    sleeve
        Its run over ``tape``, by the very trader that runs live.
    tape
        The hold-out, with the events before it that warm the features up.
    features, labels, every
        As the ensemble was trained.
    frequencies
        ``float64[3]``: class frequencies of the **training** labels; the forecast to beat.
    trials
        Every model and policy ever judged on this symbol, this one included.
    beside
        What was recorded beside the tape, where columns are made of it.
    sharpes
        Net Sharpe ratios per decision of the trials before this one, ``nan`` where unknown.
    champion
        What trades now, over the same tape.

    Notes
    -----
    Log-losses are those of the probabilities the trader acted on, as its decisions recorded them,
    at the decisions whose label is known.
    """
    dataset = build(tape, features, labels, every, sleeve.trader.instrument.costs, beside)
    label = dict(zip(dataset.times.tolist(), dataset.label.tolist(), strict=True))
    told = [
        (one.time, one.probabilities, label[one.time])
        for one in sleeve.decisions
        if one.probabilities is not None and label.get(one.time, -1) >= 0
    ]
    times = np.array([time for time, _, _ in told], np.int64)
    said = np.array([probabilities for _, probabilities, _ in told]).reshape(-1, 3)
    outcomes = np.array([outcome for _, _, outcome in told], np.int64)
    status, own = sleeve.trader.status(), sleeve.returns
    start = sleeve.equity[0] if len(sleeve.decisions) else status.equity
    known = [*sharpes, sharpe(own)] if len(own) > 1 else sharpes
    return Evidence(
        net_returns=own,
        exposures=sleeve.exposures,
        market=sleeve.market,
        trades=status.trades,
        costs=_costs(sleeve) / start,
        log_loss=-np.log(np.maximum(said[np.arange(len(said)), outcomes], SMALLEST)),
        base_log_loss=-np.log(np.maximum(frequencies, SMALLEST))[outcomes],
        trials=trials,
        jumps=_jumps(tape),
        probabilities=said,
        labels=outcomes,
        trial_sharpes=np.array(known, np.float64),
        champion=None if champion is None else champion.beside(sleeve, times, outcomes),
    )


def _costs(sleeve: Sleeve) -> float:
    """Commission, spread and slippage of the orders sent, account currency."""
    costs = sleeve.trader.instrument.costs
    return sum(
        abs(one.allowed - one.units) * one.price * costs.side(one.price)
        for one in sleeve.decisions
        if one.order
    )


def _jumps(tape: Tape, multiple: float = 12.0, one_sided: float = 0.5) -> int | None:
    """Count the jumps of a market that drifts one way between them; ``None`` for any other.

    A jump is a return beyond ``multiple`` medians; a diffusion never makes one, for twelve
    medians are eight standard deviations. Fat tails do, so a market counts only if its other
    returns lean to one side by more than ``one_sided`` (1: all up, or all down), as those of a
    Crash or Boom index do: there a position that stands still looks skilful until the jump comes.
    """
    returns = np.diff(np.log(tape.close))[~tape.fresh[1:]]
    sizes = np.abs(returns)
    if not (sizes > 0.0).any():
        return None
    jumped = sizes > multiple * np.median(sizes[sizes > 0.0])
    between = np.sign(returns[~jumped & (sizes > 0.0)])
    return int(np.count_nonzero(jumped)) if abs(between.mean()) > one_sided else None
