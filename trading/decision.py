"""One decision, whole: what was seen, what was wanted, what was allowed, what was ordered."""

from __future__ import annotations

import msgspec

__all__ = ["Decision"]


class Decision(msgspec.Struct, frozen=True):
    """What the trader decided on one event, as the journal keeps it.

    Parameters
    ----------
    symbol, time, price
        The event it was decided on: instrument, venue time (nanoseconds), close.
    probabilities
        Of down, flat, up; ``None`` where risk closed the position without a forecast.
    disagreement
        Of the ensemble's members.
    volatility
        Standard deviation of log returns per event.
    observation
        What the policy saw, ``float32[spec.size]`` as a tuple.
    action
        The policy's answer, a row of its table; -1 where risk answered in its place.
    wanted
        Exposure the policy wanted, a fraction of the largest position.
    target
        Units that makes.
    allowed
        Units the lease allows.
    units
        Units held when it was decided.
    equity
        Worth of the sleeve at ``price``.
    order
        Id of the order sent; empty where none was needed, or one is still under way.
    lease
        Sequence of the lease it was judged by; -1 without one.
    model, policy
        Versions.
    loss, profit
        Distances of the bracket that the order comes with, fractions of the price; 0: none.
    regime
        That the forecast was made in; -1: none is told apart.
    """

    symbol: str
    time: int
    price: float
    probabilities: tuple[float, float, float] | None
    disagreement: float
    volatility: float
    observation: tuple[float, ...]
    action: int
    wanted: float
    target: float
    allowed: float
    units: float
    equity: float
    order: str
    lease: int
    model: str
    policy: str
    loss: float = 0.0
    profit: float = 0.0
    regime: int = -1
