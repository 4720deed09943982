"""Settings of the simulated Deriv."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from market.config import Config
from market.errors import UnknownSymbol
from market.synthetics import synthetic
from venues.simulated.deriv.fault import Fault
from venues.simulated.deriv.house import House

__all__ = ["DerivExchangeConfig", "Fault", "OptionsConfig"]


class OptionsConfig(Config):
    """What is particular to options-v1, the dialect of ``/trading/v1/options``.

    Its sockets are ``ws/public`` and ``ws/demo?otp=...``; the REST calls that list a token's
    accounts and give out passwords are on the same port.

    Parameters
    ----------
    echo
        Whether answers carry ``echo_req``; the venue promises it in one place and calls it
        optional in another.
    calls_per_second
        Requests a connection may make per real second (``ping`` and ``time`` are free).
    subscriptions
        Streams a connection may have open.
    rest_per_minute
        REST calls a token may make per real minute.
    otp_seconds
        Real seconds a one-time password is good for.
    """

    echo: bool = True
    calls_per_second: Annotated[int, Field(ge=1)] = 100
    subscriptions: Annotated[int, Field(ge=1)] = 100
    rest_per_minute: Annotated[int, Field(ge=1)] = 60
    otp_seconds: Annotated[float, Field(gt=0.0)] = 120.0


class DerivExchangeConfig(Config):
    """The simulated Deriv: v3 and options-v1 on one port.

    Parameters
    ----------
    host, port
        Where it listens; port 0 takes a free one.
    symbols
        Which synthetic indices it lists.
    seed
        Of every price: each symbol's tape depends on seed and symbol alone.
    speed
        Venue seconds per real second; 1 is real time, 0 stands still until
        ``DerivExchange.advance`` moves it.
    history_seconds
        Venue seconds of past that exist when it starts.
    start_epoch
        Venue time at which it starts, seconds since 1970 UTC.
    calls_per_minute
        Requests a v3 connection may make per real minute (``ping`` and ``time`` are free), those
        counted apart by ``house`` aside.
    options
        What is particular to options-v1.
    house
        What its trading charges and allows.
    idle_seconds
        Real seconds without a request after which a connection is closed.
    backlog
        Frames that may wait for a slow client before its connection is broken.
    refused_tokens
        Tokens that ``authorize`` refuses; any other opens a virtual account of its own.
    faults
        What goes wrong, and when.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8765
    symbols: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "R_75",
        "R_100",
        "BOOM500",
        "1HZ75V",
    )
    seed: Annotated[int, Field(ge=0)] = 1
    speed: Annotated[float, Field(ge=0.0, le=10_000.0)] = 1.0
    history_seconds: Annotated[int, Field(ge=0, le=366 * 86_400)] = 172_800
    start_epoch: Annotated[int, Field(ge=0, le=4_000_000_000)] = 1_775_001_600
    calls_per_minute: Annotated[int, Field(ge=1)] = 180
    options: OptionsConfig = OptionsConfig()
    house: House = House()
    idle_seconds: Annotated[float, Field(gt=0.0)] = 120.0
    backlog: Annotated[int, Field(ge=1)] = 50_000
    refused_tokens: tuple[str, ...] = ("expired",)
    faults: tuple[Fault, ...] = ()

    @field_validator("symbols")
    @classmethod
    def _known(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            try:
                synthetic(symbol)
            except UnknownSymbol as error:
                raise ValueError(str(error)) from None
        if len(set(symbols)) < len(symbols):
            raise ValueError("each symbol may be listed once")
        return symbols

    @model_validator(mode="after")
    def _faults_fit(self) -> Self:
        if self.history_seconds > self.start_epoch:
            raise ValueError("history_seconds must not reach before 1970: raise start_epoch")
        for fault in self.faults:
            if fault.symbol is not None and fault.symbol not in self.symbols:
                raise ValueError(f"a fault names {fault.symbol!r}, which is not among the symbols")
        return self
