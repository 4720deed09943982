"""Expiring contracts as one series: which is the front one, when it changes, what the gap was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from market.calendar import calendar_of
from market.contracts import CONTRACTS, MONTHS, contract_of
from market.errors import DataError, UnknownSymbol
from market.holes import holes
from market.series import Series

__all__ = ["Continuous", "Roll", "by_date", "by_volume", "continuous", "expiry", "front"]

_CODE = re.compile(rf"(?P<root>{'|'.join(CONTRACTS)})(?P<month>[{MONTHS}])(?P<year>\d\d)")
_PRICES = {"bars": ("open", "high", "low", "close"), "ticks": ("price", "bid", "ask")}
_LATEST = {"bars": "close", "ticks": "price"}


def expiry(symbol: str) -> date:
    """Return the day a contract expires; its last trading day is the session before.

    Dollar: the first trading day of its month. Index: the Wednesday closest to the 15th, or the
    first trading day after it.

    Raises
    ------
    UnknownSymbol
        It is no contract of a month.

    Examples
    --------
    >>> [expiry(symbol).isoformat() for symbol in ("WDOH25", "DOLK20", "WINJ25")]
    ['2025-03-05', '2020-05-04', '2025-04-16']
    """
    match = _CODE.fullmatch(symbol)
    if match is None or match["month"] not in CONTRACTS[match["root"]].months:
        raise UnknownSymbol(f"{symbol!r} is no contract of a month, such as WDOH25 or WINJ25")
    year, month = 2000 + int(match["year"]), MONTHS.index(match["month"]) + 1
    day = date(year, month, 1)
    if match["root"] in ("WIN", "IND"):
        middle = date(year, month, 15)
        day = middle + timedelta(days=(2 - middle.weekday() + 3) % 7 - 3)
    return calendar_of(symbol).trading_day(day)


def front(root: str, day: date, before: int = 1) -> str:
    """Return the contract to trade on a day.

    Parameters
    ----------
    root
        Such as ``WDO``.
    day
        In São Paulo.
    before
        Sessions before its expiry from which a contract is left; 1 leaves it on its last trading
        day, 0 trades it to the end.

    Examples
    --------
    >>> front("WDO", date(2025, 1, 30)), front("WDO", date(2025, 1, 31))
    ('WDOG25', 'WDOH25')
    >>> front("WDO", date(2025, 1, 31), before=0), front("WIN", date(2025, 1, 2))
    ('WDOG25', 'WING25')
    """
    year, month = day.year, day.month
    while True:
        letter = MONTHS[month - 1]
        symbol = f"{root}{letter}{year % 100:02}"
        if letter in contract_of(symbol).months and day < _left(symbol, before):
            return symbol
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _left(symbol: str, before: int) -> date:
    return calendar_of(symbol).trading_day(expiry(symbol), -before)


class Roll(NamedTuple):
    """One change of contract.

    Parameters
    ----------
    time
        Nanoseconds since 1970 UTC; ``old`` is used up to and including it, ``new`` after it.
    old, new
        The contracts.
    gap
        Price of the new one less that of the old one, both the last they had together.
    ratio
        The one over the other.
    """

    time: int
    old: str
    new: str
    gap: float
    ratio: float


@dataclass(frozen=True)
class Continuous:
    """A back-adjusted series: the last contract's prices are real, earlier ones are moved.

    Parameters
    ----------
    series
        All contracts, each while it was the front one. Volumes are as they were.
    rolls
        Where one follows the other; with them the real prices can be had back.
    which
        ``int64[n]``: the contract of each row, counted from the first.
    """

    series: Series
    rolls: tuple[Roll, ...]
    which: npt.NDArray[np.int64]


def by_date(contracts: Sequence[Series], before: int = 1) -> list[int]:
    """Return when to roll: at the opening ``before`` sessions ahead of each one's expiry."""
    times = []
    for series in contracts[:-1]:
        session = calendar_of(series.symbol).session(_left(series.symbol, before))
        assert session is not None  # a trading day has one
        times.append(session.opens)
    return times


def by_volume(contracts: Sequence[Series]) -> list[int]:
    """Return when to roll: at the opening after the first day on which the next one traded more.

    That it did is known only when the day is over. At expiry at the latest.

    Raises
    ------
    DataError
        A series has no volumes.
    """
    times: list[int] = []
    for old, new, latest in zip(contracts, contracts[1:], by_date(contracts, 0), strict=False):
        calendar = calendar_of(old.symbol)
        day_of: dict[int, date] = {}
        volumes: list[dict[date, float]] = [{}, {}]
        for volume, series in zip(volumes, (old, new), strict=True):
            if "volume" not in series.columns or np.isnan(series.columns["volume"]).any():
                raise DataError(f"{series.symbol} has no volumes to roll by; roll by date")
            for time, size in zip(series.times, series.columns["volume"], strict=True):
                # A bar that closes at the day's end is still that day's.
                hour = int(time - 1) // 3_600_000_000_000
                day = day_of.setdefault(hour, calendar.day(int(time - 1)))
                volume[day] = volume.get(day, 0.0) + float(size)
        overtaken = [
            day for day in sorted(volumes[1]) if volumes[1][day] > volumes[0].get(day, 0.0)
        ]
        began = times[-1] if times else -1
        opens = [
            session.opens
            for day in overtaken
            if (session := calendar.session(calendar.trading_day(day + timedelta(days=1))))
            and session.opens > began
        ]
        times.append(min([latest, *opens]))
    return times


