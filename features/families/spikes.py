"""Spikes of the Crash and Boom indices: how long ago, how likely, which way, and the drift between.

On these indices a spike comes with the same probability at every tick, whatever came before (the
venue says so, and 190 thousand real ticks agree): the age of the last one tells nothing, and the
hazard is the estimate of a constant. A model that finds more in them has found noise, or a leak.
A spike is a jump as :mod:`features.families.jumps` has it.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.families.jumps import DETECTOR, WARMUP, jump
from features.history import CHANGE, COUNT
from features.scale import ratio
from features.smoothing import EWMA, decay, ewma

__all__ = ["FAMILIES"]

_PRIOR_SPIKES, _PRIOR_EVENTS = 1.0, 500.0
"""What the hazard counts as seen before the first event."""

_AGE, _SPIKES, _EVENTS, _NET = range(DETECTOR, DETECTOR + 4)


@compiled
def _spikes(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; the first has no return and is none of the events counted."""
    if h[COUNT] < 2.0:
        state[_AGE] = param[0]
        return
    size = jump(state, h[CHANGE])
    spike = 1.0 if size > 0.0 else (-1.0 if size < 0.0 else 0.0)
    state[_AGE] = 0.0 if spike != 0.0 else min(state[_AGE] + 1.0, param[0])
    state[_SPIKES] = state[_SPIKES] * param[1] + abs(spike)
    state[_EVENTS] = state[_EVENTS] * param[1] + 1.0
    state[_NET] = state[_NET] * param[1] + spike
    out[0] = math.log1p(state[_AGE])
    out[1] = (state[_SPIKES] + _PRIOR_SPIKES) / (state[_EVENTS] + _PRIOR_EVENTS)
    out[2] = min(max(ratio(state[_NET], state[_SPIKES]), -1.0), 1.0)


@compiled
def _drift(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; a spike leaves the means as they are."""
    if h[COUNT] < 2.0:
        return
    change = h[CHANGE]
    if jump(state, change) == 0.0:
        ewma(state, DETECTOR, param[0], change)
        ewma(state, DETECTOR + EWMA, param[0], abs(change))
    # both have the same weights, which cancel
    out[0] = min(max(ratio(state[DETECTOR], state[DETECTOR + EWMA]), -1.0), 1.0)


FAMILIES = (
    Family(
        step=_spikes,
        columns=(
            Column(
                "ticks_since_spike_{n}",
                "log(1 + events since the last spike), the events capped at n, which also stands "
                "for none yet; a spike is a jump as in jump_age",
                unit="log events",
                low=0.0,
            ),
            Column(
                "spike_hazard_{n}",
                "(S + 1) / (E + 500): probability that an event is a spike; S spikes and E events, "
                "each weighted 2 ** (-age / n). Memoryless on Crash and Boom: 1 / N there",
                unit="1/event",
                low=0.0,
                high=1.0,
            ),
            Column(
                "spike_direction_{n}",
                "(spikes up - spikes down) / spikes, each weighted 2 ** (-age / n): 1 on Boom, -1 "
                "on Crash; 0 before the first",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="posterior mean of a Poisson rate with gamma prior (1 spike in 500 events)",
        fields=("n",),
        defaults=((2048,),),
        params=lambda args: (float(args[0]), 1.0 - decay(args[0])),
        size=lambda args: DETECTOR + 4,
        warmup=lambda args: WARMUP,
        least=(2,),
    ),
    Family(
        step=_drift,
        columns=(
            Column(
                "drift_between_spikes_{h}",
                "EW mean of log returns / EW mean of their absolute values, half-life h, over the "
                "events that are no spikes: -1 on Boom, 1 on Crash; 0 if none moved",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="efficiency ratio (Kaufman 1995), exponentially weighted, spikes left out",
        fields=("h",),
        defaults=((32,),),
        params=lambda args: (decay(args[0]),),
        size=lambda args: DETECTOR + 2 * EWMA,
        warmup=lambda args: WARMUP,
    ),
)
