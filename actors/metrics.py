"""Prometheus metrics of one symbol actor, each of the kind and meaning the one list gives it."""

from __future__ import annotations

from math import isfinite

from ray.util import metrics

from actors.snapshot import SymbolState
from dashboards.metrics import METRICS
from risk.breakers import Condition
from trading.learning import Learnt
from trading.state import TraderStatus
from venues.base import FeedStats

__all__ = ["SymbolMetrics"]


class SymbolMetrics:
    """The metrics of one symbol; exported by Ray on the node's metrics port.

    Parameters
    ----------
    symbol
        The tag every series carries.
    """

    def __init__(self, symbol: str) -> None:
        self._counters: dict[str, metrics.Counter] = {}
        self._gauges: dict[str, metrics.Gauge] = {}
        self._told: dict[str, int] = {}
        for one in METRICS:
            text = f"{one.meaning} Unit: {one.unit}."
            if one.kind == "counter":
                self._counters[one.name] = metrics.Counter(one.name, text, one.tags)
                self._counters[one.name].set_default_tags({"symbol": symbol})
            elif one.kind == "gauge":
                self._gauges[one.name] = metrics.Gauge(one.name, text, one.tags)
                self._gauges[one.name].set_default_tags({"symbol": symbol})
            else:
                self._decision = metrics.Histogram(one.name, text, list(one.bounds), one.tags)
                self._decision.set_default_tags({"symbol": symbol})

    def decided(self, seconds: float) -> None:
        """Record the latency of one decision."""
        self._decision.observe(seconds)

    def publish(self, state: SymbolState, status: TraderStatus, stats: FeedStats) -> None:
        """Export a published state. Called more often than the 20 s after which a gauge lapses."""
        for name, total in (
            ("pregao_events_total", status.counters.events),
            ("pregao_decisions_total", status.counters.decisions),
            ("pregao_orders_total", status.counters.orders),
            ("pregao_fills_total", status.counters.fills),
            ("pregao_gaps_total", status.counters.gaps),
            ("pregao_reconnects_total", stats.reconnects),
        ):
            # Totals taken up from the journal were exported by the process before this one.
            self._grow(name, total, total)
        for reason, total in stats.reasons.items():
            self._grow("pregao_bad_frames_total", total, 0, reason)
        if status.learnt is not None:
            self._learnt(status.learnt)
        levels = {
            "pregao_price": state.price,
            "pregao_exposure": state.exposure,
            "pregao_equity": state.equity,
            "pregao_pnl": state.pnl,
            "pregao_lease_notional": state.lease_notional,
            "pregao_lease_used": state.lease_share,
            "pregao_feed_age_seconds": stats.age,
        }
        if status.lease is not None:
            levels["pregao_breaker_state"] = float(Condition(status.lease.state).severity)
        for name, level in levels.items():
            self._gauges[name].set(level)

    def _learnt(self, learnt: Learnt) -> None:
        """Export what a model that learns has found."""
        self._grow("pregao_settled_total", learnt.settled, learnt.settled)
        for reason, total in (
            ("rise", learnt.rises),
            ("fall", learnt.falls),
            ("columns", learnt.columns),
        ):
            self._grow("pregao_drift_alarms_total", total, total, reason)
        self._gauges["pregao_drift_columns"].set(len(learnt.drifted))
        if isfinite(learnt.loss):
            self._gauges["pregao_drift_loss"].set(learnt.loss)

    def _grow(self, name: str, total: int, began: int, reason: str = "") -> None:
        """Export how far a total has grown since it was told last, at first since ``began``."""
        key = f"{name} {reason}"
        grown = total - self._told.setdefault(key, began)
        if grown > 0:
            self._counters[name].inc(grown, {"reason": reason} if reason else {})
            self._told[key] = total
