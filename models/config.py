"""How the ensemble is fitted; free of training libraries, so that settings load anywhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from features.selection import SelectionConfig
from market.config import Config

__all__ = ["AugmentConfig", "EnsembleConfig", "GruConfig", "LgbmConfig"]

Share = Annotated[float, Field(gt=0.0, le=1.0)]
Window = Annotated[int, Field(ge=1, le=512)]
Rate = Annotated[float, Field(gt=0.0, le=1.0)]


class LgbmConfig(Config):
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

    window: Window = 1
    trees: Annotated[int, Field(ge=1, le=10_000)] = 300
    patience: Annotated[int, Field(ge=1)] = 20
    learning_rate: Rate = 0.05
    leaves: Annotated[int, Field(ge=2, le=1024)] = 12
    min_leaf: Annotated[int, Field(ge=1)] = 100
    l2: Annotated[float, Field(ge=0.0)] = 5.0
    feature_share: Share = 0.7


class GruConfig(Config):
    """A small recurrent network over a window of decision rows.

    Parameters
    ----------
    window
        Decision rows it looks at.
    hidden
        Units.
    epochs
        Most passes over the data; early stopping finds fewer.
    patience
        Passes without a better loss before it stops.
    learning_rate, decay, batch
        Of AdamW: its largest step, weight decay, windows per step.
    """

    window: Window = 16
    hidden: Annotated[int, Field(ge=1, le=1024)] = 16
    epochs: Annotated[int, Field(ge=1, le=1000)] = 12
    patience: Annotated[int, Field(ge=1)] = 3
    learning_rate: Rate = 2e-3
    decay: Annotated[float, Field(ge=0.0)] = 1e-2
    batch: Annotated[int, Field(ge=1)] = 256


class AugmentConfig(Config):
    """Markets that might have been, added to what members learn from; see :mod:`features.augment`.

    Parameters
    ----------
    method
        ``bootstrap``: blocks of the returns, put together anew. ``jitter``: noise on each return.
        ``warp``: the market's clock runs now faster, now slower.
    copies
        Markets made of each.
    scale
        Of jitter and warp: standard deviation of the noise, in those of a return; of the log speed.
    span
        Of bootstrap and warp: events in a block on average, several times the labels' horizon;
        events over which the speed changes.
    """

    method: Literal["bootstrap", "jitter", "warp"] = "jitter"
    copies: Annotated[int, Field(ge=1, le=20)] = 1
    scale: Annotated[float, Field(ge=0.0, le=5.0)] = 0.3
    span: Annotated[int, Field(ge=1, le=1_000_000)] = 500


class EnsembleConfig(Config):
    """Members, and how they are put together.

    Parameters
    ----------
    lgbm, gru
        The members; ``null`` leaves one out.
    selection
        How columns are chosen: in each fold anew, from what it learns from. ``null``, or no more
        columns than it asks for: all are taken.
    weights
        Of decisions in the members' loss. ``uniqueness``: each label weighs by the share of its
        returns that no other label has; ``equal``: all alike.
    augment
        Markets made up of what a fold learns from, for the members to learn from too. Columns are
        chosen, learning is stopped, and everything is judged on real rows. ``null``: none.
    folds
        Contiguous folds for the out-of-fold probabilities.
    embargo
        Events after a fold left out of training, over and above the widest window.
    stop_share
        Of a fold's training rows, the latest, kept for early stopping.
    shrink, spread
        Pull of the pool towards the class frequencies, and towards trusting all members alike;
        in independent outcomes' worth of loss. See :func:`models.stack.fit_pool`.

    Examples
    --------
    >>> EnsembleConfig(lgbm=None, gru=None)
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for EnsembleConfig
      Value error, at least one member is needed; give lgbm or gru its settings ...
    """

    lgbm: LgbmConfig | None = LgbmConfig()
    gru: GruConfig | None = GruConfig()
    selection: SelectionConfig | None = SelectionConfig()
    weights: Literal["uniqueness", "equal"] = "uniqueness"
    augment: AugmentConfig | None = None
    folds: Annotated[int, Field(ge=2, le=20)] = 4
    embargo: Annotated[int, Field(ge=0)] = 64
    stop_share: Annotated[float, Field(gt=0.0, le=0.5)] = 0.15
    shrink: Annotated[float, Field(ge=0.0)] = 0.5
    spread: Annotated[float, Field(ge=0.0)] = 20.0

    @model_validator(mode="after")
    def _has_members(self) -> EnsembleConfig:
        if self.lgbm is None and self.gru is None:
            raise ValueError("at least one member is needed; give lgbm or gru its settings")
        return self
