"""RLlib's PPO with batches that are arrays all the way."""

from __future__ import annotations

from typing import Any

import numpy as np
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    ENV_RUNNER_SAMPLING_TIMER,
    EPISODE_LEN_MEAN,
    EPISODE_RETURN_MEAN,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    NUM_EPISODES_LIFETIME,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TIMERS,
)

__all__ = ["LIFETIME", "ArrayPPO", "note"]

LIFETIME = (ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME)
"""Where RLlib counts the decisions made."""


class ArrayPPO(PPO):
    """PPO whose runners are :class:`~policies.rllib.runner.ArrayRunner`.

    An RLlib ``Algorithm`` in every other way: it is configured, checkpointed, restored, given
    remote runners and learners, and searched by Tune, as ``PPO`` is.
    """

    # RLlib says of these that they may be None, which they are not once it is set up.
    env_runner_group: Any
    learner_group: Any
    metrics: Any

    level = 1.0
    """Of the curriculum, in the next iteration."""

    _played_with = -1

    @classmethod
    def get_default_config(cls) -> Any:
        """Return PPO's, for this class."""
        settings: Any = PPOConfig
        return settings(algo_class=cls)

    def training_step(self) -> None:
        """Play, learn, hand the weights out."""
        group, level = self.env_runner_group, self.level
        steps = int(self.metrics.peek(LIFETIME, default=0))
        with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
            played = group.foreach_env_runner(
                lambda runner: runner.sample(began=steps, level=level),
                local_env_runner=group.num_remote_env_runners() == 0,
            )
        newest = [one for one in played if one[1]["weights"] > self._played_with]
        if not newest:
            return  # all runners are lost; the next step finds them restarted
        self._played_with = max(facts["weights"] for _, facts in newest)
        batch = self._gathered(newest)
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER)):
            results = self.learner_group.update(
                batch=batch, timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: steps}
            )
            self.metrics.aggregate(results, key=LEARNER_RESULTS)
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER)):
            # Waits: a runner that plays with weights of an iteration before is a silent loss.
            group.sync_weights(
                from_worker_or_learner_group=self.learner_group,
                timeout_seconds=None,
                inference_only=True,
            )

    def _gathered(self, played: list[tuple[dict[str, Any], dict[str, float]]]) -> MultiAgentBatch:
        """Put the runners' fragments together, and note what became of episodes."""
        steps = note(self.metrics, [told for _, told in played])
        columns = {
            name: np.concatenate([columns[name] for columns, _ in played])
            if len(played) > 1
            else values
            for name, values in played[0][0].items()
        }
        batch: Any = SampleBatch
        return MultiAgentBatch({DEFAULT_MODULE_ID: batch(columns)}, steps)


def note(metrics: Any, told: list[dict[str, float]]) -> int:
    """Enter what runners told into RLlib's metrics; return the decisions made."""
    for name, key in (
        ("steps", NUM_ENV_STEPS_SAMPLED_LIFETIME),
        ("episodes", NUM_EPISODES_LIFETIME),
    ):
        value = int(sum(facts[name] for facts in told))
        metrics.log_value((ENV_RUNNER_RESULTS, key), value, reduce="lifetime_sum")
    for name, key in (("reward", EPISODE_RETURN_MEAN), ("length", EPISODE_LEN_MEAN)):
        known = [facts[name] for facts in told if np.isfinite(facts[name])]
        if known:
            metrics.log_value((ENV_RUNNER_RESULTS, key), float(np.mean(known)), window=1)
    return int(sum(facts["steps"] for facts in told))
