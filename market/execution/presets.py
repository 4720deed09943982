r"""Costs of the venues by name, each number with its source.

``binance_spot``
    Taker and maker .1 %, the venue's rate without a discount. Half spread 3.0e-6, the mean of
    ETHUSDT's quotes recorded on 8 August 2024 (of BTCUSDT's it is 8.5e-7).
``binance_usdm``
    USD-M futures: taker .05 %, maker .02 %. Half spread 1.0e-6, of BTCUSDT's on the same day.
    Funding .01 % every 8 hours: its interest part, about which the premium moves it. Maintenance
    .4 % of the notional (BTCUSDT's first bracket) and a fee of 1.25 % when liquidated:
    **assumptions**, look them up for your symbol.
``b3_wdo``
    Mini dollar at 5,000 points: half a tick (.25 points) a side and BRL 1.20 a contract, see
    :data:`market.contracts.CONTRACTS`.
``deriv_synthetic``
    A synthetic index as a CFD, its ``symbol`` given: half of the spread that the EU's key
    information documents state for its family.
``deriv_multiplier``
    The same index as a multiplier, ``symbol`` and, where it isn't the smallest, ``multiplier``
    given: half of the commission on each side, and a stop-out where the stake is lost
    (:mod:`market.execution.multiplier`). Commissions are those of :mod:`market.synthetics`.

Latency is yours, not the venue's: measure it (:meth:`market.execution.latency.Latency.of`). So is
impact, which goes with the symbol (:meth:`market.execution.costs.Impact.of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from market.errors import UnknownSymbol
from market.synthetics import synthetic

__all__ = ["PRESETS", "filled_in"]

_MORE = ("symbol", "multiplier")
"""What a preset may ask for beside its name."""

_CFD_SPREADS = {
    "R_": 6.04e-4, "1HZ": 6.04e-4, "BOOM": 1.89e-4, "CRASH": 1.89e-4, "JD": 6.5e-4,
    "stpRNG": 7.46e-5,
}  # fmt: skip
"""Spreads as fractions of the notional, by how the symbol begins."""


def _binance_spot(**_: Any) -> dict[str, Any]:
    return {"commission": 1e-3, "maker": 1e-3, "half_spread": 3e-6}


def _binance_usdm(**_: Any) -> dict[str, Any]:
    return {
        "commission": 5e-4,
        "maker": 2e-4,
        "half_spread": 1e-6,
        "funding": {"rate": 1e-4, "interval_seconds": 28_800.0},
        "margin": {"maintenance": 4e-3, "liquidation_fee": 1.25e-2},
    }


def _b3_wdo(**_: Any) -> dict[str, Any]:
    return {"half_spread": 0.25 / 5000.0, "per_unit": 1.2 / 10.0}


def _index(symbol: str, preset: str) -> Any:
    if not symbol:
        raise ValueError(f"preset: {preset} needs the symbol of an index beside it (symbol: R_75)")
    try:
        return synthetic(symbol)
    except UnknownSymbol as error:
        raise ValueError(f"symbol: {error}") from None


def _deriv_synthetic(symbol: str = "", **_: Any) -> dict[str, Any]:
    name = _index(symbol, "deriv_synthetic").symbol
    spread = [one for begin, one in _CFD_SPREADS.items() if name.startswith(begin)]
    if not spread:
        raise ValueError(f"symbol: no CFD spread is known for {name}; give half_spread yourself")
    return {"half_spread": spread[0] / 2.0}


def _deriv_multiplier(symbol: str = "", multiplier: int = 0, **_: Any) -> dict[str, Any]:
    index = _index(symbol, "deriv_multiplier")
    factor = multiplier or index.multipliers[0]
    if factor not in index.multipliers:
        raise ValueError(
            f"multiplier: must be one of {', '.join(map(str, index.multipliers))} on {symbol}, "
            f"was {multiplier}"
        )
    return {
        "commission": index.commission / 2.0,
        "margin": {"stop_out": 1.0 / factor - index.commission, "guaranteed": True},
    }


PRESETS = {
    "binance_spot": _binance_spot,
    "binance_usdm": _binance_usdm,
    "b3_wdo": _b3_wdo,
    "deriv_synthetic": _deriv_synthetic,
    "deriv_multiplier": _deriv_multiplier,
}
"""What each name stands for, as settings of :class:`~market.execution.costs.Costs`."""


def filled_in(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those of their ``preset`` below them.

    What is given beside the preset takes the place of its own, a nested setting whole.

    Raises
    ------
    ValueError
        No preset has the name, or it lacks its symbol.

    Examples
    --------
    >>> filled_in({"preset": "binance_spot", "maker": 0.0})
    {'commission': 0.001, 'maker': 0.0, 'half_spread': 3e-06}
    """
    name = settings.get("preset")
    if name is None:
        return dict(settings)
    if name not in PRESETS:
        raise ValueError(f"preset: must be one of {', '.join(PRESETS)}, was {name!r}")
    asked = {key: settings[key] for key in _MORE if key in settings}
    own = {key: value for key, value in settings.items() if key not in (*_MORE, "preset")}
    return PRESETS[name](**asked) | own
