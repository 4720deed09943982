"""Readers of Binance's recordings: depth frames, and the files of its archive."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba.core import config

from market.book import Book
from market.errors import DataError
from tests.decoder import Decoder
from venues.binance.archive_table import read_archive
from venues.binance.frames import DepthFrames, rebuild

_KLINES, _AGG, _TRADES, _QUOTES = (
    f"BTCUSDT-{what}-2024-08-09" for what in ("1m", "aggTrades", "trades", "bookTicker")
)


def _depth(data: bytes) -> object:
    """Read frames; each level lies in one frame, and is one that a book takes."""
    told = DepthFrames.read(data, "0.01")
    ends = told.frames[:, -1]
    assert (np.diff(ends, prepend=0) >= 0).all()
    assert (ends[-1] if len(ends) else 0) == len(told.sides) == len(told.ticks) == len(told.sizes)
    assert (told.ticks > 0).all()
    assert ((told.sizes >= 0.0) & np.isfinite(told.sizes)).all()
    assert np.isin(told.sides, (1, -1)).all()
    if told.refused:
        raise DataError(f"refused: {told.refused}")
    if config.DISABLE_JIT:  # as under atheris: the book counts bits as only compiled code can
        return told
    return rebuild(told, Book("BTCUSDT", "0.01"), "spot")


def _file(name: str) -> Callable[[bytes], object]:
    """Read bytes as a file of the archive: what there is of good rows, then all of it."""

    def read(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            read_archive(path, [])
            return read_archive(path)

    return read


def _zipped(stem: str, text: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{stem}.csv"), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _kline(n: int, unit: int = 1) -> bytes:
    opened = (1_723_161_240_000 + 60_000 * n) * unit
    last = opened + 60_000 * unit - 1
    return b"%d,10.5,11,10,10.7,5,%d,50,3,2,20,0\n" % (opened, last)


def _agg(n: int) -> bytes:
    return b"%d,10.5,1,%d,%d,%d,True,True\n" % (n, n, n, 1_723_161_240_000_000 + n)


def _quote(n: int) -> bytes:
    return b"%d,10.5,1,10.6,2,%d,%d\n" % (n, 1_723_161_240_000 + n, 1_723_161_240_001 + n)


_SNAPSHOT = b'1723161255000000000 {"lastUpdateId":5,"bids":[["9.90","2"]],"asks":[["9.95","1"]]}\n'
_CHANGE = (
    b'1723161255100000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate",'
    b'"E":1723161255208,"s":"BTCUSDT","U":5,"u":7,"b":[["9.91","0.5"],["9.90","0"]],"a":[]}}\n'
)
_HEADER = (
    b"open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    b"taker_buy_quote_volume,ignore\n"
)

ARCHIVES = (
    Decoder("binance depth recording", _depth, (_SNAPSHOT + _CHANGE,)),
    Decoder(
        "binance archive, zipped",
        _file(f"{_KLINES}.zip"),
        (_zipped(_KLINES, b"".join(map(_kline, range(9)))),),
    ),
    Decoder(
        "binance archive, klines",
        _file(f"{_KLINES}.csv"),
        (_HEADER + _kline(0) + _kline(1) + _kline(4), _kline(0, 1000) + _kline(1, 1000)),
    ),
    Decoder("binance archive, aggregates", _file(f"{_AGG}.csv"), (_agg(1) + _agg(2) + _agg(5),)),
    Decoder(
        "binance archive, trades",
        _file(f"{_TRADES}.csv"),
        (
            b"7,10.5,1,10.5,1723161240000,true\n8,10.6,2,21.2,1723161240000,false\n",
            b"7,10.5,1,10.5,1723161240000000,True,True\n",
        ),
    ),
    Decoder("binance archive, quotes", _file(f"{_QUOTES}.csv"), (_quote(1) + _quote(2),)),
)
