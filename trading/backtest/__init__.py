"""Backtest: what a strategy would have done on recorded tapes, by two paths that agree.

==============  ===================================================================================
:mod:`.events`  the event path: the traders that run live, event by event
==============  ===================================================================================
"""

from trading.backtest.events import BacktestResult, Sleeve, run

__all__ = ["BacktestResult", "Sleeve", "run"]
