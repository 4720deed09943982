"""Whether a run kept within its limits."""

from __future__ import annotations

from math import inf

import numpy as np

from risk.config import RiskConfig
from trading.record import Record
from trading.robustness.result import Result

__all__ = ["Limits"]


class Limits(Result, frozen=True):
    """What a run must not exceed.

    Parameters
    ----------
    notional
        Largest sum of |notional| over all symbols, account currency, when anything is added to it.
    leverage
        Largest notional of a symbol as a multiple of its equity, when it is added to.
    drawdown
        Largest fall from the highest equity, fraction. Once it is exceeded nothing may be added.
    tolerance
        Share by which notional and leverage may be exceeded: prices move between the grant of an
        order and its fill.
    """

    notional: float = inf
    leverage: float = inf
    drawdown: float = 1.0
    tolerance: float = 0.05

    @classmethod
    def of(cls, risk: RiskConfig) -> Limits:
        """Return the portfolio's."""
        return cls(risk.max_notional, risk.max_leverage, risk.portfolio.drawdown)

    def breaches(self, record: Record) -> tuple[str, ...]:
        """Return what was exceeded, in words; nothing where all limits held.

        Positions are looked at when a decision was made, and at the end.
        """
        times, worth = record.times, record.equity
        total, grown = np.zeros(len(times)), np.zeros(len(times), np.bool_)
        found = []
        for symbol, sleeve in record.sleeves.items():
            size = np.abs(sleeve.units)
            turned = sleeve.units[1:] * sleeve.units[:-1] < 0.0
            more = np.concatenate((size[:1] > 0.0, (size[1:] > size[:-1] * (1.0 + 1e-9)) | turned))
            notional = size * sleeve.price
            with np.errstate(divide="ignore", invalid="ignore"):
                lever = np.where(more, notional / np.maximum(sleeve.equity, 0.0), 0.0)
            if (most := float(lever.max())) > self.leverage * (1.0 + self.tolerance):
                found.append(f"{symbol}: {most:.3g} times its equity, beyond {self.leverage:g}")
            at = np.searchsorted(sleeve.times, times, side="right") - 1
            total += np.where(at >= 0, notional[np.maximum(at, 0)], 0.0)
            grown[np.searchsorted(times, sleeve.times)] |= more
        most = float(np.where(grown, total, 0.0).max())
        if most > self.notional * (1.0 + self.tolerance):
            found.append(f"notional {most:,.0f}, beyond {self.notional:,.0f}")
        fall = 1.0 - worth / np.maximum.accumulate(worth)
        over = np.flatnonzero(fall > self.drawdown)
        if len(over):
            found.append(f"drawdown {fall.max():.1%}, beyond {self.drawdown:.1%}")
            if grown[over[0] + 1 :].any():
                found.append("positions grew after the drawdown limit")
        return tuple(found)
