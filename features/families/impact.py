"""What trading costs in price: impact, illiquidity, the spread that returns betray, and toxic flow.

Where it is not known who bought, Kyle's and VPIN's volumes are signed as their authors' followers
do: by the direction of the price (tick rule), and by the normal share of the move (bulk
classification). An event of unknown volume says nothing, and counts as none in windows after it.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, ahead, compiled
from features.families.ticks import direction
from features.history import BUY, CHANGE, CLOSE, COUNT, VOLATILITY, VOLUME, back
from features.scale import LIMIT, ratio
from features.windows import total, total_size

__all__ = ["FAMILIES"]

_NOTHING = 1e-200
"""Money below which nothing was traded: a return over less could be infinite."""


@compiled
def move_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event: the size of moves, and how they take each other back."""
    count = int(h[COUNT])
    if count < 2:
        return
    n = int(param[0])
    here, before = h[CHANGE], back(h, CHANGE, 1)
    each = 2 + n
    size = total(state, n, abs(here))
    mean = total(ahead(state, each), n, here) / n
    lagged = total(ahead(state, 2 * each), n, before) / n
    product = total(ahead(state, 3 * each), n, here * before) / n
    out[0] = size / n
    out[1] = 2.0 * math.sqrt(max(mean * lagged - product, 0.0))


@compiled
def volume_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event: its move against its volume."""
    count = int(h[COUNT])
    if count < 2:
        return
    n = int(param[0])
    change, volatility = h[CHANGE], h[VOLATILITY]
    known = not math.isnan(h[VOLUME])
    volume = h[VOLUME] if known else 0.0
    if math.isnan(h[BUY]):
        signed = volume * direction(change)
        unequal = volume * abs(math.erf(ratio(change, volatility) * math.sqrt(0.5)))
    else:
        signed = 2.0 * h[BUY] - volume if known else 0.0
        unequal = abs(signed)
    money = volume * h[CLOSE]
    if money < _NOTHING:
        money = 0.0
    each = 2 + n
    product = total(state, n, change * signed)
    square = total(ahead(state, each), n, signed * signed)
    volumes = total(ahead(state, 2 * each), n, volume)
    toxic = total(ahead(state, 3 * each), n, unequal)
    spent = total(ahead(state, 4 * each), n, money)
    traded = total(ahead(state, 5 * each), n, 1.0 if money > 0.0 else 0.0)
    costs = total(ahead(state, 6 * each), n, abs(change) / money if money > 0.0 else 0.0)
    if not known:
        out[0] = out[1] = out[2] = out[3] = math.nan
        return
    cost = costs / max(traded, 1.0)
    out[0] = ratio(product * volumes, square * n)
    out[1] = cost
    out[2] = ratio(cost * spent, max(traded, 1.0) * volatility)
    out[3] = min(ratio(toxic, volumes), 1.0)


@compiled
def sides_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event: what was bought of it, and what sold."""
    n = int(param[0])
    known = not (math.isnan(h[BUY]) or math.isnan(h[VOLUME]))
    net = total(state, n, 2.0 * h[BUY] - h[VOLUME] if known else 0.0)
    volumes = total(ahead(state, 2 + n), n, h[VOLUME] if known else 0.0)
    out[0] = min(max(ratio(net, volumes), -1.0), 1.0) if known else math.nan


FAMILIES = (
    Family(
        step=move_step,
        columns=(
            Column("price_impact_{n}", "mean |r| over the last n events", "log return", low=0.0),
            Column(
                "roll_spread_{n}",
                "2 sqrt(max(0, -cov(r, r one event before))) over the last n events, cov over n",
                "log return",
                low=0.0,
            ),
        ),
        source="Roll (1984), https://doi.org/10.1111/j.1540-6261.1984.tb03897.x",
        fields=("n",),
        defaults=((100,),),
        params=lambda args: (float(args[0]),),
        size=lambda args: 4 * total_size(args[0]),
        lookback=lambda args: 1,
        warmup=lambda args: args[0] + 2,
        least=(2,),
    ),
    Family(
        step=volume_step,
        columns=(
            Column(
                "kyle_lambda_{n}",
                "mean volume × Σ r s / Σ s² over the last n events: the return that a typical "
                "event's volume makes; s = 2 bought - volume, sign(r) volume where unknown; within "
                "±16; 0 where Σ s² is 0",
                "log return",
                low=-LIMIT,
                high=LIMIT,
            ),
            Column(
                "amihud_{n}",
                "mean |r| / (close volume) over those of the last n events that traded; 0 if none",
                "log return per money",
                low=0.0,
                scale_free=False,
            ),
            Column(
                "amihud_relative_{n}",
                "amihud_n × mean (close volume) of the same events / volatility, at most 16: moves "
                "of their typical money; 0 while no price has moved",
                "volatilities",
                low=0.0,
                high=LIMIT,
            ),
            Column(
                "vpin_{n}",
                "Σ |bought - sold| / Σ volume over the last n events; where unknown, bought - sold "
                "is volume × (2 Φ(r / volatility) - 1); 0 without volume. Over bars of equal "
                "volume it is the authors' VPIN of n buckets",
                low=0.0,
                high=1.0,
            ),
        ),
        source="Kyle (1985) and Amihud (2002) as in López de Prado (2018), ch. 19.4; Easley, López "
        "de Prado & O'Hara (2012), https://doi.org/10.1093/rfs/hhs053",
        fields=("n",),
        defaults=((64,),),
        need="volume",
        params=lambda args: (float(args[0]),),
        size=lambda args: 7 * total_size(args[0]),
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=sides_step,
        columns=(
            Column(
                "flow_imbalance_{n}",
                "(bought - sold) / volume over those of the last n events whose sides are known; "
                "0 without volume",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Chordia, Roll & Subrahmanyam (2002): order imbalance",
        fields=("n",),
        defaults=((16,), (64,)),
        need="sides",
        params=lambda args: (float(args[0]),),
        size=lambda args: 2 * total_size(args[0]),
        warmup=lambda args: args[0],
    ),
)
