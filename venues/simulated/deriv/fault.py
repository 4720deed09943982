"""What the bundled exchange can be told to do wrong, and where of its stream."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from market.config import Config

__all__ = ["Corruption", "Fault"]

Kind = Literal[
    "drop_all", "drop", "stall", "restart", "duplicate", "late", "delay", "gap", "lost", "garbage",
    "corrupt", "rate_limit", "lost_answer", "skew",
]  # fmt: skip

Corruption = Literal["no_price", "nan", "negative", "symbol", "text_epoch", "past"]


class Fault(Config):
    """One thing that goes wrong, once, at a known place of the stream.

    Several at one tick add up: ``corrupt`` and ``gap`` leave the wrong frame alone in the stream.
    What happens to a tick happens to its frames in the streams of ticks and of candles; contracts
    go by the record, and know a tick that was only delayed or not streamed.

    Parameters
    ----------
    kind
        ``drop_all``
            every connection breaks, without a closing handshake;
        ``drop``
            the oldest connection subscribed to the tick's symbol breaks;
        ``stall``
            the connections of that moment fall silent for ``seconds`` and then deliver what they
            held back (for ever if 0: half-open); new connections are served;
        ``restart``
            every connection breaks and the port refuses for ``seconds``; then the exchange listens
            on it again. Venue time, prices and accounts go on meanwhile;
        ``duplicate``
            the tick is sent twice;
        ``late``
            the tick is sent after the one that follows it: reordered (with ``count`` 2 the order
            of three ticks is turned round);
        ``delay``
            the tick is sent ``seconds`` later, and those behind it after it: their order is kept,
            and the history has them in time;
        ``gap``
            the tick is not streamed, but stays in the history;
        ``lost``
            the tick is neither streamed nor in the history: a hole nobody can fill;
        ``garbage``
            a frame that is not JSON comes before the tick;
        ``corrupt``
            a frame that is JSON, but wrong as ``variant`` says, comes before the tick;
        ``rate_limit``
            the next ``count`` calls of whoever calls are answered ``RateLimit`` (``ping`` and
            ``time`` are free);
        ``lost_answer``
            the next ``count`` purchases or sales are executed, but instead of the answer the
            connection breaks;
        ``skew``
            from here on ``time`` answers ``seconds`` more than venue time (less if negative).
    symbol
        Whose tick; the first symbol of the exchange if left out.
    tick
        At which live tick of that symbol, from 1.
    frames
        Or: at the first tick of that symbol after the exchange has streamed so many frames.
    count
        How many consecutive ticks (calls, answers) it lasts; of no meaning where connections
        break or fall silent, to ``delay`` and to ``skew``.
    seconds
        Venue seconds of a ``stall``, ``restart``, ``delay`` or ``skew``. Where venue time stands
        still (``speed`` 0), a stall takes real seconds instead.
    variant
        Of ``corrupt``: the price is missing (``no_price``), is a bare ``NaN``, is negative; the
        symbol is another one (``symbol``), which nobody asked for; the epoch is text that is no
        number (``text_epoch``), or lies a day back (``past``).
    """

    kind: Kind
    symbol: str | None = None
    tick: Annotated[int, Field(ge=1)] | None = None
    frames: Annotated[int, Field(ge=0)] | None = None
    count: Annotated[int, Field(ge=1)] = 1
    seconds: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    variant: Corruption | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.tick is None) == (self.frames is None):
            raise ValueError("give either tick or frames, so that the fault has one place")
        return self

    @model_validator(mode="after")
    def _said_of_its_kind(self) -> Self:
        if self.seconds < 0.0 and self.kind != "skew":
            raise ValueError(f"seconds must not be negative, was {self.seconds}")
        if self.seconds == 0.0 and self.kind in {"restart", "delay", "skew"}:
            raise ValueError(f"{self.kind} needs seconds")
        if (self.kind == "corrupt") != (self.variant is not None):
            raise ValueError("give a variant to corrupt, and to no other kind")
        return self
