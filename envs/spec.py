"""What a policy was made for: what it sees, what it may answer, and the rules it lives under."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from envs.action import ACTIONS, AIM, DEAD_ZONE, ENDLESS, ENTER, ENTER_FIXED, STAY
from envs.featureuse import FeatureUse
from envs.observation import OBSERVATION, Component
from market.config import Config
from market.errors import SchemaMismatch, StateError

__all__ = ["BracketActions", "ExposureActions", "FeatureUse", "PolicySpec"]

Exposure = Annotated[float, Field(ge=-1.0, le=1.0)]
Volatilities = Annotated[float, Field(ge=0.0, le=10_000.0)]
Floats = npt.NDArray[np.float64]


class ExposureActions(Config):
    """Hold what is held, or one of some exposures.

    Parameters
    ----------
    levels
        Fractions of the largest position; 0 must be one of them.
    dead_zone
        An exposure this close to the wanted one is left as it is.
    """

    mode: Literal["exposure"] = "exposure"
    levels: Annotated[tuple[Exposure, ...], Field(min_length=1)] = tuple(
        level for level in ACTIONS if level is not None
    )
    dead_zone: Annotated[float, Field(ge=0.0, lt=1.0)] = DEAD_ZONE

    @model_validator(mode="after")
    def _can_be_left(self) -> Self:
        if 0.0 not in self.levels or len(set(self.levels)) < len(self.levels):
            raise ValueError(f"levels: must differ and hold 0, were {self.levels}")
        return self

    def rows(self) -> list[tuple[float, float, float, float]]:
        """Return the table's rows."""
        return [(STAY, 0.0, 0.0, 0.0), *((AIM, level, 0.0, 0.0) for level in self.levels)]


class BracketActions(Config):
    """Hold, close, or enter with a stop and a target that rest at the venue.

    Parameters
    ----------
    sides
        Which positions may be taken.
    sizes
        Exposures, each without its sign.
    losses, profits
        Distances of stop and target from the price paid; 0: none. Each size comes with each pair of
        them.
    unit
        What distances are told in: volatilities of one event at the decision, or fractions of the
        ``price`` paid.
    """

    mode: Literal["bracket"] = "bracket"
    sides: Literal["both", "long", "short"] = "both"
    sizes: Annotated[tuple[Annotated[float, Field(gt=0.0, le=1.0)], ...], Field(min_length=1)] = (
        0.5,
        1.0,
    )
    losses: Annotated[tuple[Volatilities, ...], Field(min_length=1)] = (8.0, 20.0)
    profits: Annotated[tuple[Volatilities, ...], Field(min_length=1)] = (8.0, 20.0)
    unit: Literal["volatility", "price"] = "volatility"

    @model_validator(mode="after")
    def _are_in_their_unit(self) -> Self:
        if self.unit == "price" and max(*self.losses, *self.profits) >= 1.0:
            raise ValueError(
                f"unit: of the price, losses and profits must be below 1, were {self.losses} and "
                f"{self.profits}; give them as fractions, or use unit: volatility"
            )
        return self

    def rows(self) -> list[tuple[float, float, float, float]]:
        """Return the table's rows."""
        enter = ENTER if self.unit == "volatility" else ENTER_FIXED
        signs = {"both": (1.0, -1.0), "long": (1.0,), "short": (-1.0,)}[self.sides]
        return [
            (STAY, 0.0, 0.0, 0.0),
            (AIM, 0.0, 0.0, 0.0),
            *(
                (enter, sign * size, loss, profit)
                for sign in signs
                for size in self.sizes
                for loss in self.losses
                for profit in self.profits
            ),
        ]


