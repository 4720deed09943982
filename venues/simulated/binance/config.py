"""Settings of the bundled Binance: what it lists, who may trade there, and its limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from market.config import Config
from market.errors import UnknownSymbol
from market.synthetics import synthetic
from venues.simulated.binance.faults import Fault

__all__ = ["BinanceExchangeConfig", "Fees", "Key", "Limits", "Listing"]

Positive = Annotated[Decimal, Field(gt=0)]


class Listing(Config):
    """One symbol and the order flow that moves its book.

    Parameters
    ----------
    symbol, base, quote
        Names, as ``BTCUSDT`` of ``BTC`` and ``USDT``.
    price
        Latent price when the history begins.
    tick, lot
        Smallest steps of price and quantity.
    notional
        Smallest value of an order, in the quote asset.
    sigma
        Annual volatility of the latent price, a fraction.
    law
        A synthetic index such as ``BOOM500`` or ``PLANTED10`` whose law moves the latent price
        instead; ``sigma`` then says nothing.
    rate
        Orders and cancels a venue second.
    orders
        Resting orders the flow keeps up on average.
    depth
        Mean distance of a new resting order from the latent price, a fraction of it.
    size
        Mean value of an order of the flow, in the quote asset.
    """

    symbol: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,20}$")]
    base: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,10}$")]
    quote: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,10}$")] = "USDT"
    price: Positive
    tick: Positive
    lot: Positive
    notional: Positive = Decimal(5)
    sigma: Annotated[float, Field(gt=0.0, le=10.0)] = 0.6
    law: str | None = None
    rate: Annotated[float, Field(gt=0.0, le=10_000.0)] = 20.0
    orders: Annotated[int, Field(ge=20, le=20_000)] = 400
    depth: Annotated[float, Field(gt=0.0, le=0.1)] = 5e-4
    size: Annotated[float, Field(gt=0.0)] = 1500.0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for name in ("tick", "lot"):
            step = getattr(self, name)
            if step.normalize().as_tuple().exponent < -8:
                raise ValueError(f"{name} may have 8 decimals at most, was {step}")
        if self.law is not None:
            try:
                synthetic(self.law)
            except UnknownSymbol as error:
                raise ValueError(str(error)) from None
        if self.price < 100 * self.tick:
            raise ValueError(f"price must be at least 100 ticks, was {self.price}")
        return self


def _balances() -> dict[str, Decimal]:
    return {"USDT": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(10)}


class Key(Config):
    """Somebody who may trade.

    Parameters
    ----------
    key
        What is sent as ``X-MBX-APIKEY``.
    secret
        What calls are signed with (HMAC-SHA256).
    balances
        Assets on the spot account at the start.
    wallet
        USDT on the futures account at the start.
    """

    key: Annotated[str, Field(min_length=1)]
    secret: SecretStr
    balances: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=_balances)
    wallet: Annotated[Decimal, Field(ge=0)] = Decimal(100_000)


class Fees(Config):
    """Commission as a fraction of what is traded.

    Parameters
    ----------
    maker, taker
        Of the order that rested, and of the one that came.
    """

    maker: Annotated[Decimal, Field(ge=0, le=Decimal("0.1"))]
    taker: Annotated[Decimal, Field(ge=0, le=Decimal("0.1"))]


class Limits(Config):
    """What clients are held to, in real time.

    Parameters
    ----------
    spot_weight, usdm_weight
        Request weight a minute.
    ban_after
        Calls above the limit within a minute that turn 429 into a ban.
    ban_seconds
        How long a ban lasts.
    spot_messages, usdm_messages
        Messages a second from one socket, pings included.
    streams
        Streams of one socket.
    connections
        Sockets an address may open in five minutes.
    ping_seconds, pong_seconds
        How often a socket is pinged, and how long it may take to answer.
    lifetime
        Seconds after which a socket is closed.
    listen_key_seconds
        How long a listenKey lives without being renewed.
    backlog
        Frames that may wait for a slow client before its connection is broken.
    """

    spot_weight: Annotated[int, Field(ge=1)] = 6000
    usdm_weight: Annotated[int, Field(ge=1)] = 2400
    ban_after: Annotated[int, Field(ge=1)] = 20
    ban_seconds: Annotated[float, Field(gt=0.0)] = 120.0
    spot_messages: Annotated[int, Field(ge=1)] = 5
    usdm_messages: Annotated[int, Field(ge=1)] = 10
    streams: Annotated[int, Field(ge=1)] = 1024
    connections: Annotated[int, Field(ge=1)] = 300
    ping_seconds: Annotated[float, Field(gt=0.0)] = 20.0
    pong_seconds: Annotated[float, Field(gt=0.0)] = 60.0
    lifetime: Annotated[float, Field(gt=0.0)] = 86_400.0
    listen_key_seconds: Annotated[float, Field(gt=0.0)] = 3600.0
    backlog: Annotated[int, Field(ge=1)] = 50_000

    def messages(self, market: str) -> int:
        """Return the messages a second of a market's sockets."""
        return self.spot_messages if market == "spot" else self.usdm_messages


