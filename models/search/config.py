"""What is searched, for how long, and by what it is judged."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from features.labels import LabelConfig
from market.config import Config, reason_of
from models.members.catalogue import KINDS
from models.members.config import MemberConfig
from models.search.ranges import DEFAULT, Range, Setting, corners, settings_of

__all__ = ["SearchConfig"]


class SearchConfig(Config):
    """A search over families of members, their settings, columns and labels.

    Parameters
    ----------
    members
        Families: kinds of members. Each is tried at its defaults first.
    settings
        By family, what is searched of it beside, or in place of, what :data:`~.ranges.DEFAULT`
        says: a range ``{low, high, log}``, a list of choices, or one value.
    columns
        Sets of columns to try, each as ``features.columns`` has it; none: the floor's alone.
    selection
        Numbers of columns to try, each as ``ensemble.selection.columns``; 0 takes all of them.
        None: the floor's alone.
    labels
        Labels to try, each as the floor's ``labels``; none: the floor's alone.
    objective
        What a trial is judged by, see :mod:`~.objective`. ``auto`` is ``direction`` where labels
        are searched, ``information`` elsewhere.
    trials
        Most trials of one search, combinations included; 0: 60, or no limit where time has one.
    seconds
        Time for everything, of which the final search has two shares, and each step's one; no trial
        begins after it. 0: no limit.
    outer
        Walk-forward steps on which the search itself is judged; each is a search of its own, on
        what lies before. 0: the search goes unjudged.
    first
        Share of the training span before the first of these steps.
    startup
        Trials of a search before it learns from them, or stops any early.
    keep
        Trials that go on after a fold, by their mean over the folds so far: the best of this share.
        1: all.
    together
        Most families in a combination; 1: none is tried.
    workers
        Trials at a time; 0: as many as there are processors. With one, the same seed gives the
        same trials.

    Examples
    --------
    >>> leaves = {"low": 4, "high": 9}
    >>> search = SearchConfig(members=["lgbm"], settings={"lgbm": {"leaves": leaves}})
    >>> search.space("lgbm")["leaves"]
    Range(low=4, high=9, log=False)
    >>> SearchConfig(members=["lgbm"], settings={"lgbm": {"leafs": 4}})
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for SearchConfig
      Value error, settings.lgbm: no setting 'leafs'; there are ...
    """

    members: Annotated[tuple[str, ...], Field(min_length=1)] = tuple(KINDS)
    settings: dict[str, dict[str, Setting]] = Field(default_factory=dict)
    columns: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    selection: tuple[Annotated[int, Field(ge=0, le=10_000)], ...] = ()
    labels: tuple[LabelConfig, ...] = ()
    objective: Literal["auto", "information", "direction", "traded"] = "auto"
    trials: Annotated[int, Field(ge=0, le=100_000)] = 0
    seconds: Annotated[float, Field(ge=0.0)] = 0.0
    outer: Annotated[int, Field(ge=0, le=20)] = 2
    first: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    startup: Annotated[int, Field(ge=1)] = 10
    keep: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    together: Annotated[int, Field(ge=1, le=10)] = 4
    workers: Annotated[int, Field(ge=0, le=1024)] = 0

    @field_validator("members", "columns", "selection")
    @classmethod
    def _once(cls, given: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(given)) < len(given):
            raise ValueError("must not name anything twice")
        return given

    @model_validator(mode="after")
    def _families_are_known(self) -> Self:
        for kind in (*self.members, *self.settings):
            if kind not in KINDS:
                raise ValueError(f"no member is a {kind}; there are {', '.join(KINDS)}")
        idle = sorted(set(self.settings) - set(self.members))
        if idle:
            raise ValueError(f"settings.{idle[0]}: is not searched; add it to `members`")
        for kind, given in self.settings.items():
            _check(kind, given)
        return self

    @property
    def judged_by(self) -> Literal["information", "direction", "traded"]:
        """The objective, ``auto`` decided."""
        if self.objective == "auto":
            return "direction" if len(self.labels) > 1 else "information"
        return self.objective

    @property
    def most(self) -> int:
        """Most trials of one search."""
        return self.trials or (100_000 if self.seconds else 60)

    def space(self, kind: str) -> dict[str, Setting]:
        """Return what is searched of a family."""
        return {**DEFAULT.get(kind, {}), **self.settings.get(kind, {})}


def _check(kind: str, given: dict[str, Setting]) -> None:
    """Raise where a family would not take a value at the end of its range."""
    found: type[MemberConfig] = settings_of(kind)
    for name, setting in given.items():
        known = sorted(set(found.model_fields) - {"kind", "name"})
        if name not in known:
            raise ValueError(f"settings.{kind}: no setting {name!r}; there are {', '.join(known)}")
        whole = found.model_fields[name].annotation is int
        if whole and isinstance(setting, Range) and not setting.whole:
            raise ValueError(f"settings.{kind}.{name}: must be whole numbers from low to high")
        for value in corners(setting):
            try:
                found.model_validate({name: value})
            except ValidationError as error:
                faults = [one for one in error.errors() if one["loc"][:1] == (name,)]
                if faults:  # others are about settings that are searched as well
                    why = reason_of(faults[0])
                    raise ValueError(f"settings.{kind}.{name}: {why}, was {value}") from None
