"""The tables in Binance's archive as series, read in columns."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from market.errors import DataError
from market.holes import holes
from market.series import BadRow, Series
from venues.binance.archive import ArchiveFile, opened
from venues.binance.intervals import INTERVALS

__all__ = ["read_archive"]

_INT, _FLOAT, _BOOL, _TEXT = pa.int64(), pa.float64(), pa.bool_(), pa.string()

_KLINE = {
    "open_time": _INT, "open": _FLOAT, "high": _FLOAT, "low": _FLOAT, "close": _FLOAT,
    "volume": _FLOAT, "close_time": _INT, "quote_volume": _FLOAT, "count": _INT,
    "buy_volume": _FLOAT, "buy_quote": _FLOAT, "ignore": _TEXT,
}  # fmt: skip
_AGG = {
    "id": _INT, "price": _FLOAT, "size": _FLOAT, "first": _INT, "last": _INT, "time": _INT,
    "maker": _BOOL,
}  # fmt: skip
_TRADE = {
    "id": _INT, "price": _FLOAT, "size": _FLOAT, "quote": _FLOAT, "time": _INT, "maker": _BOOL,
}  # fmt: skip
_QUOTE = {
    "id": _INT, "bid": _FLOAT, "bid_size": _FLOAT, "ask": _FLOAT, "ask_size": _FLOAT,
    "time": _INT, "event_time": _INT,
}  # fmt: skip
_BEST = {"best": _BOOL}
_LAYOUTS: dict[str, tuple[dict[str, Any], ...]] = {
    "klines": (_KLINE,),
    "aggTrades": (_AGG, _AGG | _BEST),
    "trades": (_TRADE, _TRADE | _BEST),
    "bookTicker": (_QUOTE,),
}
_BLOCK = 16 * 2**20
_HEAD = 4096

Columns = dict[str, npt.NDArray[Any]]
Mask = npt.NDArray[np.bool_]


def read_archive(path: Path, bad: list[BadRow] | None = None) -> Series:
    """Read a file of the archive: klines as bars, bookTicker as ticks, the others as trades.

    Parameters
    ----------
    path
        A zip or CSV, named as in the archive.
    bad
        Takes the rows that can't be used. If left out, the first such row is an error.

    Returns
    -------
    Series
        Bars have the time of their close. Several quotes of one millisecond are a nanosecond
        apart, in the order they came. A row is ``fresh`` where bars, or numbers of trades, are
        missing before it; futures leave out numbers of single trades, which says nothing.

    Raises
    ------
    DataError
        The file can't be read, or has other columns than its name says; or a row can't be used,
        and ``bad`` was left out.
    """
    file = ArchiveFile.named(path.name)
    with opened(path) as source:
        columns, offset = _columns(path.name, file, source)
    raw = columns["open_time" if file.kind == "klines" else "time"]
    times = _nanoseconds(raw)
    faults: list[tuple[str, Mask]] = [("time", times > 0)]
    if file.kind == "klines":
        step = INTERVALS[file.interval]
        faults += _bar_faults(columns, times, step)
        times = times + step
    elif file.kind == "bookTicker":
        faults += _quote_faults(columns)
    else:
        faults += _trade_faults(columns)
    good = _good(path.name, columns, faults, times, file.kind, offset, bad)
    columns = {name: column[good] for name, column in columns.items()}
    return _series(file, columns, times[good])


def _series(file: ArchiveFile, columns: Columns, times: npt.NDArray[np.int64]) -> Series:
    if file.kind == "klines":
        step = INTERVALS[file.interval]
        names = ("open", "high", "low", "close", "volume")
        return Series.bars(
            file.symbol,
            times,
            step,
            np.column_stack([columns[name] for name in names]),
            columns["count"].astype(np.float64),
            columns["buy_volume"],
            holes(times, step),
        )
    if file.kind == "bookTicker":
        bid, ask = columns["bid"], columns["ask"]
        return Series.ticks(file.symbol, _apart(times), 0.5 * (bid + ask), bid, ask)
    whole = file.kind == "aggTrades" or "best" in columns
    side = np.where(columns["maker"], -1, 1).astype(np.int8)
    fresh = holes(columns["id"], 1) if whole else None
    return Series.trades(
        file.symbol, times, columns["id"], columns["price"], columns["size"], side, fresh
    )


def _columns(name: str, file: ArchiveFile, source: IO[bytes]) -> tuple[Columns, int]:
    """Return the columns, and the number of the first row's line."""
    head = source.read(_HEAD)
    line = head.split(b"\n", 1)[0]
    header = line[:1].isalpha()
    width = line.count(b",") + 1
    layout = next((one for one in _LAYOUTS[file.kind] if len(one) == width), None)
    if layout is None:
        widths = " or ".join(str(len(one)) for one in _LAYOUTS[file.kind])
        raise DataError(f"{name}: {file.kind} must have {widths} columns, had {width}")
    try:
        reader = csv.open_csv(
            _Joined(head, source),
            read_options=csv.ReadOptions(
                column_names=list(layout), skip_rows=int(header), block_size=_BLOCK
            ),
            convert_options=csv.ConvertOptions(
                column_types=layout,
                null_values=[],
                strings_can_be_null=False,
                true_values=["true", "True", "TRUE"],
                false_values=["false", "False", "FALSE"],
            ),
        )
        table = reader.read_all().combine_chunks()
    except pa.ArrowInvalid as error:
        raise DataError(f"{name}: {str(error)[:200]}") from None
    columns = {key: table[key].to_numpy() for key, kind in layout.items() if kind is not _TEXT}
    return columns, 1 + header


