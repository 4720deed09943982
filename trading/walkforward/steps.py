"""Where training ends and testing begins, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.dataset import Dataset
from market.errors import ConfigError, DataError
from validation.splits import WalkForwardConfig, walk_forward

__all__ = ["Step", "in_thirds", "refuse_overlap", "steps_of"]


@dataclass(frozen=True)
class Step:
    """A stretch of decisions to learn from, and a later one to be tested on.

    Parameters
    ----------
    number
        From 1.
    start, stop
        Of the decisions learnt from, ``stop`` exclusive.
    first, last
        Of the decisions tested, ``last`` **inclusive**.
    """

    number: int
    start: int
    stop: int
    first: int
    last: int

    @property
    def tested(self) -> int:
        """How many decisions are tested."""
        return self.last - self.first + 1


def in_thirds(decisions: int, steps: int = 3, train: float = 0.4) -> WalkForwardConfig:
    """Return equal tests that cover all but the first ``train``, each after all that came before.

    Examples
    --------
    >>> config = in_thirds(1000)
    >>> config.train, config.test, config.step, config.anchored
    (400, 200, 200, True)
    """
    if steps < 1:
        raise ConfigError(f"steps must be at least 1, was {steps}")
    test = int((1.0 - train) * decisions / steps + 1e-9)
    if test < 1:
        raise DataError(f"{decisions} decisions are too few for {steps} steps; bring more history")
    return WalkForwardConfig(
        unit="decisions", train=decisions - steps * test, test=test, step=test, anchored=True
    )


def refuse_overlap(config: WalkForwardConfig) -> None:
    """Raise :class:`ConfigError` for tests that overlap: what is tested twice would count twice."""
    if config.step < config.test:
        raise ConfigError(
            f"step must be at least test ({config.test}), was {config.step}: decisions that are "
            "tested twice would count twice"
        )


def steps_of(dataset: Dataset, config: WalkForwardConfig) -> tuple[Step, ...]:
    """Cut a dataset into steps.

    Purged by the horizon, not by where each label was settled: a decision without a label has no
    end, and those before it may have outcomes in the test.

    Parameters
    ----------
    dataset
        Without the hold-out.
    config
        Lengths; tests must not overlap.

    Raises
    ------
    ConfigError
        They do.
    DataError
        The history is too short.
    """
    refuse_overlap(config)
    found = []
    parts = walk_forward(dataset.label_end, dataset.rows, config, dataset.times)
    for number, (train, test) in enumerate(parts, 1):
        border = int(dataset.rows[test[0]]) - dataset.horizon - config.embargo
        stop = min(int(train[-1]) + 1, int(np.searchsorted(dataset.rows, border)))
        if stop <= train[0]:
            raise DataError(
                f"{dataset.symbol}: step {number} has nothing to learn from that is settled "
                f"before its test; lengthen train, or shorten the horizon of {dataset.horizon}"
            )
        found.append(Step(number, int(train[0]), stop, int(test[0]), int(test[-1])))
    return tuple(found)