_BTC = {"symbol": "BTCUSDT", "base": "BTC", "price": "60000", "sigma": 0.5}
_ETH = {"symbol": "ETHUSDT", "base": "ETH", "price": "3000", "sigma": 0.7}


def _listed(*rows: dict[str, object]) -> tuple[Listing, ...]:
    return tuple(Listing.model_validate(row) for row in rows)


class BinanceExchangeConfig(Config):
    """The bundled Binance.

    Parameters
    ----------
    host, port
        Where it listens; port 0 takes a free one.
    spot, usdm
        What each market lists.
    seed
        Of every price and order: each symbol's tape depends on seed, market and symbol alone, as
        long as no client trades.
    speed
        Venue seconds per real second; 1 is real time, 0 stands still until
        ``BinanceExchange.advance`` moves it.
    start_epoch
        Venue time at which it starts, seconds since 1970 UTC.
    history_seconds
        Venue seconds of trades that exist when it starts.
    keys
        Who may trade.
    spot_fees, usdm_fees
        Commissions.
    limits
        What clients are held to.
    faults
        What goes wrong, and when.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8766
    spot: tuple[Listing, ...] = _listed(
        {**_BTC, "tick": "0.01", "lot": "0.00001"}, {**_ETH, "tick": "0.01", "lot": "0.0001"}
    )
    usdm: tuple[Listing, ...] = _listed(
        {**_BTC, "tick": "0.10", "lot": "0.001"}, {**_ETH, "tick": "0.01", "lot": "0.001"}
    )
    seed: Annotated[int, Field(ge=0)] = 1
    speed: Annotated[float, Field(ge=0.0, le=1000.0)] = 1.0
    start_epoch: Annotated[int, Field(ge=0, le=4_000_000_000)] = 1_775_001_600
    history_seconds: Annotated[int, Field(ge=60, le=14 * 86_400)] = 86_400
    keys: tuple[Key, ...] = (Key(key="test-key", secret=SecretStr("test-secret")),)
    spot_fees: Fees = Fees(maker=Decimal("0.001"), taker=Decimal("0.001"))
    usdm_fees: Fees = Fees(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
    limits: Limits = Limits()
    faults: tuple[Fault, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.history_seconds > self.start_epoch:
            raise ValueError("history_seconds must not reach before 1970: raise start_epoch")
        listed = {"spot": self.spot, "usdm": self.usdm}
        for market, listings in listed.items():
            names = [listing.symbol for listing in listings]
            if len(set(names)) < len(names):
                raise ValueError(f"each symbol may be listed once in {market}")
        for fault in self.faults:
            names = [listing.symbol for listing in listed[fault.market]]
            if not names or fault.symbol not in (None, *names):
                raise ValueError(
                    f"a fault names {fault.symbol or 'a symbol'!r}, which {fault.market} lacks"
                )
        if not self.spot and not self.usdm:
            raise ValueError("list at least one symbol in spot or usdm")
        if len({key.key for key in self.keys}) < len(self.keys):
            raise ValueError("each key may be given once")
        return self