def continuous(
    contracts: Sequence[Series],
    times: Sequence[int],
    adjust: Literal["difference", "ratio"] = "ratio",
) -> Continuous:
    """Join contracts into one series without the jumps from one to the next.

    Parameters
    ----------
    contracts
        Bars or ticks, in order of expiry; each overlaps the next where they meet.
    times
        When to leave each but the last one, increasing; see :func:`by_date`, :func:`by_volume`.
    adjust
        ``difference`` adds the gaps to all that came before, and keeps profits in points;
        ``ratio`` multiplies, and keeps returns.

    Returns
    -------
    Continuous
        Named by the root and ``FUT``.

    Raises
    ------
    DataError
        Contracts out of order or of different kinds; two that meet without a price in common;
        adjusted prices that are not positive any more (use ``ratio``).
    """
    kind = _checked(contracts, times)
    rolls = [
        Roll(time, old.symbol, new.symbol, *_gap(old, new, time))
        for old, new, time in zip(contracts, contracts[1:], times, strict=False)
    ]
    edges = [-1, *times, np.iinfo(np.int64).max]
    parts: list[Series] = []
    which: list[npt.NDArray[np.int64]] = []
    name = f"{contract_of(contracts[0].symbol).root}FUT"
    for at, series in enumerate(contracts):
        first, stop = np.searchsorted(series.times, edges[at : at + 2], side="right").tolist()
        if first == stop:
            raise DataError(f"{series.symbol} has no row between the rolls around it; leave it out")
        part = series.slice(first, stop)
        later = rolls[at:]
        columns = dict(part.columns)
        for column in _PRICES[kind]:
            for roll in later:
                columns[column] = (
                    columns[column] + roll.gap
                    if adjust == "difference"
                    else columns[column] * roll.ratio
                )
        if columns["low" if kind == "bars" else "price"].min() <= 0.0:
            raise DataError(f"{series.symbol}: gaps make its prices negative; adjust by ratio")
        fresh = part.fresh.copy()
        if parts:  # a hole in front of it is one of the joint series, not of the contract alone
            pair = np.array([parts[-1].times[-1], part.times[0]])
            fresh[0] = holes(pair, part.step, calendar=calendar_of(part.symbol))[1]
        parts.append(replace(part, symbol=name, columns=columns, fresh=fresh))
        which.append(np.full(stop - first, at, np.int64))
    return Continuous(Series.joined(parts), tuple(rolls), np.concatenate(which))


def _checked(contracts: Sequence[Series], times: Sequence[int]) -> str:
    if not contracts or len(times) != len(contracts) - 1:
        raise DataError(
            f"{len(contracts)} contracts need one roll between each two, had {len(times)}"
        )
    kinds = {(series.kind, series.step) for series in contracts if series.kind != "ticks"}
    kinds |= {(series.kind, 0) for series in contracts if series.kind == "ticks"}
    (kind, _), *others = sorted(kinds)
    if others or kind not in _PRICES:
        raise DataError(f"contracts must be ticks, or bars of one length, were {sorted(kinds)}")
    days = [expiry(series.symbol) for series in contracts]
    if sorted(set(days)) != days or sorted(set(times)) != list(times):
        raise DataError(
            "contracts and rolls must be in the order they expire, were "
            f"{', '.join(series.symbol for series in contracts)}"
        )
    return kind


def _gap(old: Series, new: Series, time: int) -> tuple[float, float]:
    """Return gap and ratio at the last moment up to ``time`` at which both have a price."""
    column = _LATEST[old.kind]
    if old.kind == "bars":
        common, a, b = np.intersect1d(old.times, new.times, return_indices=True)
        last = int(np.searchsorted(common, time, side="right")) - 1
        at = (int(a[last]), int(b[last])) if last >= 0 else (-1, -1)
    else:
        at = (
            int(np.searchsorted(old.times, time, side="right")) - 1,
            int(np.searchsorted(new.times, time, side="right")) - 1,
        )
    if min(at) < 0:
        raise DataError(
            f"{old.symbol} and {new.symbol} have no price in common before the roll; give more of "
            f"{new.symbol}, or roll later"
        )
    before, after = float(old.columns[column][at[0]]), float(new.columns[column][at[1]])
    return after - before, after / before
