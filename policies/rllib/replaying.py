"""RLlib's DQN and SAC with transitions that are arrays all the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from ray.rllib.algorithms.dqn import DQN, DQNConfig
from ray.rllib.algorithms.dqn.torch.dqn_torch_learner import DQNTorchLearner
from ray.rllib.algorithms.sac import SAC, SACConfig
from ray.rllib.algorithms.sac.torch.sac_torch_learner import SACTorchLearner
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import (
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    TIMERS,
)

from policies.rllib.algorithm import LIFETIME, note
from policies.rllib.gae import tally
from policies.rllib.replay import Ring
from policies.rllib.runner import Array, ArrayRunner

__all__ = ["ArrayDQN", "ArrayDQNLearner", "ArraySAC", "ArraySACLearner", "ReplayRunner"]

_STRIDE = 8
_NARROW, _WIDE = -5.0, 2.0  # what RLlib cuts the logarithm of the spread to


class ReplayRunner(ArrayRunner):
    """Plays a world's lanes side by side and returns the transitions."""

    @torch.inference_mode()
    def sample(  # type: ignore[override]
        self, *, began: int = 0, level: float = 1.0, chance: float = 0.0, **_: Any
    ) -> tuple[dict[str, Array], dict[str, float]]:
        """Play some steps of every lane.

        Parameters
        ----------
        began, level
            As :meth:`policies.rllib.runner.ArrayRunner.sample`'s.
        chance
            Of a random action, where actions are numbered.
        """
        rng = self._ready(began, level)
        parts: list[dict[str, Array]] = []
        shape = (_STRIDE, self.num_envs)
        rewards, ended = np.empty(shape), np.empty(shape, np.bool_)
        valid = np.empty(shape, np.bool_)
        for t in range(_STRIDE):
            seen, valid[t] = self._seen.copy(), ~self._over
            actions, chosen = self._chosen(seen, chance, rng)
            after, rewards[t], terminated, truncated, _ = self.env.step(chosen)
            ended[t] = terminated | truncated
            row = {
                "obs": seen,
                "actions": actions,
                "rewards": rewards[t].astype(np.float32),
                "new_obs": np.array(after),
                "terminateds": terminated.copy(),
            }
            parts.append({name: values[valid[t]] for name, values in row.items()})
            self._seen, self._over = after, ended[t].copy()
        columns = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
        found = np.empty((rewards.size, 2))
        count = tally(rewards, ended, valid, self._running, found)
        return columns, self._told(int(valid.sum()), found[:count])

    def _chosen(self, seen: Array, chance: float, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return actions as they are learnt from, and as the environment takes them."""
        observation, space = torch.from_numpy(seen), self.env.single_action_space
        if not isinstance(space, Box):
            worth = self.module.compute_q_values({"obs": observation})["qf_preds"]
            best = worth.numpy().argmax(1)
            tried = rng.integers(space.n, size=len(best))
            actions = np.where(rng.random(len(best)) < chance, tried, best)
            return actions, actions
        inputs = self.module.forward_exploration({"obs": observation})["action_dist_inputs"]
        middle, spread = (one.numpy() for one in inputs.chunk(2, -1))
        noise = rng.standard_normal(middle.shape, np.float32)
        bent = np.tanh(middle + np.exp(np.clip(spread, _NARROW, _WIDE)) * noise)
        return bent, space.low + (bent + 1.0) * 0.5 * (space.high - space.low)


class _Updates:
    """A learner's update that takes several minibatches at once, each followed by the target's."""

    config: Any
    module: Any
    metrics: Any
    _device: Any
    _weights_seq_no: int

    def update(self, *, training_data: Any, timesteps: dict[str, Any], **_: Any) -> Any:
        """Learn from a batch, a minibatch at a time and each once."""
        learner: Any = self
        self._weights_seq_no += 1
        training_data.solve_refs()
        columns = {
            name: torch.from_numpy(values).to(self._device)
            for name, values in training_data.batch[DEFAULT_MODULE_ID].items()
        }
        rows, size = len(columns["obs"]), self.config.train_batch_size_per_learner
        module = self.module[DEFAULT_MODULE_ID].unwrapped()
        for begin in range(0, rows, size):
            part = {name: values[begin : begin + size] for name, values in columns.items()}
            learner._update({DEFAULT_MODULE_ID: part})
            with torch.no_grad():
                for net, target in module.get_target_network_pairs():
                    for new, old in zip(net.parameters(), target.parameters(), strict=True):
                        old.lerp_(new, self.config.tau)
        # RLlib's own update of the target, after each of its updates, has nothing left to do.
        learner.last_update_ts_by_mid[DEFAULT_MODULE_ID] = timesteps[NUM_ENV_STEPS_SAMPLED_LIFETIME]
        learner.after_gradient_based_update(timesteps=timesteps)
        results = self.metrics.reduce()
        results[DEFAULT_MODULE_ID].pop("td_error", None)
        return results


class ArrayDQNLearner(_Updates, DQNTorchLearner):  # type: ignore[misc]
    """RLlib's loss of DQN over arrays."""


class ArraySACLearner(_Updates, SACTorchLearner):  # type: ignore[misc]
    """RLlib's losses of SAC over arrays."""


class _Replaying:
    """The loop of an algorithm that learns from what it remembers."""

    config: Any
    env_runner_group: Any
    learner_group: Any
    metrics: Any
    _ring: Ring | None = None

    level = 1.0
    """Of the curriculum, in the next iteration."""

    def training_step(self) -> None:
        """Play, remember, learn, and hand the weights out, until a batch has been played."""
        settings, group, level = self.config.env_config["replay"], self.env_runner_group, self.level
        ring = self._ring = self._ring or Ring(settings.capacity)
        begin = int(self.metrics.peek(LIFETIME, default=0))
        steps = begin
        while steps < begin + self.config.env_config["batch"]:
            chance = max(settings.epsilon, 1.0 - 2.0 * steps / self.config.env_config["steps"])
            at = steps
            with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
                played = group.foreach_env_runner(
                    lambda runner, at=at, chance=chance: runner.sample(
                        began=at, level=level, chance=chance
                    ),
                    local_env_runner=group.num_remote_env_runners() == 0,
                )
            if not played:
                return  # all runners are lost; the next step finds them restarted
            for columns, _ in played:
                ring.add(columns)
            steps += note(self.metrics, [told for _, told in played])
            if len(ring) < settings.warmup:
                continue
            with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER)):
                results = self.learner_group.update(
                    batch=self._batch(ring, settings.updates, steps),
                    timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: steps},
                )
                self.metrics.aggregate(results, key=LEARNER_RESULTS)
            group.sync_weights(
                from_worker_or_learner_group=self.learner_group,
                timeout_seconds=None,
                inference_only=True,
            )

    def _batch(self, ring: Ring, updates: int, steps: int) -> MultiAgentBatch:
        rows = updates * _STRIDE * self.config.train_batch_size_per_learner
        columns = ring.sample(rows, np.random.default_rng([self.config.seed or 0, steps]))
        columns["weights"] = np.ones(rows, np.float32)
        columns["n_step"] = np.ones(rows, np.float32)
        batch: Any = SampleBatch
        return MultiAgentBatch({DEFAULT_MODULE_ID: batch(columns)}, rows)


class ArrayDQN(_Replaying, DQN):
    """DQN whose runners are :class:`ReplayRunner`; RLlib's in every other way."""

    @classmethod
    def get_default_config(cls) -> Any:
        """Return DQN's, for this class."""
        settings: Any = DQNConfig
        return settings(algo_class=cls)


class ArraySAC(_Replaying, SAC):
    """SAC whose runners are :class:`ReplayRunner`; RLlib's in every other way."""

    @classmethod
    def get_default_config(cls) -> Any:
        """Return SAC's, for this class."""
        settings: Any = SACConfig
        return settings(algo_class=cls)
