"""What the floor publishes: one frozen snapshot, read by the terminal, Serve and the page."""

from __future__ import annotations

from math import nan

import msgspec

__all__ = ["FloorState", "RiskState", "SymbolState"]


class SymbolState(msgspec.Struct, frozen=True):
    r"""One symbol actor, as it reported last.

    Money is in account currency, ``exposure`` a fraction of the largest position, ``pnl`` after
    all costs, ``lease_used`` the \|notional\| held, latencies from the loop's taking
    up an event to its journalled decision, ``feed_age`` real seconds since the venue was heard of.

    Where its model learns: ``settled`` outcomes, ``drift_alarms`` since it began and what the last
    one said (``drift``), ``drift_columns`` that look otherwise than in training now, and
    ``drift_loss``, the mean log loss of the ensemble by itself since that last changed, nats.
    """

    symbol: str
    policy: str
    price: float = nan
    time: int = 0
    probabilities: tuple[float, float, float] | None = None
    disagreement: float = nan
    volatility: float = nan
    exposure: float = 0.0
    units: float = 0.0
    entry_price: float = 0.0
    equity: float = 0.0
    pnl: float = 0.0
    fees: float = 0.0
    trades: int = 0
    lease_notional: float = 0.0
    lease_used: float = 0.0
    lease_state: str = "NONE"
    latency_p50_ms: float = nan
    latency_p99_ms: float = nan
    events: int = 0
    decisions: int = 0
    orders: int = 0
    reconnects: int = 0
    gaps: int = 0
    feed_age: float = 0.0
    restarts: int = 0
    pid: int = 0
    memory_mb: float = nan
    model_version: str = ""
    policy_version: str = ""
    verdict: str = "not judged"
    verdict_reasons: tuple[str, ...] = ()
    window: tuple[tuple[float, ...], ...] | None = None
    settled: int = 0
    drift_alarms: int = 0
    drift_columns: int = 0
    drift_loss: float = nan
    drift: str = ""

    @property
    def lease_share(self) -> float:
        """Part of the lease in use; 0 without one."""
        return self.lease_used / self.lease_notional if self.lease_notional > 0.0 else 0.0


class RiskState(msgspec.Struct, frozen=True):
    """The supervisor's books: what may be held, what is promised, what is held."""

    limit_notional: float = 0.0
    granted_notional: float = 0.0
    used_notional: float = 0.0
    state: str = "RUNNING"
    reasons: tuple[str, ...] = ()


class FloorState(msgspec.Struct, frozen=True):
    """The whole floor at one moment.

    Parameters
    ----------
    time
        Latest venue time any symbol reported, nanoseconds.
    uptime
        Seconds since the supervisor started.
    mode
        ``paper`` or ``replay``.
    symbols
        One entry a symbol actor, in the config's order.
    risk
        The supervisor's books.
    equity, pnl
        Sums over the symbols, account currency.
    """

    time: int
    uptime: float
    mode: str
    symbols: tuple[SymbolState, ...]
    risk: RiskState
    equity: float
    pnl: float
