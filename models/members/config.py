"""Settings of the members that are no networks; no training library is needed to read them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from market.config import Config

__all__ = [
    "ForestConfig",
    "LgbmConfig",
    "LogisticConfig",
    "MemberConfig",
    "Rate",
    "Share",
    "SvmConfig",
    "TechnicalConfig",
    "Window",
    "XgboostConfig",
]

Share = Annotated[float, Field(gt=0.0, le=1.0)]
Window = Annotated[int, Field(ge=1, le=512)]
Rate = Annotated[float, Field(gt=0.0, le=1.0)]


class MemberConfig(Config):
    """What the settings of every member have.

    Parameters
    ----------
    kind
        Which member it is; :mod:`models.members.catalogue` knows them.
    name
        What it is called; its kind if left out. Two of a kind need names.
    window
        Decision rows it looks at.
    """

    kind: str
    name: str = ""
    window: Window = 1

    @field_validator("name")
    @classmethod
    def _names_a_file(cls, name: str) -> str:
        if name and not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,31}", name):
            raise ValueError(f"must be of a-z, 0-9 and _, at most 32, was {name!r}")
        return name

    @model_validator(mode="before")
    @classmethod
    def _is_called_by_its_kind(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("name"):
            return {**given, "name": given.get("kind", cls.model_fields["kind"].default)}
        return given


class LgbmConfig(MemberConfig):
    """Gradient-boosted trees; the defaults suit noise with a little signal.

    Parameters
    ----------
    window
        Decision rows it looks at.
    trees
        Largest number of rounds; early stopping finds fewer.
    patience
        Rounds without a better loss before it stops.
    learning_rate, leaves, min_leaf, l2
        Of LightGBM: shrinkage, leaves per tree, rows per leaf, penalty.
    feature_share
        Of the features drawn for each tree.
    """

    kind: Literal["lgbm"] = "lgbm"
    trees: Annotated[int, Field(ge=1, le=10_000)] = 300
    patience: Annotated[int, Field(ge=1)] = 20
    learning_rate: Rate = 0.05
    leaves: Annotated[int, Field(ge=2, le=1024)] = 12
    min_leaf: Annotated[int, Field(ge=1)] = 100
    l2: Annotated[float, Field(ge=0.0)] = 5.0
    feature_share: Share = 0.7


class LogisticConfig(MemberConfig):
    """Multinomial logistic regression.

    Parameters
    ----------
    window
        Decision rows it looks at; each lag is a column of its own.
    C
        How far coefficients of standardised columns may go: the variance of the normal law that
        they are thought to come from. 1 is nearly free on thousands of rows. How far the whole is
        believed is found besides, on rows that it wasn't fitted on.
    max_iter
        Most steps of L-BFGS.
    """

    kind: Literal["logistic"] = "logistic"
    C: Annotated[float, Field(gt=0.0)] = 0.01
    max_iter: Annotated[int, Field(ge=1, le=100_000)] = 1000


class XgboostConfig(MemberConfig):
    """Gradient-boosted trees, grown level by level.

    Parameters
    ----------
    window
        Decision rows it looks at; each lag is a column of its own.
    trees
        Largest number of rounds; early stopping finds fewer.
    patience
        Rounds without a better loss before it stops.
    learning_rate, depth, l2
        Of XGBoost: shrinkage, levels of a tree, penalty.
    min_leaf
        Of XGBoost, ``min_child_weight``: least second derivative in a leaf, about .4 a row.
    row_share, feature_share
        Of the rows and columns drawn for each tree.
    """

    kind: Literal["xgboost"] = "xgboost"
    trees: Annotated[int, Field(ge=1, le=10_000)] = 300
    patience: Annotated[int, Field(ge=1)] = 20
    learning_rate: Rate = 0.05
    depth: Annotated[int, Field(ge=1, le=16)] = 4
    min_leaf: Annotated[float, Field(ge=0.0)] = 50.0
    l2: Annotated[float, Field(ge=0.0)] = 5.0
    row_share: Share = 0.8
    feature_share: Share = 0.7


class ForestConfig(MemberConfig):
    """A random forest of shallow trees.

    Parameters
    ----------
    window
        Decision rows it looks at; each lag is a column of its own.
    trees
        How many.
    depth, min_leaf
        Most levels of a tree, least rows of a leaf.
    row_share, feature_share
        Of the rows drawn for each tree, and of the columns tried for each question. Labels that
        overlap say nearly the same: a small share of rows keeps trees unlike.
    prior
        Rows that the class frequencies count for in each leaf.
    """

    kind: Literal["forest"] = "forest"
    trees: Annotated[int, Field(ge=1, le=2000)] = 100
    depth: Annotated[int, Field(ge=1, le=16)] = 6
    min_leaf: Annotated[int, Field(ge=1)] = 100
    row_share: Share = 0.2
    feature_share: Share = 0.25
    prior: Annotated[float, Field(gt=0.0)] = 50.0


class SvmConfig(MemberConfig):
    """A support vector machine on a Gaussian kernel, approximated.

    Parameters
    ----------
    window
        Decision rows it looks at; each lag is a column of its own.
    landmarks
        Training rows that the kernel is laid out by: more is nearer to the exact machine, and
        slower.
    C
        Weight of the loss against the penalty.
    gamma
        How fast rows grow unlike, γ times the number of columns: 1 is the inverse of the columns'
        total variance.
    """

    kind: Literal["svm"] = "svm"
    landmarks: Annotated[int, Field(ge=2, le=4096)] = 256
    C: Annotated[float, Field(gt=0.0)] = 0.01
    gamma: Annotated[float, Field(gt=0.0)] = 0.2


class TechnicalConfig(MemberConfig):
    """The rule-based setup: EMA cross, RSI, Bollinger bands, breakout.

    Parameters
    ----------
    fast, slow
        Events of the two EMAs.
    rsi, oversold, overbought
        Events of the RSI, and from where on it speaks.
    bollinger, band
        Events of the bands, and how far out it speaks: 1 at the bands, two deviations.
    channel
        Events of the channel that a breakout leaves.
    prior
        Rows that the class frequencies count for at each score.
    """

    kind: Literal["technical"] = "technical"
    window: Annotated[int, Field(ge=1, le=1)] = 1
    fast: Annotated[int, Field(ge=1, le=100_000)] = 12
    slow: Annotated[int, Field(ge=1, le=100_000)] = 26
    rsi: Annotated[int, Field(ge=1, le=100_000)] = 14
    oversold: Annotated[float, Field(ge=0.0, le=100.0)] = 30.0
    overbought: Annotated[float, Field(ge=0.0, le=100.0)] = 70.0
    bollinger: Annotated[int, Field(ge=2, le=100_000)] = 20
    band: Annotated[float, Field(gt=0.0)] = 1.0
    channel: Annotated[int, Field(ge=2, le=100_000)] = 32
    prior: Annotated[float, Field(gt=0.0)] = 100.0

    @model_validator(mode="after")
    def _averages_and_bounds_in_order(self) -> TechnicalConfig:
        if self.fast >= self.slow:
            raise ValueError(f"fast must be below slow ({self.slow}), was {self.fast}")
        if self.oversold >= self.overbought:
            raise ValueError(
                f"oversold must be below overbought ({self.overbought}), was {self.oversold}"
            )
        return self
