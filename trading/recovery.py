"""Start-up, which is recovery: there is one path, and every start takes it.

==========================  =======================  ====================================
in our journal              at the venue             what a start does
==========================  =======================  ====================================
no intent                   nothing: journal first   decides again on the next event
intent                      never arrived            sends it: same id, same order
intent                      waiting                  sends it: the venue knows the id
intent                      filled                   sends it (ignored), takes the fill
intent and fill             filled                   nothing: the order isn't working
==========================  =======================  ====================================

A venue that dies with this process (the paper broker) has its memory in our journal, beside the
trader's own; one that lived on tells again what we may not have heard, stops and targets that it
closed positions at included, and each is known by its id.
"""

from __future__ import annotations

import msgspec

from market.errors import SchemaMismatch
from trading.trader import Trader

__all__ = ["Start", "start"]


class Start(msgspec.Struct, frozen=True):
    """How a start went, as the journal keeps it.

    Parameters
    ----------
    after
        Venue time of the last event the trader has seen; the feed goes on behind it. 0: none.
    restarts
        How often it was started before.
    units
        Position taken up.
    resent
        Ids of the orders sent again.
    cold
        Why the features' memory could not be taken up; empty where it was, or there was none.
    """

    after: int
    restarts: int
    units: float
    resent: tuple[str, ...]
    cold: str = ""


def start(trader: Trader, live: bool = False) -> Start:
    """Bring a new trader to where its journal ends.

    Parameters
    ----------
    trader
        Fresh, with its journal and broker.
    live
        Whether its feed is a venue's, which can't tell the changes of the order book that were
        missed: its columns begin anew then. All other streams are told again from where they were
        left, and so are books in a recording.

    Raises
    ------
    StateError
        The journal's state is damaged or another symbol's.
    """
    journal, symbol = trader.journal, trader.symbol
    state, cold = journal.load(symbol), ""
    if state is not None:
        try:
            trader.restore(state)
        except SchemaMismatch as mismatch:
            # The position is real whatever became of the features.
            trader.restore_account(state)
            cold = str(mismatch)
    if live:
        trader.forget_book()
    orders = [one.order for one in trader.working]
    made = Start(
        after=trader.time,
        restarts=journal.count(symbol, "start"),
        units=trader.account.units,
        resent=tuple(order.id for order in orders),
        cold=cold,
    )
    journal.append(symbol, trader.time, "start", made)
    trader.save()
    for order in orders:
        trader.broker.submit(order)
    return made
