"""How the ensemble is fitted; free of training libraries, so that settings load anywhere."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from features.selection import SelectionConfig
from market.config import Config
from models.members.catalogue import KINDS, AnyMember
from models.members.config import LgbmConfig
from models.nets.config import GruConfig

__all__ = ["AugmentConfig", "EnsembleConfig"]


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
    members
        Their settings, told apart by ``kind``; a kind's name stands for its defaults.
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
    >>> settings = {"members": ["lgbm", {"kind": "lgbm", "name": "lags", "window": 4}]}
    >>> [one.name for one in EnsembleConfig.model_validate(settings).members]
    ['lgbm', 'lags']
    """

    members: Annotated[
        tuple[Annotated[AnyMember, Field(discriminator="kind")], ...], Field(min_length=1)
    ] = (LgbmConfig(), GruConfig())
    selection: SelectionConfig | None = SelectionConfig()
    weights: Literal["uniqueness", "equal"] = "uniqueness"
    augment: AugmentConfig | None = None
    folds: Annotated[int, Field(ge=2, le=20)] = 4
    embargo: Annotated[int, Field(ge=0)] = 64
    stop_share: Annotated[float, Field(gt=0.0, le=0.5)] = 0.15
    shrink: Annotated[float, Field(ge=0.0)] = 0.5
    spread: Annotated[float, Field(ge=0.0)] = 20.0

    @field_validator("members", mode="before")
    @classmethod
    def _kinds_stand_for_defaults(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            return given
        unknown = [one for one in given if isinstance(one, str) and one not in KINDS]
        if unknown:
            raise ValueError(f"no member is a {unknown[0]}; there are {', '.join(KINDS)}")
        return [{"kind": one} if isinstance(one, str) else one for one in given]

    @field_validator("members")
    @classmethod
    def _names_differ(cls, members: tuple[AnyMember, ...]) -> tuple[AnyMember, ...]:
        twice = [name for name, count in Counter(one.name for one in members).items() if count > 1]
        if twice:
            raise ValueError(f"two are called {twice[0]}; give each a `name` of its own")
        return members
