"""Backtest: what a strategy would have done on recorded tapes, by two paths that agree.

==============  ===================================================================================
:mod:`.events`  the event path: the traders that run live, event by event
:mod:`.replay`  the same over whole stretches, where nothing is learnt or written on the way
:mod:`.script`  the kernel path: decisions known in advance, in one compiled loop
:mod:`.kernel`  that loop
==============  ===================================================================================
"""

from trading.backtest.events import BacktestResult, Sleeve, run

__all__ = ["BacktestResult", "Sleeve", "run"]
