"""Where everything lies in the flat memory of one configuration."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from features import book_view, history, kernel, peer, trade_view
from features.catalogue import FAMILIES, Found
from features.config import FeatureConfig
from features.ring import capacity
from features.smoothing import decay
from market.events import SECOND
from market.ladder import empty

__all__ = ["VERSION", "Layout", "State", "lay"]

VERSION = 2
"""Goes up when a column's meaning changes: what was trained on the old one is then refused."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """One configuration's arrays.

    The memory is one array of floats: the history of prices; that of trades; the view of the book;
    the peer's prices; the instances' states; the instances' columns; the columns asked for; and
    whether all of those are known.

    Parameters
    ----------
    names
        The columns asked for.
    schema
        Sixteen hex digits that stand for columns and configuration.
    params
        Weight of the newest event in *the* volatility, then the numbers of all instances.
    plan
        ``int64``: the first instance of each stream, and one beyond the last; the masks of the
        three histories; where trades, book and peer begin, and whether there is a peer; where the
        columns asked for begin, and how many they are; after how many nanoseconds a stream is out
        of date; for each stream where its events are counted, and how many until all its columns
        are warm (:data:`features.kernel.HEAD` numbers).
        For each instance the address of its step in this process, and where state, params and
        columns begin. For each column asked for where it is found, where the events of its stream
        are counted, and how many it needs.
    size
        Floats of memory.
    streams
        Which streams the columns need: ``prices``, ``trades``, ``book``; and ``peer``.
    """

    names: tuple[str, ...]
    schema: str
    params: Floats
    plan: Ints
    size: int
    streams: frozenset[str]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a layout holds addresses of this process: ship the configuration")

    @property
    def picks(self) -> Ints:
        """Where in the memory the columns asked for are, as their families wrote them."""
        return self.plan[len(self.plan) - 3 * len(self.names) :: 3]


@dataclass
class State:
    """Where a batch left off, so that a recording may be taken in parts.

    Parameters
    ----------
    memory
        The engine's memory.
    tree, sizes
        The order book (:mod:`market.ladder`).
    booked
        ``bool[1]``: whether there was a snapshot of the book since the start or the last hole.
    """

    memory: Floats
    tree: Ints = field(default_factory=lambda: empty()[0])
    sizes: Floats = field(default_factory=lambda: empty()[1])
    booked: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1, np.bool_))

    @classmethod
    def of(cls, config: FeatureConfig) -> State:
        """Return the state before the first event."""
        return cls(np.zeros(lay(config).size))


_BEFORE = [kernel.STREAMS[:i] for i in range(len(kernel.STREAMS) + 1)]


@lru_cache(maxsize=32)
def lay(config: FeatureConfig) -> Layout:
    """Lay out the columns of a configuration."""
    found = config.found
    instances = sorted(
        {one.instance for one in found},
        key=lambda one: (kernel.STREAMS.index(FAMILIES[one[0]].stream), one),
    )
    lookback = dict.fromkeys(("prices", "trades", "book"), 1)
    for i, args in instances:
        stream = FAMILIES[i].stream
        lookback[stream] = max(lookback[stream], FAMILIES[i].lookback(args))
    streams = config.streams
    trades = history.size(lookback["prices"])
    book = trades + (trade_view.size(lookback["trades"]) if "trades" in streams else 0)
    other = book + (book_view.size(lookback["book"]) if streams & {"book", "trades"} else 0)
    state = other + (peer.PEER_SIZE if "peer" in streams else 0)

    params = [decay(config.volatility)]
    sizes = [FAMILIES[i].size(args) for i, args in instances]
    out = state + sum(sizes)
    at: list[int] = []
    outs: dict[tuple[int, tuple[int, ...]], int] = {}
    for (i, args), size in zip(instances, sizes, strict=True):
        at += (kernel.address(i), state, len(params), out)
        outs[i, args] = out
        params += FAMILIES[i].params(args)
        state, out = state + size, out + len(FAMILIES[i].columns)
    counts = {"prices": history.COUNT, "trades": trades, "book": book}
    counts["trades"] += trade_view.COUNT
    counts["book"] += book_view.COUNT
    picks: list[int] = []
    for one in found:
        picks += (outs[one.instance] + one.place, counts[one.of.stream], one.warmup)
    head: list[int] = [
        sum(FAMILIES[i].stream in before for i, _ in instances) for before in _BEFORE
    ]
    head += (capacity(far) - 1 for far in lookback.values())
    head += (
        trades,
        book,
        other,
        int("peer" in streams),
        out,
        len(found),
        round(config.stale * SECOND),
    )
    for stream in kernel.STREAMS:
        warmups = [one.warmup for one in found if one.of.stream == stream]
        head += (counts[stream], max(warmups)) if warmups else (history.COUNT, 0)
    return Layout(
        names=tuple(one.name for one in found),
        schema=_schema(config, found),
        params=np.array(params),
        plan=np.array(head + at + picks, np.int64),
        size=out + len(found) + 1,
        streams=streams,
    )


def _schema(config: FeatureConfig, found: tuple[Found, ...]) -> str:
    text = f"{VERSION} {[one.name for one in found]} {config.volatility} {config.peer}"
    if config.streams & {"trades", "book"}:
        text += f" {config.stale}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
