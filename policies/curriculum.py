"""From an easy market to the real one: when a training takes the next step."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Self

from pydantic import Field, model_validator

from market.config import Config

__all__ = ["Curriculum", "Ladder"]

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Start = Annotated[float, Field(gt=0.0, le=1.0)]


class Curriculum(Config):
    """Levels of the world from 0, as easy as told here, to 1, the market as it is.

    At level ``l`` a quantity that begins at ``b`` stands at ``b + l (1 - b)`` of its own size.
    Every training ends at level 1: at the latest the schedule goes there.

    Parameters
    ----------
    levels
        In the order they are played, ascending, the last one 1.
    until
        Share of the training's steps after which the last level has begun; the others begin in
        equal distances before.
    reward
        Mean episode reward at which the next level begins, ahead of the schedule; none, the
        schedule alone decides.
    patience
        Iterations a level is played at least before its reward counts: until then the mean still
        has episodes of the level before.
    costs
        Costs of trading at level 0, as a share of the market's. A policy that meets full costs at
        once may learn only not to trade.
    episode
        Length of an episode at level 0, as a share of the configured one.
    volatility
        Size of the price's moves at level 0, as a share of the market's.

    Raises
    ------
    ValueError
        Levels don't ascend to 1.

    Examples
    --------
    >>> plan = Curriculum(levels=(0.0, 0.5, 1.0), until=0.6)
    >>> [plan.scheduled(share) for share in (0.0, 0.29, 0.3, 0.6, 1.0)]
    [0, 0, 1, 2, 2]
    >>> Curriculum(costs=0.2).at(0.5, 0.2)
    0.6
    """

    levels: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.0, 0.25, 0.5, 0.75, 1.0)
    until: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    reward: float | None = None
    patience: Annotated[int, Field(ge=1)] = 5
    costs: Share = 0.0
    episode: Start = 1.0
    volatility: Start = 1.0

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if list(self.levels) != sorted(set(self.levels)) or self.levels[-1] != 1.0:
            raise ValueError(f"levels must ascend and end with 1, were {self.levels}")
        return self

    def scheduled(self, share: float) -> int:
        """Return the number of the level that the schedule has begun by a share of the steps."""
        steps = len(self.levels) - 1
        if not steps:
            return 0
        # rounded: .3 of a schedule until .6 is the second of three levels, whatever binary says
        return min(steps, int(round(share * steps / self.until, 9)))

    def at(self, level: float, begin: float) -> float:
        """Return the share of its own size that a quantity stands at, which begins at ``begin``."""
        return begin + level * (1.0 - begin)


class Ladder:
    """Says at which level a training goes on.

    Parameters
    ----------
    plan
        The curriculum.
    level
        Where a resumed training stood; ``None`` at a beginning.

    Examples
    --------
    >>> ladder = Ladder(Curriculum(levels=(0.0, 0.5, 1.0), until=0.8, reward=2.0, patience=2))
    >>> told = {"steps": 10, "of": 100, "reward": 3.0}
    >>> [ladder(told) for _ in range(4)]
    [0.0, 0.5, 0.5, 1.0]
    """

    def __init__(self, plan: Curriculum, level: float | None = None) -> None:
        self.plan = plan
        self._number = 0 if level is None else max(
            (i for i, one in enumerate(plan.levels) if one <= level), default=0
        )  # fmt: skip
        self._played = 0

    @property
    def level(self) -> float:
        """Where it stands."""
        return self.plan.levels[self._number]

    def __call__(self, told: Mapping[str, float]) -> float:
        """Take an iteration's figures; return the level of the next.

        Parameters
        ----------
        told
            ``steps``, ``of`` and ``reward``; a reward that isn't finite counts as none.
        """
        plan, number = self.plan, self._number
        self._played += 1
        reward = told["reward"]
        if (
            plan.reward is not None
            and self._played >= plan.patience
            and isfinite(reward)
            and reward >= plan.reward
        ):
            number = min(number + 1, len(plan.levels) - 1)
        number = max(number, plan.scheduled(told["steps"] / told["of"]))
        if number != self._number:
            self._number, self._played = number, 0
        return self.level
