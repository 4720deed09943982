"""A market that follows a law: ticks on an even grid, or bars made of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from market.clustered import Garch, Switching
from market.errors import ConfigError
from market.events import SECOND
from market.predictable import OrnsteinUhlenbeck, Planted, Regimes
from market.processes import CrashBoom, Jump, Process, Step, Volatility
from market.synthetics import synthetic
from market.tape import Tape

__all__ = ["LAWS", "ORIGIN", "Generated"]

LAWS: dict[str, type[Process]] = {
    "gbm": Volatility,
    "crash_boom": CrashBoom,
    "step": Step,
    "jump": Jump,
    "garch": Garch,
    "switching": Switching,
    "ou": OrnsteinUhlenbeck,
    "regimes": Regimes,
    "planted": Planted,
}
"""Laws by name. Nothing can be earned before costs on the first six; the last three can be
predicted."""

ORIGIN = 1_700_000_000 * SECOND
"""Venue time of a generated tape's first event, nanoseconds."""


@dataclass(frozen=True)
class Generated:
    """Tapes of one law.

    Parameters
    ----------
    symbol
        What they are called.
    law
        Of the ticks' prices.
    start
        Price before the first tick; positive.
    interval
        Seconds between ticks; the law's own where it has one.
    per_bar
        Ticks in a bar; 1: the events are the ticks themselves. A bar opens at its first tick and
        has neither volume nor trades.

    Examples
    --------
    >>> tape = Generated.index("R_75").tape(3, np.random.default_rng(1))
    >>> tape.symbol, tape.bars, tape.close.tolist()
    ('R_75', False, [34002.2187, 34007.4951, 34009.617])
    >>> Generated.named("garch", sigma=0.6, interval=1.0, decimals=2, per_bar=60).tape(
    ...     2, np.random.default_rng(1)).values[0, :4].tolist()
    [10000.37, 10002.74, 9997.44, 9997.8]
    """

    symbol: str
    law: Process
    start: float
    interval: float
    per_bar: int = 1

    def __post_init__(self) -> None:
        if not self.interval > 0.0:
            raise ValueError(f"interval must be positive, was {self.interval}")
        if self.per_bar < 1:
            raise ValueError(f"per_bar must be at least 1, was {self.per_bar}")

    @classmethod
    def index(cls, symbol: str, per_bar: int = 1) -> Generated:
        """Make the market of a synthetic index; raises :class:`UnknownSymbol`."""
        listed = synthetic(symbol)
        return cls(symbol, listed.process, listed.start, float(listed.interval), per_bar)

    @classmethod
    def named(
        cls,
        kind: str,
        start: float = 1e4,
        interval: float = 1.0,
        per_bar: int = 1,
        symbol: str = "",
        **parameters: Any,
    ) -> Generated:
        """Make a market of a law in :data:`LAWS` and its parameters.

        Raises
        ------
        ConfigError
            No such law, or not its parameters.
        """
        if kind not in LAWS:
            raise ConfigError(f"no law is called {kind!r}; there are {', '.join(LAWS)}")
        law = LAWS[kind]
        if "interval" in law.__dataclass_fields__:  # type: ignore[attr-defined]
            parameters["interval"] = interval
        try:
            made = law(**parameters)
        except TypeError as error:
            known = ", ".join(law.__dataclass_fields__)  # type: ignore[attr-defined]
            raise ConfigError(f"the law {kind} has the parameters {known}: {error}") from None
        return cls(symbol or kind.upper(), made, start, interval, per_bar)

    def tape(self, n: int, rng: np.random.Generator) -> Tape:
        """Draw ``n`` events; see :meth:`envs.markets.port.Market.tape`."""
        if n < 2:
            raise ValueError(f"n must be at least 2, was {n}")
        prices = self.law.prices(self.start, n * self.per_bar, rng)
        times = ORIGIN + ceil(self.interval * SECOND) * np.arange(
            self.per_bar - 1, n * self.per_bar, self.per_bar, dtype=np.int64
        )
        if self.per_bar == 1:
            return Tape.of_ticks(self.symbol, times, prices)
        return Tape(self.symbol, True, times, _bars(prices, n), np.zeros(n, np.bool_))


def _bars(prices: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.float64]:
    ticks = prices.reshape(n, -1)
    return np.column_stack((ticks[:, 0], ticks.max(1), ticks.min(1), ticks[:, -1], [np.nan] * n))
