"""PPO's settings in RLlib's words."""

from __future__ import annotations

from typing import Any

import ray
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from policies.rllib.algorithm import ArrayPPO
from policies.rllib.learner import ArrayLearner
from policies.rllib.module import PolicyModule
from policies.rllib.runner import ArrayRunner
from policies.training import Training
from policies.world import World

__all__ = ["ArrayPPO", "ppo"]


def ppo(world: World, config: Training) -> Any:
    """Return RLlib's configuration of PPO on the fast path."""
    lanes = world.make(1)
    settings: Any = ArrayPPO.get_default_config()
    end = config.entropy if config.entropy_end is None else config.entropy_end
    made = (
        settings.environment(
            env="world",
            env_config={"world": ray.put(world), "sequence": config.sequence},
            observation_space=lanes.single_observation_space,
            action_space=lanes.single_action_space,
        )
        .env_runners(
            env_runner_cls=ArrayRunner,
            num_env_runners=config.runners,
            num_envs_per_env_runner=config.envs,
            rollout_fragment_length=config.fragment,
        )
        .learners(
            learner_class=ArrayLearner,
            learner_config_dict={"target_kl": config.target_kl},
            num_learners=0,
            num_gpus_per_learner=config.learner_gpus,
        )
        .training(
            lr=[[0, config.rate], [config.steps, 0.0]],
            gamma=config.gamma,
            lambda_=config.gae,
            entropy_coeff=[[0, config.entropy], [config.steps, end]],
            vf_loss_coeff=config.value,
            use_kl_loss=False,
            clip_param=config.clip,
            vf_clip_param=float("inf"),
            grad_clip=config.gradient,
            grad_clip_by="global_norm",
            train_batch_size_per_learner=config.batch,
            minibatch_size=config.minibatch,
            num_epochs=config.epochs,
        )
        .rl_module(
            rl_module_spec=RLModuleSpec(
                module_class=PolicyModule,
                observation_space=lanes.single_observation_space,
                action_space=lanes.single_action_space,
                model_config={
                    "design": {
                        "network": config.network,
                        "hidden": config.hidden,
                        "activation": config.activation,
                        "squash": config.squash,
                        "spread": config.spread,
                        "normalise": config.normalise,
                        "spec": world.spec if config.masks else None,
                    }
                },
            )
        )
    )
    made._dont_auto_sync_env_runner_states = True  # no connectors, no state of theirs
    return made
