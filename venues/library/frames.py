"""Recorded frames of Binance's sockets: trades, quotes and book as they came.

Collectors of such data write a line for each frame: the local time in nanoseconds, a space, and
the frame as it came, or the answer to a request for the book.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from market.errors import DataError
from market.events import BookUpdate, FeedGap, Tick, Trade
from market.series import BadRow, Series
from venues.binance.answers import decode_snapshot
from venues.binance.codec import decode_agg_trade, decode_book, decode_frame, decode_quote
from venues.binance.codec import decode_trade as decode_single
from venues.binance.depth import DepthSync
from venues.files import Recording

__all__ = ["read_frames"]

_Told = Tick | Trade | BookUpdate | FeedGap


def read_frames(path: Path) -> Recording:
    """Read a file of frames, packed with gzip, of one symbol.

    An event that carries no time of the venue's (a snapshot of the book, quotes of the spot
    market) has that of the event told before it, or of the first that has one; so has an event
    whose time lies before that of the one before it in its kind. Quotes of one instant are a
    nanosecond apart. The book begins with a snapshot, and goes on with the changes that follow it
    by their numbers (:class:`~venues.binance.depth.DepthSync`). What is no event is kept aside.

    Raises
    ------
    DataError
        The file can't be read, or holds no frame.
    """
    events: dict[str, list[_Told]] = {"trades": [], "ticks": [], "book": []}
    bad: list[BadRow] = []
    symbol, now, began = "", 0, 0
    try:
        with gzip.open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                _, _, text = line.partition(b" ")
                try:
                    name = symbol or decode_frame(text).stream.partition("@")[0].upper()
                    for event in _events(text.strip(), name, now):
                        symbol, now = name, max(now, event.time)
                        began = began or now
                        kind = {Tick: "ticks", Trade: "trades"}.get(type(event), "book")
                        events[kind].append(event)
                except DataError as error:
                    where = f"{path.name}:{number}"
                    bad.append(BadRow(where, str(error), line.decode("utf-8", "replace").strip()))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} can't be read ({error}); fetch it again") from error
    changes = events["book"]
    events["book"] = list(_followed(changes))
    if changes and not events["book"]:
        reason = "changes of an order book that no snapshot of it in the file begins"
        bad.append(BadRow(path.name, reason))
    series = [
        Series.from_events(symbol, _ordered(told, began), 0) for told in events.values() if told
    ]
    if not series:
        raise DataError(f"{path}: holds no frame of Binance's; only such .gz files are read")
    return Recording(tuple(series), tuple(bad), 0, "Binance frames")


def _events(text: bytes, symbol: str, now: int) -> Iterator[_Told]:
    """Yield what a frame tells."""
    if text.startswith(b'{"lastUpdateId"'):
        if not symbol:
            raise DataError("a book before the first frame that names its symbol", reason="symbol")
        yield decode_snapshot(text, symbol, now)
        return
    frame = decode_frame(text)
    _, _, what = frame.stream.partition("@")
    if what == "aggTrade":
        yield decode_agg_trade(frame.data, symbol)
    elif what == "trade":
        trade = decode_single(frame.data, symbol)
        if isinstance(trade, Trade):
            yield trade
    elif what == "bookTicker":
        yield decode_quote(frame.data, symbol, now)[0]
    elif what.startswith("depth"):
        yield decode_book(frame.data, symbol)
    else:
        raise DataError(f"stream must be trade, aggTrade, bookTicker or depth, was {what!r:.40}")


def _followed(told: list[_Told]) -> Iterator[_Told]:
    """Yield each snapshot, then the changes that follow it, told before or after it.

    A snapshot is old when it arrives: changes that were told before it are not all in it. Where a
    change is missing there is a hole until the next snapshot.
    """
    book = [one for one in told if isinstance(one, BookUpdate)]
    usdm = any(one.previous >= 0 for one in book)
    sync = DepthSync("usdm" if usdm else "spot", keep=max(len(book), 1))
    gaps, last = 0, 0
    for one in book:
        for update in sync.update(one):
            if sync.gaps > gaps:
                yield FeedGap(update.symbol, max(update.time, last), last)
            gaps, last = sync.gaps, max(update.time, last)
            yield update


def _ordered(events: list[_Told], began: int) -> Iterator[_Told]:
    """Yield events with times from ``began`` on that don't decrease, and of quotes increase."""
    last = began - 1
    for event in events:
        least = last + 1 if isinstance(event, Tick) else last
        if event.time < least:
            event = msgspec.structs.replace(event, time=least)
        last = event.time
        yield event
