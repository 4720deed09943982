"""Ranges of the members' settings, and those that are searched unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Self, get_args

from pydantic import model_validator

from market.config import Config
from models.members.catalogue import AnyMember
from models.members.config import MemberConfig

__all__ = ["DEFAULT", "Range", "Setting", "corners", "settings_of"]


class Range(Config):
    """Numbers from ``low`` to ``high``, both included; whole ones if both are.

    Parameters
    ----------
    low, high
        Its ends.
    log
        Whether equal ratios are equally likely, not equal differences.

    Examples
    --------
    >>> Range(low=4, high=64, log=True).whole, Range(low=0.5, high=2).whole
    (True, False)
    """

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _ends_in_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high ({self.high}), was {self.low}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be positive on a logarithmic range, was {self.low}")
        return self

    @property
    def whole(self) -> bool:
        """Whether it is of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


Setting = Range | list[Any] | bool | int | float | str
"""A range, choices, or one value that is taken always."""


def _log(low: float, high: float) -> Range:
    return Range(low=low, high=high, log=True)


_RATE = _log(0.01, 0.2)
_LAGS: list[Any] = [1, 2, 4, 8]
_NET: dict[str, Setting] = {
    "learning_rate": _log(5e-4, 1e-2),
    "decay": _log(1e-4, 1e-1),
    "dropout": Range(low=0.0, high=0.4),
    "window": [4, 8, 16, 32],
}

DEFAULT: Mapping[str, Mapping[str, Setting]] = {
    "logistic": {"C": _log(1e-5, 1.0), "window": _LAGS},
    "lgbm": {
        "learning_rate": _RATE, "leaves": _log(3, 48), "min_leaf": _log(20, 500),
        "l2": _log(0.1, 100.0), "feature_share": Range(low=0.3, high=1.0), "window": _LAGS,
    },
    "xgboost": {
        "learning_rate": _RATE, "depth": Range(low=2, high=7), "min_leaf": _log(5.0, 300.0),
        "l2": _log(0.1, 100.0), "feature_share": Range(low=0.3, high=1.0), "window": _LAGS,
    },
    "forest": {
        "depth": Range(low=3, high=10), "min_leaf": _log(20, 500),
        "feature_share": Range(low=0.1, high=0.8), "window": _LAGS,
    },
    "svm": {"C": _log(1e-4, 1.0), "gamma": _log(0.05, 5.0), "window": _LAGS},
    "mlp": {**_NET, "window": _LAGS, "hidden": [[16], [32, 16], [64, 32]]},
    "gru": {**_NET, "hidden": [8, 16, 32]},
    "lstm": {**_NET, "hidden": [16, 24, 48], "heads": [1, 2, 4]},
    "cnn": {**_NET, "channels": [[16, 16], [24, 24, 24], [32, 32, 32]], "kernel": [2, 3, 5]},
    "transformer": {**_NET, "hidden": [16, 24, 48], "heads": [1, 2, 4], "layers": [1, 2]},
    "technical": {
        "oversold": Range(low=15.0, high=40.0), "overbought": Range(low=60.0, high=85.0),
        "band": Range(low=0.5, high=1.5),
    },
}  # fmt: skip
"""By family. The periods of ``technical`` are the floor's columns, and stay."""


def corners(setting: Setting) -> Iterator[Any]:
    """Yield the values by which a setting is checked: the ends of a range, or all choices."""
    if isinstance(setting, Range):
        yield from (setting.low, setting.high)
    elif isinstance(setting, list):
        yield from setting
    else:
        yield setting


@cache
def settings_of(kind: str) -> type[MemberConfig]:
    """Return the class of a family's settings.

    Examples
    --------
    >>> settings_of("lgbm").__name__
    'LgbmConfig'
    """
    found: type[MemberConfig] = next(
        one
        for one in get_args(AnyMember)
        if get_args(one.model_fields["kind"].annotation) == (kind,)
    )
    return found
