"""How the ensemble is fitted; free of training libraries, so that settings load anywhere."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from features.selection import SelectionConfig
from market.config import Config
from models.combination.config import (
    AbstainConfig,
    CombinationConfig,
    StackConfig,
    SwitchConfig,
)
from models.drift.config import ColumnDriftConfig
from models.members.catalogue import KINDS, AnyMember
from models.members.config import LgbmConfig
from models.nets.config import GruConfig
from models.online.config import OnlineConfig
from models.regime.config import RegimeConfig

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
    combination
        How members are put together: ``stack``, ``vote`` or ``switch``.
    calibration
        What is done to the outcome, as fitted out of fold: a ``temperature``, or ``vector``, a bias
        for each class as well. A stack is calibrated without.
    abstain
        When it says the class frequencies alone; ``null``: never.
    regime
        What tells regimes apart, for a stack by regime, a switch, and reports.
    gpus
        Share of a GPU that each network's fit asks Ray for; 0: it is fitted on the processor.
    quantise
        ``int8``: networks' files are rounded to eight bits, and what they say so is what the
        combination learns from; one that is too far off stays as it is. The files are half as
        large, and slower: see :mod:`models.quantise`.
    online
        What is learnt from settled decisions while it trades; ``null``: nothing.
    column_drift
        When it is told that the columns it takes no longer look as they did in training; ``null``:
        never.

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
    combination: CombinationConfig = StackConfig()
    calibration: Literal["none", "temperature", "vector"] = "none"
    abstain: AbstainConfig | None = None
    regime: RegimeConfig | None = None
    gpus: Annotated[float, Field(ge=0.0, le=8.0)] = 0.0
    quantise: Literal["none", "int8"] = "none"
    online: OnlineConfig | None = None
    column_drift: ColumnDriftConfig | None = None

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

    @model_validator(mode="after")
    def _regimes_are_told_apart(self) -> Self:
        one = self.combination
        if isinstance(one, StackConfig) and one.by_regime and self.regime is None:
            raise ValueError("combination.by_regime: needs `regime`, which is left out")
        if isinstance(one, SwitchConfig) and self.regime is None:
            raise ValueError("combination: a switch needs `regime`, which is left out")
        return self

    @model_validator(mode="after")
    def _votes_name_members(self) -> Self:
        one, names = self.combination, {member.name for member in self.members}
        votes = one.votes if isinstance(one, SwitchConfig) else (getattr(one, "weights", {}),)
        unknown = sorted({name for vote in votes for name in vote or ()} - names)
        if unknown:
            raise ValueError(
                f"combination: no member is called {unknown[0]}; there are {', '.join(names)}"
            )
        return self
