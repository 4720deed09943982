"""The one execution model: what a trade costs and when it is filled, wherever it is traded.

Paper broker, backtest, training and the simulator call what is here; no other place knows a cost.
"""

from market.execution.costs import Costs, Funding, Impact, Margin, preset
from market.execution.fills import equity, fee, fill_price, impact, side_cost, target_units
from market.execution.latency import Latency, delay

__all__ = [
    "Costs",
    "Funding",
    "Impact",
    "Latency",
    "Margin",
    "delay",
    "equity",
    "fee",
    "fill_price",
    "impact",
    "preset",
    "side_cost",
    "target_units",
]
