"""Every column there is: the families, the names they resolve, and the sets to choose from."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from features.column import Args, Column, Family, Need, Stream
from features.families import (
    adx,
    aroon,
    atr,
    autocorr,
    averages,
    bollinger,
    book_flow,
    book_shape,
    book_walls,
    calendar,
    candle,
    cci,
    channels,
    daytime,
    efficiency,
    entropy,
    ewvol,
    flow,
    fracdiff,
    garch,
    hurst,
    impact,
    jumps,
    keltner,
    linear,
    macd,
    mfi,
    moments,
    momentum,
    obv,
    patterns,
    peer_columns,
    peer_return,
    prices,
    profile,
    range_volatility,
    ranges,
    realised,
    relative_volatility,
    returns,
    roc,
    rsi,
    shape,
    spikes,
    stochastic,
    strength,
    ticks,
    trade_cost,
    trade_flow,
    trade_pace,
    trade_toxicity,
    trend,
    volatility_regime,
    volume,
    vwap,
    williams,
    zscore,
)
from features.seednames import canonical
from market.errors import ConfigError

__all__ = ["EVERY", "FAMILIES", "SETS", "Found", "expand", "find"]

FAMILIES: tuple[Family, ...] = (
    *adx.FAMILIES,
    *aroon.FAMILIES,
    *atr.FAMILIES,
    *autocorr.FAMILIES,
    *averages.FAMILIES,
    *bollinger.FAMILIES,
    *book_flow.FAMILIES,
    *book_shape.FAMILIES,
    *book_walls.FAMILIES,
    *calendar.FAMILIES,
    *candle.FAMILIES,
    *cci.FAMILIES,
    *channels.FAMILIES,
    *daytime.FAMILIES,
    *efficiency.FAMILIES,
    *entropy.FAMILIES,
    *ewvol.FAMILIES,
    *flow.FAMILIES,
    *fracdiff.FAMILIES,
    *garch.FAMILIES,
    *hurst.FAMILIES,
    *impact.FAMILIES,
    *jumps.FAMILIES,
    *keltner.FAMILIES,
    *linear.FAMILIES,
    *macd.FAMILIES,
    *mfi.FAMILIES,
    *moments.FAMILIES,
    *momentum.FAMILIES,
    *obv.FAMILIES,
    *patterns.FAMILIES,
    *peer_columns.FAMILIES,
    *peer_return.FAMILIES,
    *prices.FAMILIES,
    *profile.FAMILIES,
    *range_volatility.FAMILIES,
    *ranges.FAMILIES,
    *realised.FAMILIES,
    *relative_volatility.FAMILIES,
    *returns.FAMILIES,
    *roc.FAMILIES,
    *rsi.FAMILIES,
    *shape.FAMILIES,
    *spikes.FAMILIES,
    *stochastic.FAMILIES,
    *strength.FAMILIES,
    *ticks.FAMILIES,
    *trade_cost.FAMILIES,
    *trade_flow.FAMILIES,
    *trade_pace.FAMILIES,
    *trade_toxicity.FAMILIES,
    *trend.FAMILIES,
    *volatility_regime.FAMILIES,
    *volume.FAMILIES,
    *vwap.FAMILIES,
    *williams.FAMILIES,
    *zscore.FAMILIES,
)
"""All families. A new one is imported above and entered here; nothing else knows it."""


@dataclass(frozen=True)
class Found:
    """What a column's name stands for.

    Parameters
    ----------
    name
        The name itself.
    family
        Place in :data:`FAMILIES`.
    args
        The numbers in the name.
    place
        Which of the family's columns it is.
    """

    name: str
    family: int
    args: Args
    place: int

    @property
    def of(self) -> Family:
        """The family."""
        return FAMILIES[self.family]

    @property
    def column(self) -> Column:
        """What is known of the column."""
        return self.of.columns[self.place]

    @property
    def warmup(self) -> int:
        """Events of its stream until it is given."""
        return self.of.warmup(self.args)

    @property
    def instance(self) -> tuple[int, Args]:
        """What all columns that share one memory have in common."""
        return self.family, self.args


LARGEST = 100_000
"""No number in a name may be above this: a window's memory goes with it."""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], int, int], ...]:
    """Return each column's name as a pattern, with its family and place."""
    return tuple(
        (re.compile(re.sub(r"\{\w+\}", "([0-9]{1,18})", column.name)), i, place)
        for i, family in enumerate(FAMILIES)
        for place, column in enumerate(family.columns)
    )


