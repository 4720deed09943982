"""What the policy sees of a live trader: the simulator's observation, from live parts."""

from __future__ import annotations

from math import inf

import numpy as np
import numpy.typing as npt

from envs.observation import (
    context_columns,
    distance_of,
    exposure_of,
    observe,
    unrealised_of,
)
from envs.spec import PolicySpec
from features.engine import FeatureEngine
from market.account import Account
from market.instruments import Instrument
from models.prediction import Prediction
from risk.lease import Lease, allowed
from trading.holdings import Holdings

__all__ = ["Sight"]


class Sight:
    """Writes the observation of one symbol.

    Parameters
    ----------
    instrument
        What is traded: leverage and costs are part of what is seen.
    features
        The engine the context is read from.
    spec
        Of the policy that looks.

    Raises
    ------
    DataError
        The engine lacks a column that the observation takes over.
    SchemaMismatch
        It lacks a feature that the policy sees.
    """

    def __init__(self, instrument: Instrument, features: FeatureEngine, spec: PolicySpec) -> None:
        self._features, self._leverage = features, instrument.leverage
        self._costs = instrument.costs
        self._context = context_columns(features.names)
        self._columns = np.array(spec.columns(features.names), np.int64)
        self._centres, self._scales = spec.scales
        self._seen = np.zeros(spec.size, np.float32)

    @property
    def values(self) -> tuple[float, ...]:
        """What was seen last; all zero before the first look and after :meth:`blind`."""
        return tuple(self._seen.tolist())

    def exposure(self, account: Account, price: float) -> float:
        """Return the position as a fraction of the largest one."""
        return float(exposure_of(account.units, account.equity(price), self._leverage, price))

    def blind(self) -> None:
        """See nothing: there is no forecast."""
        self._seen[:] = 0.0

    def look(
        self,
        said: Prediction,
        holdings: Holdings,
        price: float,
        left: float,
        lease: Lease | None,
        now: int,
    ) -> npt.NDArray[np.float32]:
        """Return the observation, ``float32[spec.size]``; the same array every time.

        Parameters
        ----------
        said
            The ensemble's forecast.
        holdings, price
            Money, position, bracket and orders under way, and the price they are marked at.
        left
            Share of the hour's openings that is left; 1 where they are not limited.
        lease, now
            The lease held, and venue time.
        """
        row, volatility = self._features.values, self._features.volatility
        account = holdings.account
        level, sine, cosine = self._context
        observe(
            self._seen,
            said.down,
            said.flat,
            said.up,
            said.disagreement,
            -row[level],
            self.exposure(account, price),
            unrealised_of(account.units, account.entry_price, price, volatility),
            float(holdings.held),
            self._room(account.equity(price), lease, now),
            row[sine],
            row[cosine],
            self._costs.side(price) / volatility if volatility > 0.0 else inf,
            float(said.regime),
            distance_of(holdings.stop, price, volatility),
            distance_of(holdings.target, price, volatility),
            left,
            bool(holdings.working),
            self._chosen(row),
            self._centres,
            self._scales,
        )
        return self._seen

    def _chosen(self, row: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the chosen features with the digits that a dataset keeps."""
        return row[self._columns].astype(np.float32).astype(np.float64)

    def _room(self, equity: float, lease: Lease | None, now: int) -> float:
        """Return the largest |exposure| the lease allows, 0 to 1."""
        largest = equity * self._leverage
        if lease is None or largest <= 0.0:
            return 0.0
        return min(allowed(largest, 0.0, lease, now) / largest, 1.0)
