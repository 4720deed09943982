"""DQN's and SAC's settings in RLlib's words: its own algorithms, on its own path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ray
from gymnasium.spaces import Box
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.tune.registry import register_env

from policies.training import Training
from policies.world import World

__all__ = ["begin_anew", "dqn", "sac"]


def dqn(world: World, config: Training) -> Any:
    """Return RLlib's configuration of DQN: double, dueling, without distributions."""
    if isinstance(world.make(1).single_action_space, Box):
        raise ValueError(f"dqn needs numbered actions, {world.name} has continuous ones; take sac")
    half = max(1, config.steps // 2)
    settings: Any = DQNConfig
    return _common(settings(), world, config).training(
        lr=[[0, config.rate], [config.steps, 0.0]],
        epsilon=[[0, 1.0], [half, config.replay.epsilon]],
        double_q=True,
        dueling=True,
        num_atoms=1,
        target_network_update_freq=1,
    )


def sac(world: World, config: Training) -> Any:
    """Return RLlib's configuration of SAC: twin critics, a temperature that finds itself."""
    if not isinstance(world.make(1).single_action_space, Box):
        raise ValueError(f"sac needs continuous actions, {world.name} has numbered ones; take dqn")
    settings: Any = SACConfig
    return _common(settings(), world, config).training(
        actor_lr=config.rate,
        critic_lr=config.rate,
        alpha_lr=config.rate,
        lr=None,
        twin_q=True,
        initial_alpha=0.2,
        target_entropy="auto",
    )


def begin_anew(level: float) -> Callable[[Any], None]:
    """Return what makes a runner play at ``level``."""

    def change(runner: Any) -> None:
        runner.config.env_config["level"] = level
        runner.make_env()

    return change


def _common(settings: Any, world: World, config: Training) -> Any:
    register_env("world", _lanes)
    replay = config.replay
    return (
        settings.environment(env="world", env_config={"world": ray.put(world), "level": 1.0})
        .env_runners(
            num_env_runners=config.runners,
            num_envs_per_env_runner=config.envs,
            gym_env_vectorize_mode="vector_entry_point",
            rollout_fragment_length=1,
        )
        .learners(num_learners=0, num_gpus_per_learner=config.learner_gpus)
        .training(
            gamma=config.gamma,
            n_step=replay.lookahead,
            tau=replay.tau,
            grad_clip=config.gradient,
            grad_clip_by="global_norm",
            train_batch_size_per_learner=config.minibatch,
            training_intensity=replay.updates * config.minibatch / config.envs,
            num_steps_sampled_before_learning_starts=replay.warmup,
            replay_buffer_config={"type": "EpisodeReplayBuffer", "capacity": replay.capacity},
        )
        .reporting(min_sample_timesteps_per_iteration=config.envs * config.fragment)
        .rl_module(
            model_config=DefaultModelConfig(
                fcnet_hiddens=list(config.hidden),
                fcnet_activation=config.activation,
                head_fcnet_hiddens=[],
            )
        )
    )


def _lanes(context: Mapping[str, Any]) -> Any:
    """Make a world's environments; the world comes through the object store, once a node."""
    world = ray.get(context["world"]).with_level(context["level"])
    return world.make(context.get("num_envs", 1))
