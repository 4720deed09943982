"""Which labels a dataset has: the moves, the races, or the prices reached."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from features.labels.highlow import HighLow
from market.config import Config

__all__ = ["LabelConfig"]

_OWNER = {
    "threshold": "direction",
    **dict.fromkeys(("target", "stop", "expiry"), "barrier"),
    **dict.fromkeys(("names", "rule", "tolerance"), "highlow"),
}
"""Keys of one kind alone; another kind would ignore them, so it refuses them."""


class LabelConfig(Config):
    """What counts as a move.

    A list of the names of high and low labels stands for the config that has them, as a seeded
    strategy's ``labels`` does.

    Parameters
    ----------
    kind
        ``direction``: where the price is after so many events, see
        :func:`~features.labels.direction.direction`. ``barrier``: which trade would have reached
        its target, see :func:`~features.labels.barrier.barrier`. ``highlow``: which prices were
        reached, see :func:`~features.labels.highlow.highlow`.
    names
        Of highlow: ``high_030_4``, ``low_030_4``, or both.
    rule
        Of highlow: whether ``touch`` is enough, or the price must be reached ``first``.
    tolerance
        Of highlow's ``first``: how far the price may go the other way, in thresholds.
    horizon
        Events from decision to outcome, at the latest; of highlow the names' longest.
    threshold
        Of direction: a move is larger than this many standard deviations of a move over the
        horizon. At .43 the three classes are about equally frequent on a random walk.
    target
        Of barrier: what a trade wins, net of costs, in standard deviations of a move over the
        horizon.
    stop
        Of barrier: the adverse move that ends a trade, in the same units.
    expiry
        Of barrier: whether a trade that reaches neither is no win (``flat``), or one if it was
        worth more than it cost (``sign``).

    Examples
    --------
    >>> LabelConfig.model_validate(["high_030_4", "low_030_4"]).horizon
    4
    >>> LabelConfig(kind="barrier", horizon=60, target=1.5).stop
    1.0
    """

    kind: Literal["direction", "barrier", "highlow"] = "direction"
    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = (
        "high_030_4",
        "low_030_4",
    )
    rule: Literal["touch", "first"] = "touch"
    tolerance: Annotated[float, Field(ge=0.0, le=100.0)] = 1.0
    horizon: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    threshold: Annotated[float, Field(ge=0.0, le=10.0)] = 0.43
    target: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    stop: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    expiry: Literal["flat", "sign"] = "flat"

    @model_validator(mode="before")
    @classmethod
    def _names_alone(cls, given: Any) -> Any:
        """Take a list of names; let the names say the horizon."""
        if isinstance(given, list | tuple):
            given = {"kind": "highlow", "names": given}
        if isinstance(given, dict) and given.get("kind") == "highlow" and "horizon" not in given:
            try:
                names = given.get("names", cls.model_fields["names"].default)
                longest = max(HighLow.parse(name).horizon for name in names)
            except (TypeError, ValueError):
                return given  # the names' own check says what is wrong
            return {**given, "horizon": longest}
        return given

    @field_validator("names")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        sides = [HighLow.parse(name).side for name in names]
        if len(set(sides)) < len(sides):
            raise ValueError("must be one of high and one of low, or either alone")
        return names

    @field_validator(*_OWNER)
    @classmethod
    def _is_of_the_kind(cls, value: Any, info: ValidationInfo) -> Any:
        key = str(info.field_name)
        kind = info.data.get("kind", _OWNER[key])
        if kind != _OWNER[key] and value != cls.model_fields[key].default:
            raise ValueError(f"is for labels of kind {_OWNER[key]}, these are {kind}; leave it out")
        return value

    @field_validator("horizon")
    @classmethod
    def _is_of_the_names(cls, horizon: int, info: ValidationInfo) -> int:
        if info.data.get("kind") == "highlow" and "names" in info.data:
            longest = max(HighLow.parse(name).horizon for name in info.data["names"])
            if horizon != longest:
                raise ValueError(f"must be the names' longest, {longest}; leave it out")
        return horizon
