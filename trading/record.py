"""A run on record: what a backtest of any path leaves behind, and every report is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from market.instruments import Instrument
from market.tape import HIGH, LOW
from trading.trips import FILL_REASONS, REASONS, Fills, Trips, mids
from validation.ratios import (
    drawdown_length,
    max_drawdown,
    periods_per_year,
    sharpe,
    sortino,
    turnover,
)

if TYPE_CHECKING:
    from trading.backtest import BacktestResult, Sleeve
    from trading.stretch import Made

__all__ = ["FILL_REASONS", "REASONS", "Fills", "Record", "SleeveRecord", "Trips"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SleeveRecord:
    """What one symbol did; ``n`` decisions.

    Parameters
    ----------
    symbol, instrument, every
        What was traded, and events per decision.
    times
        ``int64[n + 1]``: venue time of every decision, then of the last event.
    price, equity, units
        ``float64[n + 1]``: price, worth after all costs and units held at ``times``.
    exposure
        ``float64[n]``: what each decision was allowed, notional as a multiple of equity.
    probabilities
        ``float64[n, 3]``: of down, flat, up; nan where nothing was said.
    regime
        ``int64[n]``: seen by each decision; -1 where none is known.
    volatility
        ``float64[n]``: of log returns per event, as each decision saw it; nan where unknown.
    trips, fills
        Round trips, and the fills they are made of.
    """

    symbol: str
    instrument: Instrument
    every: int
    times: Ints
    price: Floats
    equity: Floats
    units: Floats
    exposure: Floats
    probabilities: Floats
    regime: Ints
    volatility: Floats
    trips: Trips
    fills: Fills = field(default_factory=Fills.none)

    def __post_init__(self) -> None:
        n = len(self.times) - 1
        for name, wanted in {
            "price": n + 1, "equity": n + 1, "units": n + 1, "exposure": n, "probabilities": n,
            "regime": n, "volatility": n,
        }.items():  # fmt: skip
            if len(getattr(self, name)) != wanted:
                raise DataError(
                    f"{self.symbol}: a record of {n} decisions needs {wanted} of {name}, "
                    f"has {len(getattr(self, name))}"
                )

    def __len__(self) -> int:
        return len(self.times) - 1

    @property
    def returns(self) -> Floats:
        """``float64[n]``: net return from each decision to the next; 0 once nothing is left."""
        worth = self.equity
        before = np.where(worth[:-1] > 0.0, worth[:-1], np.inf)
        return np.diff(worth) / before

    @property
    def market(self) -> Floats:
        """``float64[n]``: log return of the price over the span of :attr:`returns`."""
        return np.diff(np.log(self.price))

    @classmethod
    def of(cls, sleeve: Sleeve) -> SleeveRecord:
        """Take what a trader did on record."""
        made, trader = sleeve.decisions, sleeve.trader
        unknown = (np.nan,) * 3
        return cls.told(
            sleeve,
            sleeve.times,
            sleeve.prices,
            sleeve.equity,
            np.array([*(one.units for one in made), trader.account.units]),
            np.array([one.allowed for one in made]),
            np.array([one.probabilities or unknown for one in made]).reshape(len(made), 3),
            np.array([one.regime for one in made], np.int64),
            np.array([one.volatility or np.nan for one in made]),
        )

    @classmethod
    def of_made(cls, sleeve: Sleeve, made: Made) -> SleeveRecord:
        """Take on record what a trader did that was taken over stretches."""
        trader = sleeve.trader
        price = trader.status().price
        return cls.told(
            sleeve,
            np.append(made.times, trader.time),
            np.append(made.price, price),
            np.append(made.equity, trader.account.equity(price)),
            np.append(made.units, trader.account.units),
            made.allowed,
            made.told[:, :3],
            made.regime,
            made.volatility,
        )

    @classmethod
    def told(
        cls,
        sleeve: Sleeve,
        times: Ints,
        price: Floats,
        equity: Floats,
        units: Floats,
        allowed: Floats,
        probabilities: Floats,
        regime: Ints,
        volatility: Floats,
    ) -> SleeveRecord:
        """Take on record what a trader did, told in columns; ``allowed`` are units.

        Raises
        ------
        DataError
            The sleeve doesn't know its tape.
        """
        tape, trader = sleeve.tape, sleeve.trader
        if tape is None:
            raise DataError(f"{trader.symbol}: a sleeve without its tape can't be put on record")
        fills = _logged(sleeve)
        with np.errstate(divide="ignore", invalid="ignore"):
            worth = equity[:-1]
            exposure = np.where(worth > 0.0, allowed * price[:-1] / worth, 0.0)
        return cls(
            symbol=trader.symbol,
            instrument=trader.instrument,
            every=trader.every,
            times=times,
            price=price,
            equity=equity,
            units=units,
            exposure=exposure,
            probabilities=probabilities,
            regime=regime,
            volatility=volatility,
            trips=Trips.of(
                trader.symbol, fills, tape.times, tape.values[:, HIGH], tape.values[:, LOW],
                times[:-1], regime, float(tape.close[-1]), trader.spec.max_hold,
            ),
            fills=fills,
        )  # fmt: skip


@dataclass(frozen=True)
class Record:
    """What a run did.

    Parameters
    ----------
    name
        Of the run, as reports show it.
    sleeves
        By symbol.

    Examples
    --------
    >>> Record("empty", {})
    Traceback (most recent call last):
        ...
    market.errors.DataError: a record needs a sleeve or more, 'empty' has none
    """

    name: str
    sleeves: Mapping[str, SleeveRecord]

    def __post_init__(self) -> None:
        if not self.sleeves:
            raise DataError(f"a record needs a sleeve or more, {self.name!r} has none")

    @classmethod
    def of(cls, result: BacktestResult, name: str) -> Record:
        """Take a backtest by event path on record."""
        return cls(name, {key: SleeveRecord.of(one) for key, one in result.sleeves.items()})

    @cached_property
    def times(self) -> Ints:
        """``int64[t]``: every time of any sleeve."""
        return np.unique(np.concatenate([one.times for one in self.sleeves.values()]))

    @cached_property
    def equity(self) -> Floats:
        """``float64[t]``: sum of the sleeves' equities at :attr:`times`, each at its latest."""
        times = self.times
        total = np.zeros(len(times))
        for one in self.sleeves.values():
            at = np.searchsorted(one.times, times, side="right") - 1
            total += one.equity[np.maximum(at, 0)]
        return total

    @cached_property
    def trips(self) -> Trips:
        """All symbols' in order of closing; :meth:`table` tells whose each is."""
        return Trips.joined([one.trips for one in self.sleeves.values()])

    def table(self) -> dict[str, npt.NDArray[Any]]:
        """Return the trips of all symbols as columns, in order of closing."""
        tables = [one.trips.table() for one in self.sleeves.values()]
        order = np.argsort(np.concatenate([one["closed"] for one in tables]), kind="stable")
        return {name: np.concatenate([one[name] for one in tables])[order] for name in tables[0]}

    def only(self, symbol: str) -> Record:
        """Return the record of one symbol alone."""
        return replace(self, sleeves={symbol: self.sleeves[symbol]})

    def figures(self, per_year: float | None = None) -> dict[str, float]:
        """Return the figures of the whole run; nan where there is nothing to count.

        Money is in account currency, the rest are fractions. ``sharpe`` and ``sortino`` are per
        year, of the returns between the times of any sleeve.

        Parameters
        ----------
        per_year
            Decisions per year; ``None``: as many as a year of the run's own times would hold.
        """
        times, worth = self.times, self.equity
        live = np.where(worth[:-1] > 0.0, worth[:-1], np.inf)
        returns = np.diff(worth) / live
        told = self.trips
        count, pnl = len(told), told.pnl
        won, lost = float(pnl[pnl > 0.0].sum()), float(-pnl[pnl < 0.0].sum())
        per_year = per_year or _per_year(times)
        sleeves = self.sleeves.values()
        spans = sum(float(one.times[-1] - one.times[0]) for one in sleeves)
        inside = sum(float(np.sum(np.diff(one.times) * (one.units[1:] != 0.0))) for one in sleeves)
        return {
            "capital": float(worth[0]),
            "equity": float(worth[-1]),
            "pnl": float(worth[-1] - worth[0]),
            "return": float(worth[-1] / worth[0] - 1.0),
            "sharpe": sharpe(returns) * np.sqrt(per_year) if len(returns) > 1 else np.nan,
            "sortino": sortino(returns) * np.sqrt(per_year) if len(returns) > 1 else np.nan,
            "drawdown": max_drawdown(returns) if len(returns) else np.nan,
            "drawdown_length": float(drawdown_length(returns)) if len(returns) else np.nan,
            "decisions": float(sum(map(len, sleeves))),
            "trades": float(count),
            "win_rate": float(np.mean(pnl > 0.0)) if count else np.nan,
            "profit_factor": won / lost if lost > 0.0 else np.nan,
            "expectancy": float(pnl.mean()) if count else np.nan,
            "gross": float(told.gross.sum()),
            "fees": float(told.fees.sum()),
            "slippage": float(told.slippage.sum()),
            "funding": float(told.funding.sum()),
            "turnover": float(np.mean([turnover(one.exposure) for one in sleeves])),
            "in_market": inside / spans if spans > 0.0 else np.nan,
        }


def _per_year(times: Ints) -> float:
    """Return how many of its own steps a year holds."""
    return float(periods_per_year(times)) if len(times) > 1 else np.nan


def _logged(sleeve: Sleeve) -> Fills:
    """Return the log of a sleeve's fills."""
    fills, costs = sleeve.fills, sleeve.trader.instrument.costs
    if not fills:
        return Fills.none()
    units = np.array([one.units for one in fills])
    price = np.array([one.price for one in fills])
    reason = np.array([FILL_REASONS.index(one.reason) for one in fills], np.int8)
    return Fills(
        times=np.array([one.time for one in fills], np.int64),
        units=units,
        price=price,
        fee=np.array([one.fee for one in fills]),
        held=np.array(sleeve.held),
        mid=mids(costs, units, price, reason, np.array(sleeve.widened)),
        reason=reason,
    )
