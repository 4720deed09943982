"""The shapes of every answer, as the OpenAPI page shows them.

Times are integer nanoseconds since 1970 UTC in venue time, money is in account currency, and a
number that isn't known yet is ``null``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

__all__ = [
    "Floor",
    "Forecast",
    "Frame",
    "Health",
    "History",
    "Lease",
    "Position",
    "Positions",
    "PredictRequest",
    "Prediction",
    "Probabilities",
    "Risk",
    "Symbol",
    "Symbols",
]

Number = float | None
TIME_EXAMPLE = 1_776_000_000_000_000_000


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Probabilities(_Answer):
    """Chances of the three classes of the label; they sum to 1."""

    down: Annotated[float, Field(examples=[0.31])]
    flat: Annotated[float, Field(examples=[0.42])]
    up: Annotated[float, Field(examples=[0.27])]


class Symbol(_Answer):
    """One symbol actor, as it reported last."""

    symbol: Annotated[str, Field(examples=["R_75"])]
    policy: Annotated[str, Field(examples=["ppo"])]
    time: Annotated[int, Field(description="time of the last event, ns", examples=[TIME_EXAMPLE])]
    price: Annotated[Number, Field(examples=[101_472.31])]
    probabilities: Probabilities | None
    disagreement: Annotated[Number, Field(description="spread between the members")]
    volatility: Annotated[Number, Field(description="EWMA std of log returns per event")]
    exposure: Annotated[float, Field(description="fraction of the largest position, -1 to 1")]
    units: float
    entry_price: Annotated[Number, Field(description="null while flat")]
    equity: float
    pnl: Annotated[float, Field(description="after all costs")]
    fees: float
    trades: int
    lease_notional: Annotated[float, Field(description="largest |notional| the lease allows")]
    lease_used: Annotated[float, Field(description="|notional| held")]
    lease_state: Annotated[str, Field(examples=["RUNNING"])]
    latency_p50_ms: Annotated[
        Number, Field(description="taking up an event to journalled decision")
    ]
    latency_p99_ms: Number
    events: int
    decisions: int
    orders: int
    reconnects: int
    gaps: int
    restarts: int
    pid: int
    memory_mb: Number
    model_version: str
    policy_version: str
    verdict: Annotated[str, Field(description="the gate's word", examples=["no edge"])]
    verdict_reasons: tuple[str, ...]
    settled: Annotated[int, Field(description="outcomes its model learnt while it traded")] = 0
    drift_alarms: Annotated[int, Field(description="changes of losses or columns told")] = 0
    drift_columns: Annotated[int, Field(description="columns not as in training now")] = 0
    drift_loss: Annotated[
        Number, Field(description="log loss of the ensemble by itself since it last changed, nats")
    ] = None
    drift: Annotated[str, Field(description="the last alarm, and what to do; empty: none")] = ""


class Symbols(_Answer):
    """Every symbol of the floor, in the config's order."""

    time: Annotated[int, Field(examples=[TIME_EXAMPLE])]
    mode: Annotated[str, Field(examples=["paper"])]
    symbols: tuple[Symbol, ...]


class Position(_Answer):
    """What one symbol holds, and what came of it."""

    symbol: Annotated[str, Field(examples=["R_75"])]
    exposure: float
    units: float
    entry_price: Annotated[Number, Field(description="null while flat")]
    price: Number
    equity: float
    pnl: Annotated[float, Field(description="after all costs")]
    fees: float
    trades: int


class Positions(_Answer):
    """All positions, and the account they add up to."""

    time: Annotated[int, Field(examples=[TIME_EXAMPLE])]
    mode: str
    equity: float
    pnl: Annotated[float, Field(description="after all costs")]
    positions: tuple[Position, ...]


class Lease(_Answer):
    """What the supervisor allows one symbol until the lease runs out."""

    symbol: str
    notional: float
    used: float
    state: str


class Risk(_Answer):
    """The supervisor's books: what may be held, what is promised, what is held."""

    time: Annotated[int, Field(examples=[TIME_EXAMPLE])]
    limit_notional: float
    granted_notional: float
    used_notional: float
    state: Annotated[str, Field(description="RUNNING, REDUCE_ONLY or HALTED")]
    reasons: tuple[str, ...]
    leases: tuple[Lease, ...]


class Health(_Answer):
    """The floor is up and has reported lately."""

    status: Literal["ok"]
    mode: Annotated[str, Field(examples=["paper"])]
    symbols: Annotated[int, Field(examples=[4])]
    uptime_seconds: Annotated[float, Field(description="since the supervisor started")]
    age_seconds: Annotated[float, Field(description="since the supervisor answered last")]
    quiet_seconds: Annotated[float, Field(description="since any symbol had a new event")]
    risk_state: Annotated[str, Field(examples=["RUNNING"])]
    models: Annotated[dict[str, str], Field(description="symbol to version, explicit features")]


class Floor(_Answer):
    """The whole floor at one moment."""

    time: int
    uptime: float
    mode: str
    equity: float
    pnl: float
    risk: Risk
    symbols: tuple[Symbol, ...]


class Frame(_Answer):
    """One frame of ``/v1/stream``."""

    connected: Annotated[bool, Field(description="the supervisor answered lately")]
    age_seconds: Number
    trouble: str
    floor: Floor | None


class History(_Answer):
    """Recent points of one symbol, oldest first, as columns."""

    symbol: str
    time: tuple[int, ...]
    price: tuple[Number, ...]
    exposure: tuple[Number, ...]
    equity: tuple[Number, ...]


# One fault is told, not one per number of a window that is wrong throughout.
Row = Annotated[list[FiniteFloat], Field(min_length=1, max_length=4096, fail_fast=True)]
Rows = Annotated[list[Row], Field(min_length=1, max_length=4096, fail_fast=True)]


class PredictRequest(BaseModel):
    """Which prediction is asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    symbol: Annotated[str, Field(min_length=1, max_length=64)]
    features: Annotated[
        Rows | None,
        Field(description="feature rows, oldest first; left out: the live prediction"),
    ] = None


class Forecast(_Answer):
    """What the ensemble thinks."""

    probabilities: Probabilities
    disagreement: Number
    model_version: str


class Prediction(Forecast):
    """A forecast, and where it comes from."""

    symbol: str
    source: Annotated[
        Literal["live", "features"],
        Field(
            description="live: what was last decided on, and, where a model has `online` on, "
            "corrected by what it learnt while it traded; features: the fitted combination alone, "
            "on the rows in the request"
        ),
    ]
    time: Annotated[int | None, Field(description="time of the event it was made on, ns")] = None
    price: Number = None
    exposure: Number = None
