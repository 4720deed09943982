"""Training a policy in a world: one loop over RLlib's iterations, checkpoints on a clock."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import torch
from ray.rllib.algorithms.algorithm import Algorithm

from policies.checkpoints import Checkpoints
from policies.curriculum import Ladder
from policies.rllib import off_policy, on_policy
from policies.training import Training
from policies.world import World

__all__ = ["TrainingResult", "build", "train"]

_MODULE = Path("learner_group", "learner", "rl_module", "default_policy")
_LEARNER = ("entropy", "kl", "clipped", "policy_loss", "value_loss", "explained")


@dataclass(frozen=True)
class TrainingResult:
    """What a training left behind.

    Parameters
    ----------
    checkpoint
        RLlib's, to go on from.
    module
        The trained module's folder, for :func:`policies.export.export`.
    steps
        Decisions learnt from, over all trainings into this folder.
    seconds
        Wall time of this one.
    curve
        Mean episode reward by iteration, those of earlier trainings included; ``nan`` where no
        episode has ended yet.
    speed
        Decisions learnt from a second, all told.
    """

    checkpoint: Path
    module: Path
    steps: int
    seconds: float
    curve: tuple[float, ...]
    speed: float


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Have torch use so many threads, and then as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what RLlib says of its own workings from whoever only wants a policy.

    That PPO runs on the new stack, that its own base class is deprecated, that gymnasium knew the
    environment already: true, and nothing anybody here can act on. Errors are still shown.
    """
    loggers = [logging.getLogger(name) for name in ("ray", "ray.rllib", "ray.tune")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*Overriding environment rllib-single-agent")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def build(world: World, config: Training, seed: int) -> Algorithm:
    """Make the algorithm; Ray must be running.

    Parameters
    ----------
    world
        Where to train.
    config
        How.
    seed
        Of network, exploration and episodes.

    Raises
    ------
    ValueError
        The algorithm has no use for the world's actions.
    """
    settings = {"ppo": on_policy.ppo, "dqn": off_policy.dqn, "sac": off_policy.sac}
    made = settings[config.algorithm](world, config)
    with _quiet():
        return cast(Algorithm, made.debugging(seed=seed, log_level="ERROR").build_algo())


def train(
    world: World,
    config: Training,
    seed: int,
    folder: Path,
    progress: Callable[[dict[str, float]], None],
    resume: bool = False,
    teacher: Callable[[dict[str, float]], float] | None = None,
    until: int = 0,
) -> TrainingResult:
    """Train a policy; Ray must be running.

    Parameters
    ----------
    world
        Where to train.
    config
        How.
    seed
        Same seed, and an end by ``steps``, not by ``seconds``: same policy.
    folder
        Where checkpoints go. Without ``resume``, those that lie there are deleted.
    progress
        Called after each iteration with ``steps``, ``of``, ``seconds``, ``speed`` (steps a
        second), ``level``, ``reward`` (mean of the last hundred episodes', ``nan`` before one has
        ended), ``rate``, and what the algorithm has of ``entropy``, ``kl``, ``clipped``,
        ``policy_loss``, ``value_loss`` and ``explained`` (variance; ``nan`` where it has not).
    resume
        Go on from the newest checkpoint in ``folder``, up to ``config.steps`` in all. Episodes
        begin anew, and DQN and SAC remember no decisions; all else is as it was.
    teacher
        Called after ``progress`` with the same; returns the level of the next iteration. The first
        is a ladder's own, and 0 with another teacher. Without one, the level is 1.
    until
        Stop after so many steps in all, while schedules go on by ``config.steps``; 0: at the end.

    Raises
    ------
    StateError
        ``resume``, but there is no checkpoint.
    """
    kept = Checkpoints(folder / "checkpoints")
    last = kept.required() if resume else None
    algorithm: Any = build(world, config, seed)
    end = until or config.steps
    level, before, curve = 1.0 if teacher is None else 0.0, 0, list[float]()
    if isinstance(teacher, Ladder):
        level = teacher.level
    try:
        if last is None:
            kept.clear()
        else:
            algorithm.restore_from_path(str(last.files.resolve()))
            level, before, curve = last.state["level"], last.steps, last.state["curve"]
        began = saved = perf_counter()
        steps, seconds = before, 0.0
        while steps < end and not 0.0 < config.seconds <= seconds:
            algorithm.level = level
            with _threads(config.threads):
                told = _told(algorithm.train())
            steps, seconds = int(told["steps"]), perf_counter() - began
            curve.append(told["reward"])
            told |= {"of": float(config.steps), "seconds": seconds, "level": level}
            told["speed"] = (steps - before) / seconds
            progress(told)
            if teacher is not None:
                level = teacher(told)
            if 0.0 < config.checkpoint <= perf_counter() - saved and steps < end:
                kept.save(steps, *_state(algorithm, level, curve))
                saved = perf_counter()
        if steps > before:
            kept.save(steps, *_state(algorithm, level, curve))
    finally:
        algorithm.stop()
    checkpoint = kept.required().files
    return TrainingResult(
        checkpoint=checkpoint,
        module=checkpoint / _MODULE,
        steps=steps,
        seconds=seconds,
        curve=tuple(curve),
        speed=(steps - before) / seconds if seconds else 0.0,
    )


def _state(
    algorithm: Any, level: float, curve: list[float]
) -> tuple[Callable[[Path], Any], dict[str, Any]]:
    """Return what writes the algorithm's files, and what is kept beside them."""
    return (
        lambda at: algorithm.save_to_path(str(at.resolve())),
        {"level": level, "curve": curve},
    )


def _told(results: dict[str, Any]) -> dict[str, float]:
    """Pick out of RLlib's results what is told after an iteration."""
    runners, learner = results["env_runners"], results.get("learners", {}).get("default_policy", {})
    told = {name: float(learner.get(name, nan)) for name in _LEARNER}
    rates = [value for name, value in learner.items() if name.endswith("learning_rate")]
    return told | {
        "steps": float(runners["num_env_steps_sampled_lifetime"]),
        "reward": float(runners.get("episode_return_mean", nan)),
        "rate": float(rates[0]) if rates else nan,
    }
