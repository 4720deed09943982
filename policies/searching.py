"""Searching a training's settings: what is tried, what is given up, and what came of it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
import numpy as np
from pydantic import Field, ValidationError, model_validator

from market.config import Config, reason_of
from market.errors import ConfigError
from policies.training import Training

__all__ = ["Book", "PolicySearch", "Range", "Row", "drawn", "proposal", "told"]

Positive = Annotated[int, Field(ge=1)]
Simple = bool | int | float | str
Choice = Simple | tuple[Simple, ...]


class Range(Config):
    """A range that a setting is drawn from.

    Parameters
    ----------
    low, high
        Its ends; whole numbers are drawn if both are.
    log
        Whether each decade is as likely as the next.
    """

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(
                f"low must be below high, and positive if log, were {self.low} and {self.high}"
            )
        return self

    def draw(self, rng: np.random.Generator) -> int | float:
        """Draw one."""
        ends = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        value = rng.uniform(*ends)
        value = math.exp(value) if self.log else value
        if isinstance(self.low, int) and isinstance(self.high, int):
            return min(self.high, max(self.low, round(value)))
        return float(min(self.high, max(self.low, value)))


_SPACE: dict[str, Range | tuple[Choice, ...]] = {
    "rate": Range(low=3e-4, high=5e-3, log=True),
    "gamma": (0.8, 0.9, 0.95, 0.98),
    "gae": (0.8, 0.9, 0.95),
    "entropy": Range(low=1e-4, high=1e-2, log=True),
    "epochs": (4, 6, 10),
    "hidden": ((32,), (64, 64), (128, 128)),
    "env.reward.risk": (0.0, 0.01, 0.1, 1.0),
    "env.reward.turnover": (0.0, 0.01, 0.1),
}


class PolicySearch(Config):
    """What is searched, and how trials are given up.

    Parameters
    ----------
    space
        Settings by dotted name, each with a range or a list of choices. Trial 0 is the config's
        own settings; the others are drawn independently.
    trials
        How many.
    rungs, reduction
        Successive halving (ASHA's stopping rule; Li et al., 2020): a trial is judged after
        ``steps / reduction^k`` decisions for ``k = rungs - 1 ... 0``, and goes on from a rung if it
        is not below the best ``1 / reduction`` of all that were judged there so far.
    validation
        Share of the training span, the latest of it, that trials are judged by and never learn
        from. The hold-out is not touched.
    workers
        Trials at a time; 0: one a processor.

    Examples
    --------
    >>> PolicySearch(rungs=3, reduction=4).steps(64_000)
    (4000, 16000, 64000)
    """

    space: Annotated[dict[str, Range | tuple[Choice, ...]], Field(min_length=1)] = _SPACE
    trials: Positive = 16
    rungs: Annotated[int, Field(ge=1, le=6)] = 3
    reduction: Annotated[float, Field(gt=1.0, le=10.0)] = 3.0
    validation: Annotated[float, Field(gt=0.05, lt=0.6)] = 0.25
    workers: Annotated[int, Field(ge=0)] = 0

    def steps(self, most: int) -> tuple[int, ...]:
        """Return the decisions after which a trial is judged, ascending."""
        exponents = range(self.rungs - 1, -1, -1)
        return tuple(max(1, int(most / self.reduction**k)) for k in exponents)


def drawn(search: PolicySearch, seed: int, number: int) -> dict[str, Choice]:
    """Return the settings of a trial; equal for equal search, seed and number.

    Examples
    --------
    >>> search = PolicySearch(space={"gamma": [0.8, 0.9], "rate": {"low": 0.001, "high": 0.01}})
    >>> drawn(search, 7, 0), drawn(search, 7, 1) == drawn(search, 7, 1)
    ({}, True)
    >>> sorted(drawn(search, 7, 1))
    ['gamma', 'rate']
    """
    if number == 0:
        return {}
    rng = np.random.default_rng([seed, number])
    return {
        name: one.draw(rng) if isinstance(one, Range) else one[int(rng.integers(len(one)))]
        for name, one in sorted(search.space.items())
    }


def proposal(training: Training, changed: Mapping[str, Choice]) -> Training:
    """Return a training with settings changed by dotted names.

    Raises
    ------
    ConfigError
        A setting isn't there, or its value is impossible.

    Examples
    --------
    >>> proposal(Training(), {"env.reward.risk": 0.5}).env.reward.risk
    0.5
    """
    plain: dict[str, Any] = training.model_dump()
    for name, value in changed.items():
        *heads, last = name.split(".")
        at = plain
        for head in heads:
            inner = at.get(head)
            if not isinstance(inner, dict):
                raise ConfigError(f"{name}: training has no {head} with settings", key="space")
            at = inner
        at[last] = value
    try:
        return Training.model_validate(plain)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(("space", *map(str, fault["loc"])))
        raise ConfigError(reason_of(fault), key=where) from error


class Row(msgspec.Struct, frozen=True):
    """What a trial came to at a rung.

    Parameters
    ----------
    number
        The trial's.
    trial
        Among everything ever judged on the symbol; 0 until it is counted.
    rung
        From 0.
    steps
        Decisions it had learnt from.
    score
        Mean log return per decision on the validation span, net of costs, in units of what the
        largest position moves by in a decision.
    low, high
        Its 95 % interval.
    state
        ``on`` (goes on), ``pruned``, ``done`` or ``failed``.
    reason
        Why it failed.
    """

    number: int
    trial: int
    rung: int
    steps: int
    score: float
    low: float
    high: float
    state: Literal["counted", "on", "pruned", "done", "failed"]
    reason: str = ""


class Book:
    """A search's rows, each durable before the next: a search that was killed goes on from them.

    Parameters
    ----------
    path
        A file of JSON lines; a last line cut short by a crash is dropped.
    search
        Whose rule gives trials up.
    """

    def __init__(self, path: Path, search: PolicySearch) -> None:
        self.path, self._search = path, search
        self.rows: list[Row] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            whole, _, _ = path.read_bytes().rpartition(b"\n")
            self.rows = [msgspec.json.decode(line, type=Row) for line in whole.splitlines()]
            scratch = path.with_suffix(".new")
            scratch.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in self.rows))
            scratch.replace(path)

    def add(self, row: Row) -> None:
        """Write a row down."""
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.rows.append(row)

    def trial(self, number: int) -> int:
        """Return the number a trial was counted by; 0 if it wasn't yet."""
        return next((one.trial for one in self.rows if one.number == number and one.trial), 0)

    def last(self, number: int) -> Row | None:
        """Return what a trial came to last; ``None`` before its first rung."""
        rows = [one for one in self.rows if one.number == number and one.state != "counted"]
        return rows[-1] if rows else None

    def ended(self, number: int) -> bool:
        """Whether nothing is left to do of a trial."""
        row = self.last(number)
        return row is not None and row.state != "on"

    def judged(self, number: int, rung: int, score: float) -> Literal["on", "pruned", "done"]:
        """Say how a trial goes on from a rung where it has this score."""
        if rung == self._search.rungs - 1:
            return "done"
        others = [
            one.score
            for one in self.rows
            if one.rung == rung and one.number != number and one.state in ("on", "pruned", "done")
        ]
        better = sum(other > score for other in others)
        return "on" if better < max(1, math.ceil((len(others) + 1) / self._search.reduction)) else (
            "pruned"
        )  # fmt: skip

    @property
    def best(self) -> Row | None:
        """The best of those judged at the last rung; the config's own settings win a tie."""
        done = [one for one in self.rows if one.state == "done"]
        return max(done, key=lambda one: (one.score, -one.number), default=None)


def told(changed: Mapping[str, Choice]) -> str:
    """Return settings in a few words."""
    if not changed:
        return "as configured"
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {json.dumps(value)}"
        for name, value in changed.items()
    )
