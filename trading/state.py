"""What a trader remembers: the part that survives a crash, and the part that is shown."""

from __future__ import annotations

from math import nan

import msgspec

from market.account import Account
from market.errors import StateError
from market.orders import Order
from risk.lease import Lease
from trading.learning import Learnt

__all__ = ["FORMAT", "Counters", "Held", "TraderState", "TraderStatus", "Working", "decode"]

FORMAT = 3
"""Version of :class:`TraderState`; raised whenever its meaning changes."""


class Working(msgspec.Struct, frozen=True):
    """An order on its way: intended, sent or not, and not yet wholly filled.

    Parameters
    ----------
    order
        The order.
    filled
        Signed units filled so far.
    """

    order: Order
    filled: float = 0.0

    @property
    def open(self) -> float:
        """Signed units still to come."""
        return self.order.units - self.filled


class Held(msgspec.Struct, frozen=True):
    """What a position has beside units and money, and what is remembered of orders and fills.

    Parameters
    ----------
    decisions
        Made since the position was opened.
    stop, target
        Prices at which the venue closes it; 0: none.
    hour, opened
        Hour of the clock (since 1970, UTC) in which a position was opened last, and how many were
        in that hour.
    told
        Ids of the last executions, by which one told again is known.
    """

    decisions: int = 0
    stop: float = 0.0
    target: float = 0.0
    hour: int = -1
    opened: int = 0
    told: tuple[str, ...] = ()


class Counters(msgspec.Struct):
    """What has happened since the very first start; ``duplicates`` are fills told twice."""

    events: int = 0
    decisions: int = 0
    orders: int = 0
    fills: int = 0
    gaps: int = 0
    duplicates: int = 0


class TraderState(msgspec.Struct, frozen=True):
    """Everything a trader needs to go on as if nothing had happened.

    Parameters
    ----------
    format, symbol
        :data:`FORMAT`, and whose state it is.
    time, price
        Last event taken.
    observation, model, policy
        Schema of the observation and versions it was made with.
    account, working, lease
        Money and position, orders under way, lease held.
    count
        Events since the last gap.
    held
        See :class:`Held`.
    rows, shape, window
        Warm decision rows since the last gap, and the last of them, ``float32[L, F]``.
    features
        Snapshot of the feature engine.
    counters
        What has happened so far.
    seen
        See :class:`~trading.seen.Seen`.
    learning
        Snapshot of :class:`~trading.learning.Learning`; empty where nothing is learnt.
    broker
        What the venue would forget with this process; empty where that is nothing.
    memory
        What the policy remembers; empty where that is nothing.
    """

    format: int
    symbol: str
    time: int
    price: float
    observation: str
    model: str
    policy: str
    account: Account
    working: tuple[Working, ...]
    lease: Lease | None
    count: int
    held: Held
    rows: int
    shape: tuple[int, ...]
    window: bytes
    features: bytes
    counters: Counters
    seen: dict[str, tuple[int, int]] = {}
    learning: bytes = b""
    broker: bytes = b""
    memory: bytes = b""


class TraderStatus(msgspec.Struct, frozen=True):
    """A trader's figures, for whoever shows them.

    Money is in account currency, ``exposure`` a fraction of the largest position, ``pnl`` after
    all costs; ``stop`` and ``target`` are prices, 0 where there is none; ``nan`` and ``None`` where
    there is nothing yet.
    """

    symbol: str
    time: int
    price: float
    equity: float
    pnl: float
    fees: float
    trades: int
    units: float
    entry_price: float
    exposure: float
    lease: Lease | None
    lease_used: float
    model: str
    policy: str
    policy_version: str
    counters: Counters
    probabilities: tuple[float, float, float] | None = None
    disagreement: float = nan
    volatility: float = nan
    window: tuple[tuple[float, ...], ...] | None = None
    learnt: Learnt | None = None
    stop: float = 0.0
    target: float = 0.0
    funding: float = 0.0


def decode(blob: bytes, symbol: str) -> TraderState:
    """Read a state.

    Raises
    ------
    StateError
        It is damaged, of another format, or another symbol's.
    """
    try:
        state = msgspec.msgpack.decode(blob, type=TraderState)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"{symbol}: state can't be read ({error}); restore the journal") from error
    if state.format != FORMAT:
        raise StateError(
            f"{symbol}: state has format {state.format}, this is for {FORMAT}; close the position "
            "with the version that wrote it, then move the journal away"
        )
    if state.symbol != symbol:
        raise StateError(f"state of {state.symbol} given to the trader of {symbol}")
    return state
