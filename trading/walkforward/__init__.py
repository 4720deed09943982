"""Walk-forward: fitted on the past, traded on what followed, step by step, and judged as a whole.

==================  ===============================================================================
:mod:`.steps`       where training ends and testing begins
:mod:`.variants`    each member alone, all alike, and the ensemble as configured
:mod:`.trading`     a step's test, traded by the trader that runs live
:mod:`.columns`     whether columns know the future, or have moved
:mod:`.judging`     all steps together: figures with intervals, and the gate's verdict
:mod:`.tables`      the outcome for a terminal
:mod:`.page`        the outcome as a page
==================  ===============================================================================
"""

from trading.walkforward.columns import Columns, columns_of
from trading.walkforward.judging import Judged, Outcome, joined, judged
from trading.walkforward.steps import Step, in_thirds, steps_of
from trading.walkforward.trading import Market, Run, traded
from trading.walkforward.variants import VOTE, Variant, variants

__all__ = [
    "VOTE",
    "Columns",
    "Judged",
    "Market",
    "Outcome",
    "Run",
    "Step",
    "Variant",
    "columns_of",
    "in_thirds",
    "joined",
    "judged",
    "steps_of",
    "traded",
    "variants",
]
