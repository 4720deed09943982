"""What trading an instrument costs, as settings, and as the numbers that compiled code takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from market.config import Config
from market.errors import DataError
from market.execution.fills import side_cost
from market.execution.latency import Latency
from market.execution.presets import filled_in
from market.tape import VOLUME, Tape

__all__ = ["TERMS", "Costs", "Funding", "Impact", "Margin", "preset"]

Fraction = Annotated[float, Field(ge=0.0, lt=0.1)]
Positive = Annotated[float, Field(gt=0.0)]

(
    COMMISSION, MAKER, HALF_SPREAD, SLIPPAGE, PER_UNIT, IMPACT, PARTICIPATION, FUNDING_RATE,
    FUNDING_EVERY, MAINTENANCE, LIQUIDATION_FEE, STOP_OUT, GUARANTEED, SPAN, LEVERAGE, SEED,
) = range(16)  # fmt: skip
"""Places in :meth:`Costs.terms`; times in nanoseconds."""

TERMS = 16
"""How many there are."""

_DAY = 86_400_000_000_000


class Impact(Config):
    """Square-root market impact: an order of ``q`` units moves the price by ``Y σ sqrt(q / V)``.

    Parameters
    ----------
    coefficient
        ``Y``; measured between .5 and 1 on most markets.
    volatility
        ``σ``, standard deviation of a day's log return.
    volume
        ``V``, units traded in a day.
    """

    coefficient: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0
    volatility: Annotated[float, Field(ge=0.0, le=10.0)]
    volume: Positive

    @property
    def scale(self) -> float:
        """``Y σ / sqrt(V)``."""
        return self.coefficient * self.volatility / math.sqrt(self.volume)

    @classmethod
    def of(cls, tape: Tape, coefficient: float = 1.0) -> Self:
        """Measure a day's volatility and volume on a tape.

        Sums of squared log returns and of volumes over the time that the rows span, holes left
        out, scaled to 24 hours. A market that closes overnight has less of both; the ratio
        ``σ / sqrt(V)`` that the law needs is the same.

        Raises
        ------
        DataError
            The tape tells no volume, or has no two rows without a hole between them.
        """
        joined = ~tape.fresh[1:]
        volume = tape.values[1:, VOLUME][joined]
        if not len(volume) or not np.isfinite(volume).all() or volume.sum() <= 0.0:
            raise DataError(
                f"{tape.symbol}: market impact needs the volume of every row, the tape tells none; "
                "give volatility and volume yourself"
            )
        returns = np.diff(np.log(tape.close))[joined]
        days = float(np.diff(tape.times)[joined].sum()) / _DAY
        return cls(
            coefficient=coefficient,
            volatility=math.sqrt(float(returns @ returns) / days),
            volume=float(volume.sum()) / days,
        )


class Funding(Config):
    """What a perpetual future's long side pays its short side.

    Parameters
    ----------
    rate
        Fraction of the notional at each payment; negative: the short side pays.
    interval_seconds
        From payment to payment; payments fall on its multiples since 1970 UTC.
    """

    rate: Annotated[float, Field(gt=-0.05, lt=0.05)]
    interval_seconds: Positive = 28_800.0


class Margin(Config):
    """When the venue closes a position that has lost too much.

    Parameters
    ----------
    maintenance
        Closed once equity is below this fraction of the notional; 0: never.
    liquidation_fee
        Charged on the notional closed so, beside the commission.
    stop_out
        Closed once the loss exceeds this fraction of the notional at entry, 1 / multiplier for a
        Deriv multiplier; 0: never.
    guaranteed
        Whether a stop-out is filled at its very price, whatever the gap: no more can be lost.
    """

    maintenance: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    liquidation_fee: Fraction = 0.0
    stop_out: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    guaranteed: bool = False


class Costs(Config):
    """What one side of a trade costs, and when it is filled.

    ``preset: <name>`` among the settings takes a venue's (:mod:`market.execution.presets`); those
    beside it take the place of its own.

    Parameters
    ----------
    commission
        Charged on the notional of every fill that takes liquidity.
    half_spread
        Distance from mid to the quote that is hit, a fraction of the price.
    slippage
        Further adverse move between order and fill, beyond the latency; likewise.
    per_unit
        Charged on every unit of a fill, account currency: the fee of a futures contract over its
        point value (see :class:`~market.instruments.Instrument`).
    maker
        Commission where a resting order is filled (take-profits); ``None``: as ``commission``.
    impact
        What an order moves the price by; ``None``: nothing.
    participation
        Largest share of an event's volume that one order may take; the rest of it stays under
        way. 0, or an event that tells no volume: no limit.
    latency
        From decision to arrival at the venue.
    funding
        Of a perpetual future.
    margin
        When the venue closes a position.

    Examples
    --------
    >>> Costs(commission=1e-4, half_spread=5e-5).side(100.0)
    0.00015
    >>> Costs(per_unit=0.12).side(6000.0)
    2e-05
    >>> Costs.model_validate({"preset": "binance_usdm", "half_spread": 1e-5}).side(50_000.0)
    0.00051
    """

    commission: Fraction = 0.0
    half_spread: Fraction = 0.0
    slippage: Fraction = 0.0
    per_unit: Annotated[float, Field(ge=0.0)] = 0.0
    maker: Annotated[float, Field(gt=-0.01, lt=0.1)] | None = None
    impact: Impact | None = None
    participation: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    latency: Latency = Latency()
    funding: Funding | None = None
    margin: Margin = Margin()

    @model_validator(mode="before")
    @classmethod
    def _of_a_preset(cls, settings: Any) -> Any:
        return filled_in(settings) if isinstance(settings, Mapping) else settings

    def side(self, price: float) -> float:
        """Cost of opening **or** closing at ``price``, as a fraction of the notional.

        Market impact, which depends on the order's size, is not in it.
        """
        return float(
            side_cost(price, self.commission, self.half_spread, self.slippage, self.per_unit)
        )

    def terms(
        self, leverage: float = 1.0, interval: float = 0.0, seed: int = 0
    ) -> npt.NDArray[np.float64]:
        """Return the numbers that :mod:`market.execution.sleeve` takes, ``float64[16]``.

        Parameters
        ----------
        leverage
            Of the instrument.
        interval
            Seconds a bar spans; 0 for ticks.
        seed
            Of the latencies drawn.
        """
        funding, margin = self.funding, self.margin
        out = np.zeros(TERMS)
        out[COMMISSION], out[MAKER] = (
            self.commission,
            self.commission if self.maker is None else self.maker,
        )
        out[HALF_SPREAD], out[SLIPPAGE], out[PER_UNIT] = (
            self.half_spread,
            self.slippage,
            self.per_unit,
        )
        out[IMPACT] = 0.0 if self.impact is None else self.impact.scale
        out[PARTICIPATION] = self.participation
        if funding is not None:
            out[FUNDING_RATE] = funding.rate
            out[FUNDING_EVERY] = round(1e9 * funding.interval_seconds)
        out[MAINTENANCE], out[LIQUIDATION_FEE] = margin.maintenance, margin.liquidation_fee
        out[STOP_OUT], out[GUARANTEED] = margin.stop_out, float(margin.guaranteed)
        out[SPAN], out[LEVERAGE], out[SEED] = round(1e9 * interval), leverage, seed
        return out

    def delays(self) -> npt.NDArray[np.float64]:
        """Return the table of latencies, ``float64[65]``, nanoseconds."""
        return self.latency.table()


def preset(name: str, **settings: Any) -> Costs:
    """Return the costs of a venue, ``settings`` in the place of its own; see its presets.

    Examples
    --------
    >>> preset("deriv_multiplier", symbol="R_75").commission
    0.00015
    """
    return Costs.model_validate({"preset": name, **settings})