@cache
def find(name: str) -> Found:
    """Return what a name stands for; names as other systems write them are understood too.

    Raises
    ------
    ConfigError
        There is no such column, or a number in its name is out of range.

    Examples
    --------
    >>> find("rsi_14").args, find("close_RSI_14").name
    ((14,), 'rsi_14')
    """
    ours = canonical(name)
    for pattern, i, place in _patterns():
        if match := pattern.fullmatch(ours):
            args, family = tuple(map(int, match.groups())), FAMILIES[i]
            least = family.least or (1,) * len(args)
            for field, value, low in zip(family.fields, args, least, strict=True):
                if not low <= value <= LARGEST:
                    raise ConfigError(
                        f"{field} of {family.columns[place].name} must be {low} to {LARGEST}, "
                        f"was {value}"
                    )
            family.params(args)
            return Found(family.names(args)[place], i, args, place)
    known = [*SETS, *(column.name for family in FAMILIES for column in family.columns)]
    near = difflib.get_close_matches(re.sub(r"\d+", "{n}", ours), known, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ConfigError(f"no column {name!r}; {hint}`pregao features ls` shows all")


def expand(names: Iterable[str]) -> tuple[Found, ...]:
    """Return the columns of names and sets of names, each once, in the order they come."""
    found: dict[str, Found] = {}
    for name in names:
        for one in SETS.get(name, (name,)):
            column = find(one)
            found.setdefault(column.name, column)
    return tuple(found.values())


def _all(stream: Stream, *needs: Need, scale_free: bool = True) -> tuple[str, ...]:
    """Return the default columns of the families of a stream that have such needs."""
    return tuple(
        column.name.format(**dict(zip(family.fields, args, strict=True)))
        for family in FAMILIES
        if family.stream == stream and family.need in needs
        for args in family.defaults
        for column in family.columns
        if column.scale_free == scale_free
    )


EVERY = tuple(
    name for family in FAMILIES for args in family.instances for name in family.names(args)
)
"""Every column, with the numbers that the sets have."""

CORE = (
    "volatility_16", "volatility_512",
    "momentum_1", "momentum_4", "momentum_16", "momentum_64", "momentum_256",
    "trend_32", "trend_128", "trend_512", "strength_14", "strength_64",
    "true_range_32", "close_location_32", "channel_place_32", "channel_width_32",
    "run", "volume_surprise_64", "direction_16", "direction_128",
    "jump_age_512", "jump_size_512", "jump_rate_512",
    "asymmetry_128", "autocorrelation_128", "variance_ratio_16_128", "day_sin", "day_cos",
)  # fmt: skip
"""Columns that say something of any market, ticks or bars, and are known on every event of it."""

SETS: dict[str, tuple[str, ...]] = {
    "core": CORE,
    "ticks": _all("prices", "price"),
    "bars": _all("prices", "price", "range", "volume"),
    "flow": _all("prices", "trades", "sides"),
    "trades": _all("trades", "trades"),
    "book": _all("book", "book") + _all("trades", "book"),
    "peer": _all("prices", "peer"),
    "raw": _all("prices", "price", "range", "volume", "trades", "sides", scale_free=False),
}
"""Names that stand for many columns. ``bars`` are ``ticks`` and those of range and volume; ``flow``
needs bars that tell how many trades they hold and who began them. All are free of scale but
``raw``, the columns in units of price, volume or money, which a model had better not be given."""
