"""Training the sizing and exit policy: PPO on Ray's RLlib in the market simulator."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import ray
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.tune.registry import register_env

from market.errors import StateError
from policies.training import Training
from policies.world import World

__all__ = ["Training", "TrainingResult", "build", "train"]


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
        Mean episode reward by iteration; ``nan`` where no episode ended.
    """

    checkpoint: Path
    module: Path
    steps: int
    seconds: float
    curve: tuple[float, ...]

    @property
    def speed(self) -> float:
        """Decisions learnt from a second, all told; meaningless after a resume."""
        return self.steps / self.seconds


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


def _lanes(context: Mapping[str, Any]) -> Any:
    """Make a world's environments; the world comes through the object store, once a node."""
    return ray.get(context["world"]).make(context.get("num_envs", 1))


def build(world: World, config: Training, seed: int) -> PPO:
    """Make the algorithm; Ray must be running.

    Parameters
    ----------
    world
        Where to train.
    config
        How.
    seed
        Of network, exploration and episodes.
    """
    register_env("world", _lanes)
    settings: Any = PPOConfig  # RLlib's own annotations stop at its constructors
    algorithm = (
        settings()
        .environment(env="world", env_config={"world": ray.put(world)})
        .env_runners(
            num_env_runners=config.runners,
            num_envs_per_env_runner=config.envs,
            gym_env_vectorize_mode="vector_entry_point",
            rollout_fragment_length=config.fragment,
        )
        .learners(num_learners=0, num_gpus_per_learner=config.learner_gpus)
        .training(
            lr=[[0, config.rate], [config.steps, 0.0]],
            gamma=config.gamma,
            lambda_=config.gae,
            entropy_coeff=config.entropy,
            use_kl_loss=False,
            clip_param=0.2,
            vf_clip_param=float("inf"),
            grad_clip=0.5,
            grad_clip_by="global_norm",
            train_batch_size_per_learner=config.batch,
            minibatch_size=config.minibatch,
            num_epochs=config.epochs,
        )
        .rl_module(
            model_config=DefaultModelConfig(
                fcnet_hiddens=list(config.hidden), fcnet_activation="tanh", vf_share_layers=False
            )
        )
        .debugging(seed=seed, log_level="ERROR")
    )
    with _quiet():
        return cast(PPO, algorithm.build_algo())


def train(
    world: World,
    config: Training,
    seed: int,
    folder: Path,
    progress: Callable[[dict[str, float]], None],
    resume: bool = False,
) -> TrainingResult:
    """Train a policy; Ray must be running.

    Parameters
    ----------
    world
        Where to train.
    config
        How.
    seed
        Same seed, no remote runners, and an end by ``steps``, not by ``seconds``: same policy.
    folder
        Where the checkpoint goes.
    progress
        Called after each iteration with ``steps``, ``of``, ``seconds``, ``reward`` (mean of an
        episode's, ``nan`` before one has ended) and ``entropy``.
    resume
        Go on from the checkpoint in ``folder``, up to ``config.steps`` in all.

    Raises
    ------
    StateError
        ``resume``, but there is no checkpoint.
    """
    checkpoint = folder / "checkpoint"
    if resume and not checkpoint.is_dir():
        raise StateError(f"no checkpoint in {folder}; train without resume first")
    algorithm: Any = build(world, config, seed)
    try:
        if resume:
            algorithm.restore_from_path(str(checkpoint.resolve()))
        began, steps, curve = perf_counter(), 0, []
        while True:
            results = algorithm.train()
            runners, learner = results["env_runners"], results["learners"]["default_policy"]
            steps = int(runners["num_env_steps_sampled_lifetime"])
            curve.append(float(runners.get("episode_return_mean", nan)))
            seconds = perf_counter() - began
            progress(
                {
                    "steps": steps,
                    "of": config.steps,
                    "seconds": seconds,
                    "reward": curve[-1],
                    "entropy": float(learner["entropy"]),
                }
            )
            if steps >= config.steps or 0.0 < config.seconds <= seconds:
                break
        algorithm.save_to_path(str(checkpoint.resolve()))
    finally:
        algorithm.stop()
    return TrainingResult(
        checkpoint=checkpoint,
        module=checkpoint / "learner_group" / "learner" / "rl_module" / "default_policy",
        steps=steps,
        seconds=perf_counter() - began,
        curve=tuple(curve),
    )
