"""The promotion gate: evidence before money.

A strategy is promoted only if **every** check holds on a hold-out that it never touched.

============  ===================================================================================
profit        net of costs it earned more than luck would, judged on means of blocks
timing        the same exposures, moved to other times, would have earned less
deflated      it still stands when everything else that was tried is counted
skill         the ensemble behind it predicts better than class frequencies do
calibration   its probabilities are no further from what happened than the limit
champion      it isn't worse than who would have to go for it, decision by decision
drawdown      it lost at most so much from a peak on the way
trades,       there was enough of everything to tell
jumps,
blocks
surprise,     it isn't too good to be true: a result beyond what anybody earns, one that is gone a
decay, fills  decision later, or fills better than the market was, is a bug until proven otherwise
============  ===================================================================================

What each can and can't do
--------------------------
*Profit* has the size it is set to (1 %) where returns can't be foreseen: however long positions
stand, such returns are uncorrelated, so block means are fair samples. Few blocks are made up for by
Student's quantile. It is too easily passed by drift collected between rare jumps (6.6 % with 20
jumps in the hold-out, 1.7 % with 500): hence *timing*, where a position that stands still has
p = 1, and *jumps*. *Timing* in turn is too easily passed where exposures grow with volatility,
which blocks' spread accounts for. Where positions and drift both last longer than a block, block
means hang together and *profit* is too easily passed; *blocks* sees that.

*Skill* is needed and never enough: how far a price will move can be foreseen where nobody can
foresee whither. *Calibration* asks that the error be shown to be small, not merely failed to be
shown large: its bound is an upper one, so little data doesn't help.

A promotion takes all of them, so no joint size exceeds that of *profit*: at most one worthless
strategy in a hundred, in practice one in some hundreds (``python -m benchmarks.gate`` counts).
*Deflated* keeps this for the best of many: with N trials on one hold-out it asks for a Sharpe ratio
above what the best of N worthless ones shows, whatever they were. Power against a true edge is that
of *profit*, ``Φ(t_true - 2.326)``, less what the others cost: a strategy that would show t = 6 at
its best and is found with an efficiency of .66 is let through 19 times in 20.

What fails decides the verdict: a bug first ("suspicious"), then luck ("no edge"), then too little
to tell ("inconclusive"). None of these is a promotion. A check whose evidence isn't there (no
champion, no probabilities) is left out, and the verdict doesn't claim it.
"""

from validation.gate.config import GateConfig
from validation.gate.judge import judge

__all__ = ["GateConfig", "judge"]