class _Joined(io.RawIOBase):
    """What was read already, and the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._rest.read(size)


def _nanoseconds(raw: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return milli- or microseconds as nanoseconds, -1 for what is neither."""
    micro = (raw >= 10**15) & (raw < 92 * 10**14)
    milli = (raw >= 10**12) & (raw < 92 * 10**11)
    factor = np.where(micro, 1_000, 1_000_000)
    known = micro | milli
    return np.asarray(np.where(known, np.where(known, raw, 0) * factor, -1), np.int64)


def _bar_faults(
    columns: Columns, opens: npt.NDArray[np.int64], step: int
) -> list[tuple[str, Mask]]:
    ends = _nanoseconds(columns["close_time"])
    short = opens + step - ends
    prices = np.column_stack([columns[name] for name in ("open", "high", "low", "close")])
    first, high, low, last = prices.T
    sound = (prices > 0.0) & np.isfinite(prices)
    inside = (low <= np.minimum(first, last)) & (np.maximum(first, last) <= high)
    sizes = [_size(columns[name]) for name in ("volume", "buy_volume", "count")]
    return [
        ("time", (short > 0) & (short <= 1_000_000)),
        ("price", sound.all(axis=1) & inside),
        ("size", np.logical_and.reduce(sizes)),
    ]


def _trade_faults(columns: Columns) -> list[tuple[str, Mask]]:
    price, size = columns["price"], columns["size"]
    return [
        ("price", (price > 0.0) & np.isfinite(price)),
        ("size", (size > 0.0) & np.isfinite(size)),
    ]


def _quote_faults(columns: Columns) -> list[tuple[str, Mask]]:
    bid, ask = columns["bid"], columns["ask"]
    return [
        ("price", (bid > 0.0) & (ask > bid) & np.isfinite(ask)),
        ("size", _size(columns["bid_size"]) & _size(columns["ask_size"])),
    ]


def _size(column: npt.NDArray[Any]) -> Mask:
    return np.asarray((column >= 0) & np.isfinite(column))


def _good(
    name: str,
    columns: Columns,
    faults: list[tuple[str, Mask]],
    times: npt.NDArray[np.int64],
    kind: str,
    offset: int,
    bad: list[BadRow] | None,
) -> Mask:
    """Return which rows can be used; tell the others."""
    good: Mask = np.logical_and.reduce([fine for _, fine in faults])
    # What must increase does so from one usable row to the next.
    ordered: Mask = good.copy()
    for key, strictly in ((times, kind == "klines"), (columns.get("id"), True)):
        if key is not None:
            ordered &= _increasing(key, good, strictly)
    reasons = [*faults, ("time", ordered | ~good)]
    for row in np.flatnonzero(~ordered).tolist():
        reason = next(reason for reason, fine in reasons if not fine[row])
        text = ",".join(str(column[row]) for column in columns.values())
        if bad is None:
            raise DataError(f"{name}:{row + offset}: wrong {reason}: {text}", reason=reason)
        bad.append(BadRow(f"{name}:{row + offset}", reason, text))
    return ordered


def _increasing(key: npt.NDArray[Any], good: Mask, strictly: bool) -> Mask:
    """Return which good rows are beyond all good ones before them."""
    known = np.where(good, key, np.iinfo(np.int64).min)
    before = np.concatenate([[np.iinfo(np.int64).min], np.maximum.accumulate(known)[:-1]])
    return np.asarray(key > before if strictly else key >= before)


def _apart(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return times with those that are equal a nanosecond apart."""
    rows = np.arange(len(times))
    starts = np.insert(np.diff(times) > 0, 0, True)[: len(times)]
    return np.asarray(times + rows - np.maximum.accumulate(np.where(starts, rows, 0)), np.int64)