class PolicySpec(Config):
    """Everything that must be the same in training and in trading.

    Parameters
    ----------
    features
        Columns of the feature engine that are seen beside :data:`envs.observation.OBSERVATION`:
        names, or names with numbers. A policy is exported with all numbers, and its digest is of
        them.
    action
        What may be answered: ``mode: exposure`` or ``mode: bracket``.
    max_hold
        Decisions after which a position is closed; 0: never.
    trades_per_hour
        Positions that may be opened within an hour of the clock (UTC); 0: any number.

    Examples
    --------
    >>> spec = PolicySpec()
    >>> spec.size, len(spec.table), spec.table[5].tolist()
    (16, 6, [1.0, 1.0, 0.0, 0.0])
    >>> len(PolicySpec(action=BracketActions()).table)
    18
    """

    features: tuple[FeatureUse, ...] = ()
    action: Annotated[ExposureActions | BracketActions, Field(discriminator="mode")] = (
        ExposureActions()
    )
    max_hold: Annotated[int, Field(ge=0)] = 0
    trades_per_hour: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _features_differ(self) -> Self:
        names = self.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"features: {', '.join(twice)} is seen twice")
        return self

    @property
    def components(self) -> tuple[Component, ...]:
        """What is seen, in order."""
        told = [(one.name, one.numbers) for one in self.features]
        return OBSERVATION + tuple(
            Component(name, -5.0, 5.0, f"(x - {has[0]:g}) / {has[1]:g}" if has else "", "a feature")
            for name, has in told
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is seen, in order."""
        return tuple(one.name for one in self.components)

    @property
    def size(self) -> int:
        """Numbers in an observation."""
        return len(OBSERVATION) + len(self.features)

    @cached_property
    def table(self) -> Floats:
        """The actions, ``float64[A, 4]``: kind, exposure, stop's and target's distance.

        Kinds are :data:`~envs.action.STAY`, :data:`~envs.action.AIM`,
        :data:`~envs.action.ENTER` (distances in volatilities of one event) and
        :data:`~envs.action.ENTER_FIXED` (as fractions of the price).
        """
        return np.array(self.action.rows(), np.float64)

    def columns(self, names: tuple[str, ...]) -> list[int]:
        """Return where the features are among the engine's columns.

        Raises
        ------
        SchemaMismatch
            One isn't there.
        """
        missing = [one.name for one in self.features if one.name not in names]
        if missing:
            raise SchemaMismatch(
                f"the policy sees {', '.join(missing)}, which the features lack; add it to "
                "features.columns, or train a policy on the columns there are"
            )
        return [names.index(one.name) for one in self.features]

    @property
    def dead_zone(self) -> float:
        """Of the actions; 0 for brackets."""
        return self.action.dead_zone if isinstance(self.action, ExposureActions) else 0.0

    @property
    def openings(self) -> int:
        """Positions that may be opened within an hour."""
        return self.trades_per_hour or ENDLESS

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of features whose centre and scale are not fitted yet."""
        return tuple(one.name for one in self.features if one.numbers is None)

    def fitted(self, values: Floats) -> PolicySpec:
        """Return the spec with a centre and a scale for every feature.

        Parameters
        ----------
        values
            ``float64[m, k]``: the features on what a policy is trained on, and on nothing else;
            see :meth:`FeatureUse.fitted`.

        Raises
        ------
        ValueError
            Another number of columns.

        Examples
        --------
        >>> spec = PolicySpec(features=("run", {"name": "slope", "scale": 2.0}))
        >>> run, slope = spec.fitted(np.array([[-1.349, 9], [0, 9], [1.349, 9]])).features
        >>> (run.centre, run.scale), (slope.centre, slope.scale)
        ((0.0, 1.0), (0.0, 2.0))
        """
        if not self.waiting:
            return self
        if values.ndim != 2 or values.shape[1] != len(self.features):
            raise ValueError(
                f"values must have {len(self.features)} columns, was of shape {values.shape}"
            )
        uses = tuple(one.fitted(values[:, k]) for k, one in enumerate(self.features))
        # No copy: that would keep the digest where it was asked for before.
        told = {name: getattr(self, name) for name in type(self).model_fields}
        return PolicySpec(**told | {"features": uses})

    @cached_property
    def scales(self) -> tuple[Floats, Floats]:
        """Centres and scales of the features, ``float64[k]`` each.

        Raises
        ------
        StateError
            Some are not fitted yet.
        """
        self.refuse_waiting()
        numbers = [one.numbers or (0.0, 1.0) for one in self.features]
        centres, scales = np.array(numbers, np.float64).reshape(-1, 2).T
        return np.ascontiguousarray(centres), np.ascontiguousarray(scales)

    def refuse_waiting(self) -> None:
        """Raise :class:`StateError` where a feature's numbers are not fitted yet."""
        if self.waiting:
            raise StateError(
                f"{', '.join(self.waiting)}: neither centre nor scale are known; give them, or "
                "take PolicySpec.fitted of the features that are trained on"
            )

    @cached_property
    def digest(self) -> str:
        """Stands for all of the above; a policy made for another one is refused."""
        told = ["v2", OBSERVATION, self.model_dump(mode="json")]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
