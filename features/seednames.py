"""Columns under the names that other systems' configs have for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from market.errors import ConfigError

__all__ = ["ALIASES", "TALIB", "Function", "canonical"]

ALIASES = {
    # ticks
    "ticks_per_second": "tick_velocity_100",
    "tick_velocity": "tick_velocity_100",
    "tick_imbalance": "tick_imbalance_100",
    "price_impact": "price_impact_100",
    "volume_ratio": "volume_ratio_20",
    # volatility
    "rv_parkinson": "parkinson_32",
    "garch_forecast": "garch_50_940",
    "vol_regime": "volatility_regime_256",
    # patterns
    "near_support": "near_support_64",
    "near_resistance": "near_resistance_64",
    "momentum_burst": "momentum_burst_8",
    "mean_reversion": "mean_reversion_50",
    # Crash and Boom: which of the two a spike is, the symbol tells
    "ticks_since_last_crash": "ticks_since_spike_2048",
    "ticks_since_last_boom": "ticks_since_spike_2048",
    "crash_probability": "spike_hazard_2048",
    "boom_probability": "spike_hazard_2048",
    "uptrend_strength": "drift_between_spikes_32",
    "downtrend_strength": "drift_between_spikes_32",
    # time
    "hour_of_day": "hour",
    "day_of_week": "weekday",
    "is_high_volume_hour": "session_overlap",
    # order book
    "bid_ask_spread": "quoted_spread",
    "order_flow_imbalance": "order_flow_imbalance_64",
    "microprice": "microprice_distance",
}
"""Names without numbers, and the instances they stand for: windows as their users have them where
they say, else the default ones. ``downtrend_strength`` is below 0 in a fall, as the column is."""


@dataclass(frozen=True)
class Function:
    """What a function of TA-Lib is here.

    Parameters
    ----------
    columns
        What it is computed of.
    name
        Our column's name.
    window
        TA-Lib's own, where the name has none; 0 for a function without.
    """

    columns: str
    name: str
    window: int


TALIB = {
    "ADX": Function("high_low_close", "adx_{n}", 14),
    "AROONOSC": Function("high_low", "aroon_oscillator_{n}", 14),
    "ATR": Function("high_low_close", "atr_{n}", 14),
    "CCI": Function("high_low_close", "cci_{n}", 14),
    "EMA": Function("close", "ema_{n}", 30),
    "LINEARREG_SLOPE": Function("close", "linear_slope_price_{n}", 14),
    "MACD": Function("close", "macd_12_26_9", 0),
    "MFI": Function("high_low_close_volume", "mfi_{n}", 14),
    "MINUS_DI": Function("high_low_close", "minus_di_{n}", 14),
    "NATR": Function("high_low_close", "natr_{n}", 14),
    "OBV": Function("close_volume", "obv", 0),
    "PLUS_DI": Function("high_low_close", "plus_di_{n}", 14),
    "ROC": Function("close", "roc_{n}", 10),
    "RSI": Function("close", "rsi_{n}", 14),
    "SMA": Function("close", "sma_{n}", 30),
    "STDDEV": Function("close", "stddev_{n}", 5),
    "TRANGE": Function("high_low_close", "atr_1", 0),
    "WILLR": Function("high_low_close", "williams_r_{n}", 14),
}
"""Functions of TA-Lib that are columns: intelligent-trading-bot names its features
``<columns>_<FUNCTION>_<window>``."""

_COLUMN = "(?:open|high|low|close|volume)"
_NAME = re.compile(rf"({_COLUMN}(?:_{_COLUMN})*)_([A-Z][A-Z0-9]*(?:_[A-Z]+)*)(?:_(\d+))?")


def canonical(name: str) -> str:
    """Return our name of a column; a name that is none of another system's is returned as it is.

    Raises
    ------
    ConfigError
        It is a function of TA-Lib that is no column here, or is one of other prices.

    Examples
    --------
    >>> canonical("high_low_close_ATR_14"), canonical("close_SMA_6"), canonical("vol_regime")
    ('atr_14', 'sma_6', 'volatility_regime_256')
    >>> canonical("rsi_14")
    'rsi_14'
    >>> canonical("high_SMA_3")
    Traceback (most recent call last):
    market.errors.ConfigError: no column 'high_SMA_3': SMA is of the close, close_SMA_3
    """
    if name in ALIASES:
        return ALIASES[name]
    match = _NAME.fullmatch(name)
    if match is None:
        return name
    columns, called, window = match.groups()
    if called not in TALIB:
        raise ConfigError(
            f"no column {name!r}: TA-Lib's {called} is none; those that are: {', '.join(TALIB)}"
        )
    function = TALIB[called]
    if sorted(columns.split("_")) != sorted(function.columns.split("_")):
        of = function.columns.replace("_", ", ")
        right = "_".join(part for part in (function.columns, called, window) if part)
        raise ConfigError(f"no column {name!r}: {called} is of the {of}, {right}")
    if window is None:
        return function.name.format(n=function.window)
    if not function.window:
        raise ConfigError(f"no column {name!r}: {called} has no window, {columns}_{called}")
    # of one column, that system takes a window of 1 to be the column itself
    n = int(window)
    return columns if n == 1 and columns == "close" else function.name.format(n=n)
