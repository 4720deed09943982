"""DQN's and SAC's settings in RLlib's words."""

from __future__ import annotations

from typing import Any

import numpy as np
import ray
from gymnasium.spaces import Box
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig

from policies.rllib.replaying import (
    ArrayDQN,
    ArrayDQNLearner,
    ArraySAC,
    ArraySACLearner,
    ReplayRunner,
)
from policies.training import Training
from policies.world import World

__all__ = ["dqn", "sac"]


def dqn(world: World, config: Training) -> Any:
    """Return RLlib's configuration of DQN: double, dueling, without distributions.

    Raises
    ------
    ValueError
        The world's actions are continuous.
    """
    if isinstance(world.make(1).single_action_space, Box):
        raise ValueError(f"dqn needs numbered actions, {world.name} has continuous ones; take sac")
    made = _common(ArrayDQN.get_default_config(), ArrayDQNLearner, world, config)
    return made.training(
        lr=[[0, config.rate], [config.steps, 0.0]],
        double_q=True,
        dueling=True,
        num_atoms=1,
        target_network_update_freq=1,
    )


def sac(world: World, config: Training) -> Any:
    """Return RLlib's configuration of SAC: twin critics, a temperature that finds itself.

    Raises
    ------
    ValueError
        The world's actions are numbered, or without bounds.
    """
    space = world.make(1).single_action_space
    if not isinstance(space, Box) or not np.isfinite([space.low, space.high]).all():
        raise ValueError(
            f"sac needs continuous actions within bounds, {world.name} has {space}; "
            "take ppo, or dqn where they are numbered"
        )
    made = _common(ArraySAC.get_default_config(), ArraySACLearner, world, config)
    rates = [[0, config.rate], [config.steps, 0.0]]
    return made.training(
        actor_lr=rates,
        critic_lr=rates,
        alpha_lr=rates,
        lr=None,
        twin_q=True,
        initial_alpha=0.2,
        target_entropy="auto",
        target_network_update_freq=1,
    )


def _common(settings: Any, learner: type[Any], world: World, config: Training) -> Any:
    lanes = world.make(1)
    made = (
        settings.environment(
            env="world",
            env_config={
                "world": ray.put(world),
                "replay": config.replay,
                "batch": config.batch,
                "steps": config.steps,
            },
            observation_space=lanes.single_observation_space,
            action_space=lanes.single_action_space,
        )
        .env_runners(
            env_runner_cls=ReplayRunner,
            num_env_runners=config.runners,
            num_envs_per_env_runner=config.envs,
        )
        .learners(learner_class=learner, num_learners=0, num_gpus_per_learner=config.learner_gpus)
        .training(
            gamma=config.gamma,
            tau=config.replay.tau,
            grad_clip=config.gradient,
            grad_clip_by="global_norm",
            train_batch_size_per_learner=config.minibatch,
            # The replay is ours; RLlib's is made all the same, and stays empty.
            replay_buffer_config={"type": "EpisodeReplayBuffer", "capacity": 1},
        )
        .reporting(min_sample_timesteps_per_iteration=0, min_time_s_per_iteration=0)
        .rl_module(
            model_config=DefaultModelConfig(
                fcnet_hiddens=list(config.hidden),
                fcnet_activation=config.activation,
                head_fcnet_hiddens=[],
            )
        )
    )
    made._dont_auto_sync_env_runner_states = True  # no connectors, no state of theirs
    return made
