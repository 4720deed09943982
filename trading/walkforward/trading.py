"""A step's test, traded by the very trader that runs live, all costs paid."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from features.dataset import Dataset
from features.labels import LabelConfig
from market.beside import Beside
from market.errors import DataError
from market.tape import Tape
from models.card import read
from risk.lease import LeaseBook
from trading.backtest import Sleeve, run
from trading.desk import DeskSpec
from trading.holdout import gather
from trading.journal import MemoryJournal
from trading.walkforward.steps import Step

__all__ = ["Market", "Run", "traded"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Market:
    """What all steps of a symbol share.

    Parameters
    ----------
    tape, beside
        The recording.
    dataset
        Its decisions, without those of the hold-out.
    labels
        They were made with.
    """

    tape: Tape
    beside: Beside
    dataset: Dataset
    labels: LabelConfig


class Run(msgspec.Struct, frozen=True):
    """What a variant did in one step, or in several; ``n`` decisions.

    Parameters
    ----------
    times
        ``int64[n]``: of the decisions.
    returns, exposures, market, volatility
        ``float64[n]``: net return to the next decision, exposure held, log return of the price,
        and what the decision saw of volatility. The last return pays for closing the position.
    probabilities
        ``float64[n, 3]``; ``nan`` where risk closed a position without a forecast.
    base
        ``float64[n, 3]``: class frequencies of the training.
    labels
        ``int64[n]``: what came of it, -1 where that isn't known.
    step
        ``int64[n]``: number of the step.
    trades, costs, jumps
        As in :class:`~validation.evidence.Evidence`.
    """

    times: Ints
    returns: Floats
    exposures: Floats
    market: Floats
    volatility: Floats
    probabilities: Floats
    base: Floats
    labels: Ints
    step: Ints
    trades: int
    costs: float
    jumps: int | None

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """``bool[n]``: where there are a forecast and an outcome."""
        told: npt.NDArray[np.bool_] = (self.labels >= 0) & np.isfinite(self.probabilities[:, 0])
        return told


def traded(market: Market, spec: DeskSpec, step: Step) -> Run:
    """Trade a step's test.

    The trader begins early enough to decide from the test's first decision on, on the same events
    as the dataset's decisions, without a position. At the end it is closed at the last price.

    Parameters
    ----------
    market
        The recording.
    spec
        The desk; its model was fitted on the step's training.
    step
        Which.

    Raises
    ------
    DataError
        Too few events lie before the test to warm the features up.
    """
    dataset, tape, every = market.dataset, market.tape, spec.every
    first, last = int(dataset.rows[step.first]), int(dataset.rows[step.last])
    # Whole decisions, so that the trader's clock strikes on the dataset's events.
    begin = first + 1 - -(-(spec.lead + 1) // every) * every
    if begin < 0:
        raise DataError(
            f"{spec.symbol}: step {step.number} begins at event {first}, which is {-begin} too few "
            "to warm the features up; lengthen train"
        )
    part = tape.slice(begin, last + 2)
    near = market.beside.until(int(part.times[-1]))
    near = near.after(int(tape.times[begin - 1])) if begin else near
    book = LeaseBook(spec.risk, [spec.symbol], first=True)
    trader = spec.trader(MemoryJournal(keep=False))
    sleeve = run([part], lambda _: trader, book, {spec.symbol: near}).sleeves[spec.symbol]
    frequencies = np.array(read(spec.model)[0].frequencies)
    told = gather(sleeve, part, spec.features, market.labels, every, frequencies, 1, near)
    # On every event, the one that fills the last order is a decision too: the next step's.
    n = int(np.searchsorted(sleeve.times[:-1], dataset.times[step.last], side="right"))
    returns = sleeve.returns[:n].copy()
    if n:
        returns[-1] = (1.0 + returns[-1]) * (1.0 - _closing(sleeve)) - 1.0
    times = sleeve.times[:n]
    return Run(
        times=times,
        returns=returns,
        exposures=sleeve.exposures[:n],
        market=sleeve.market[:n],
        volatility=np.array([one.volatility for one in sleeve.decisions[:n]]),
        probabilities=np.array(
            [one.probabilities or (np.nan,) * 3 for one in sleeve.decisions[:n]]
        ).reshape(n, 3),
        base=np.tile(frequencies, (n, 1)),
        labels=_labels(dataset, times),
        step=np.full(n, step.number),
        trades=told.trades + int(trader.account.units != 0.0),
        costs=float(told.costs) + _closing(sleeve),
        jumps=told.jumps,
    )


def _closing(sleeve: Sleeve) -> float:
    """Return what closing the last position would cost, as a fraction of equity."""
    trader = sleeve.trader
    price = trader.status().price
    cost = abs(trader.account.units) * price * trader.instrument.costs.side(price)
    equity = trader.account.equity(price)
    return cost / equity if equity > 0.0 else 0.0


def _labels(dataset: Dataset, times: Ints) -> Ints:
    """Look up what came of decisions; -1 where the dataset has none."""
    place = np.minimum(np.searchsorted(dataset.times, times), len(dataset) - 1)
    found = dataset.label[place].astype(np.int64)
    found[dataset.times[place] != times] = -1
    return found
