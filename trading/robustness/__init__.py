"""Robustness: what is left of a result when luck, costs, markets and parameters are others.

=====================  =============================================================================
:mod:`.variation`      what may be different when a strategy is run again
:mod:`.montecarlo`     luck: trades drawn again in blocks, trades shuffled, markets resampled
:mod:`.shocks`         costs, slippage and latency worse than assumed, and where the edge dies
:mod:`.scenarios`      crashes, gaps, outages and halts, put into any tape
:mod:`.stress`         what they do to a strategy, and whether its limits held
:mod:`.sensitivity`    results over parameters: a plateau, or a lone peak
:mod:`.overfitting`    what choosing the best of many variants is worth
:mod:`.attribution`    where a profit comes from; the parts add up to it
:mod:`.slippage`       what spread, slippage and impact take, and how much money it bears
:mod:`.whole`          all of it about one run
=====================  =============================================================================
"""
