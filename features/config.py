"""Which features are computed, over how many events."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from market.config import Config

__all__ = ["FeatureConfig"]

Span = Annotated[int, Field(ge=1, le=100_000)]
HalfLife = Annotated[float, Field(gt=0.0, le=1e6)]


class FeatureConfig(Config):
    """Spans and half-lives of the features, all in events; the defaults suit ticks.

    Parameters
    ----------
    volatility
        Half-life of *the* volatility: every return is measured in it.
    volatilities
        Half-lives of further volatilities, each a column relative to the first.
    momentum
        Spans of returns.
    trends
        Spans of the moving averages the price is compared with.
    strengths
        Spans of Wilder's relative strength.
    channels
        Spans of the price channels.
    range
        Half-life of the true range and of the close's place in it.
    imbalances
        Half-lives of the balance of up and down events.
    volume
        Half-life of the volume an event's volume is compared with.
    jump
        A return this many times the median absolute return is a jump.
    jump_age
        Events after which a jump is forgotten; also the half-life of their rate.
    shape
        Half-life of skewness, autocorrelation and variance ratio.
    variance_ratio
        Span of the returns whose variance is compared with that of single events.
    warmup
        Events after a start or a gap before values are given; longer than every window.

    Examples
    --------
    >>> FeatureConfig(momentum=(1, 500))
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for FeatureConfig
      Value error, warmup must be longer than the longest window, 500 events, was 300 ...
    """

    volatility: HalfLife = 64.0
    volatilities: tuple[HalfLife, ...] = (16.0, 512.0)
    momentum: tuple[Span, ...] = (1, 4, 16, 64, 256)
    trends: tuple[Span, ...] = (32, 128, 512)
    strengths: tuple[Span, ...] = (14, 64)
    channels: tuple[Annotated[int, Field(ge=2, le=1024)], ...] = (32,)
    range: HalfLife = 32.0
    imbalances: tuple[HalfLife, ...] = (16.0, 128.0)
    volume: HalfLife = 64.0
    jump: Annotated[float, Field(gt=1.0)] = 12.0
    jump_age: Span = 512
    shape: HalfLife = 128.0
    variance_ratio: Annotated[int, Field(ge=2, le=100_000)] = 16
    warmup: Span = 300

    @model_validator(mode="after")
    def _consistent(self) -> FeatureConfig:
        for name in ("volatilities", "momentum", "trends", "strengths", "channels", "imbalances"):
            spans = getattr(self, name)
            if len(set(spans)) < len(spans):
                raise ValueError(f"{name} must not repeat a span, was {spans}")
        if self.warmup <= self.longest:
            raise ValueError(
                f"warmup must be longer than the longest window, {self.longest} events, "
                f"was {self.warmup}"
            )
        return self

    @property
    def longest(self) -> int:
        """Events the longest window looks back."""
        return max(*self.momentum, *self.channels, self.variance_ratio, 1)
