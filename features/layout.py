"""Where everything lies in the flat memory of one configuration."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from features import book_view, history, kernel, peer, trade_view
from features.catalogue import FAMILIES, Found
from features.config import FeatureConfig
from features.smoothing import decay
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
        ``int64``: the addresses of the three streams' steps in this process; the masks of the
        three histories, where trades, book and peer begin and whether
        there is a peer, where the columns asked for begin, how many columns, families and
        instances there are (:data:`features.kernel.HEAD` numbers); for
        each family its first instance, and one beyond the last; for each instance where state,
        params and columns begin; for each column asked for where it is found, where the events of
        its stream are counted, and how many it needs.
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


@lru_cache(maxsize=32)
def lay(config: FeatureConfig) -> Layout:
    """Lay out the columns of a configuration."""
    found = config.found
    instances = sorted({one.instance for one in found})
    lookback = dict.fromkeys(("prices", "trades", "book"), 1)
    for i, args in instances:
        stream = FAMILIES[i].stream
        lookback[stream] = max(lookback[stream], FAMILIES[i].lookback(args))
    streams = {one.of.stream for one in found} | {"prices"}
    if any(one.of.need == "peer" for one in found):
        streams.add("peer")
    trades = history.size(lookback["prices"])
    book = trades + (trade_view.size(lookback["trades"]) if "trades" in streams else 0)
    other = book + (book_view.size(lookback["book"]) if streams & {"book", "trades"} else 0)
    state = other + (peer.PEER_SIZE if "peer" in streams else 0)

    params = [decay(config.volatility)]
    first = np.searchsorted([i for i, _ in instances], np.arange(len(FAMILIES) + 1)).tolist()
    sizes = [FAMILIES[i].size(args) for i, args in instances]
    out = state + sum(sizes)
    at: list[int] = []
    outs: dict[tuple[int, tuple[int, ...]], int] = {}
    for (i, args), size in zip(instances, sizes, strict=True):
        at += (state, len(params), out)
        outs[i, args] = out
        params += FAMILIES[i].params(args)
        state, out = state + size, out + len(FAMILIES[i].columns)
    counts = {"prices": history.COUNT, "trades": trades, "book": book}
    counts["trades"] += trade_view.COUNT
    counts["book"] += book_view.COUNT
    picks: list[int] = []
    for one in found:
        picks += (outs[one.instance] + one.place, counts[one.of.stream], one.warmup)
    masks = (
        history.capacity(lookback["prices"]) - 1,
        trade_view.capacity(lookback["trades"]) - 1,
        book_view.capacity(lookback["book"]) - 1,
    )
    peered = int("peer" in streams)
    steps = [kernel.address(one) if one in streams else 0 for one in kernel.STREAMS]
    head = [
        *steps,
        *masks,
        trades,
        book,
        other,
        peered,
        out,
        len(found),
        len(FAMILIES),
        len(instances),
    ]
    return Layout(
        names=tuple(one.name for one in found),
        schema=_schema(config, found),
        params=np.array(params),
        plan=np.array(head + first + at + picks, np.int64),
        size=out + len(found) + 1,
        streams=frozenset(streams),
    )


def _schema(config: FeatureConfig, found: tuple[Found, ...]) -> str:
    text = f"{VERSION} {[one.name for one in found]} {config.volatility} {config.peer}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
