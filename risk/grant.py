"""What symbol and supervisor tell each other, and what a lease allows."""

from __future__ import annotations

import msgspec

from risk.breakers import Condition

__all__ = ["Lease", "Report", "allowed"]


class Lease(msgspec.Struct, frozen=True):
    """Permission to hold up to ``notional``, until ``expires``.

    Parameters
    ----------
    symbol
        Whose it is.
    sequence
        Time of the report it answers; a symbol takes only a higher one than it has.
    notional
        Largest |notional| an increase may lead to, account currency.
    expires
        Venue time from which it no longer counts, nanoseconds.
    state
        ``RUNNING``; ``REDUCE_ONLY``: no increase; ``HALTED``: close everything.
    reasons
        Why it isn't ``RUNNING``.
    """

    symbol: str
    sequence: int
    notional: float
    expires: int
    state: Condition = Condition.RUNNING
    reasons: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """What a symbol holds, and its request for the next lease.

    Parameters
    ----------
    symbol
        Who reports.
    time
        Venue time by the symbol's clock: every increase it ordered before is in ``notional``.
    equity
        Worth of the sleeve, account currency.
    notional
        Largest |notional| that position and open orders can come to, at ``price``.
    price
        Price of the mark.
    """

    symbol: str
    time: int
    equity: float
    notional: float
    price: float


def allowed(target: float, current: float, lease: Lease | None, now: int) -> float:
    """Return the part of a target notional that may be ordered.

    Parameters
    ----------
    target, current
        Signed notional wanted and held.
    lease
        The latest lease, or ``None``.
    now
        Venue time.

    Returns
    -------
    float
        ``target`` clipped: |exposure| grows only under an unexpired ``RUNNING`` lease and only up
        to its notional; reducing is always allowed; ``HALTED`` closes, even when it has expired,
        for it was the supervisor's last word. A position that drifted above the lease may be
        kept: it is not the lease's business to trade.

    Examples
    --------
    >>> lease = Lease("R_75", 1, notional=100.0, expires=10)
    >>> allowed(250.0, 0.0, lease, now=9), allowed(250.0, 0.0, lease, now=10)
    (100.0, 0.0)
    >>> allowed(-250.0, 80.0, None, now=9), allowed(30.0, 80.0, None, now=9)
    (0.0, 30.0)
    """
    if lease is not None and lease.state is Condition.HALTED:
        return 0.0
    room = 0.0
    if lease is not None and lease.state is Condition.RUNNING and now < lease.expires:
        room = lease.notional
    high = max(room, current)
    low = min(-room, current)
    return min(max(target, low), high)
