"""Rollouts as whole arrays: what RLlib's own runner does item by item, a lane at a time."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import ray
import torch
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

from market.errors import StateError
from policies.network import Network
from policies.rllib.gae import advantages, masks, tally

__all__ = ["ArrayRunner", "Fragment"]

Array = npt.NDArray[Any]

_RECENT = 100
_NEVER = -1e9
_TINY = np.float32(1e-30)


@dataclass(frozen=True)
class Fragment:
    """What was played: ``t`` steps of ``n`` lanes.

    Parameters
    ----------
    seen
        ``float32[t + 1, n, size]``: observations, and the ones after the last step.
    answers
        ``float32[t, n, outputs]``: what the network said.
    actions
        ``int64[t, n]``; continuous ones ``float32[t, n, outputs]``, before they are bounded.
    rewards, terminated, ended
        ``float64[t, n]``, ``bool[t, n]``, ``bool[t, n]``: of each step.
    valid
        ``bool[t, n]``: false where a lane only began its next episode.
    fresh
        ``bool[t, n]``: the observation is an episode's first, or the first after a gap, where the
        world tells of gaps (``torn``): what was remembered is forgotten.
    values
        ``float32[t + 1, n]``: what the critic expected.
    allowed
        ``bool[t, n, outputs]``: actions that could be taken; ``t`` is 0 without masks.
    """

    seen: npt.NDArray[np.float32]
    answers: npt.NDArray[np.float32]
    actions: Array
    rewards: npt.NDArray[np.float64]
    terminated: npt.NDArray[np.bool_]
    ended: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]
    fresh: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float32]
    allowed: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, steps: int, lanes: int, network: Network) -> Fragment:
        """Make room."""
        size, outputs = network.design.size, network.design.outputs
        box = bool(network.design.low)
        flat, flags = (steps, lanes), np.bool_
        return cls(
            seen=np.empty((steps + 1, lanes, size), np.float32),
            answers=np.empty((*flat, outputs), np.float32),
            actions=np.empty((*flat, outputs), np.float32) if box else np.empty(flat, np.int64),
            rewards=np.empty(flat),
            terminated=np.empty(flat, flags),
            ended=np.empty(flat, flags),
            valid=np.empty(flat, flags),
            fresh=np.empty(flat, flags),
            values=np.empty((steps + 1, lanes), np.float32),
            allowed=np.empty((steps if network.design.spec else 0, lanes, outputs), flags),
        )


class ArrayRunner(SingleAgentEnvRunner):
    """Plays a world's lanes side by side and works out the advantages.

    RLlib's runner makes an object of every episode and passes every step through chains of
    connectors, which costs ten times what the network does. Here a fragment is a handful of
    arrays, and nothing is done a lane at a time.

    Raises
    ------
    StateError
        The world's environments don't reset in the step after an episode's end: a batch would
        hold false observations.
    """

    config: Any
    env: Any
    module: Any
    level = 1.0

    def make_env(self) -> None:
        """Make the world's lanes."""
        world = ray.get(self.config.env_config["world"]).with_level(self.level)
        self.env = world.make(self.config.num_envs_per_env_runner)
        self.num_envs = self.env.num_envs
        mode = self.env.metadata.get("autoreset_mode")
        if mode is not AutoresetMode.NEXT_STEP:
            raise StateError(
                f"{world.name}: environments must reset in the step after an episode's end "
                f"(autoreset_mode NEXT_STEP), this is {mode}"
            )
        self._begun = False
        self._running = np.zeros((self.num_envs, 2))
        self._recent: deque[Array] = deque(maxlen=_RECENT)

    @torch.inference_mode()
    def sample(  # type: ignore[override]
        self, *, began: int = 0, level: float = 1.0, **_: Any
    ) -> tuple[dict[str, Array], dict[str, float]]:
        """Play a fragment of every lane.

        Parameters
        ----------
        began
            Decisions learnt from before: with the seed and the runner's number it decides all
            that is random in the fragment.
        level
            Of the curriculum; another one than the last time begins new episodes.

        Returns
        -------
        tuple[dict[str, ndarray], dict[str, float]]
            The batch, a row a decision (with a memory, a row a sequence); and ``steps``,
            ``episodes``, ``reward`` (mean of the last hundred episodes, nan before the first),
            ``length``, and ``weights``, the number of the weights it was played with.
        """
        rng = self._ready(began, level)
        network: Network = self.module.network
        if self._fresh.all():
            self._state = torch.zeros(self.num_envs, network.memory)
        fragment, states = self._play(network, rng)
        batch = self._batch(network, fragment, states)
        found = np.empty((fragment.rewards.size, 2))
        count = tally(fragment.rewards, fragment.ended, fragment.valid, self._running, found)
        return batch, self._told(int(fragment.valid.sum()), found[:count])

    def get_metrics(self) -> dict[str, Any]:
        """Return nothing: :meth:`sample` tells all there is."""
        return {}

    def _ready(self, began: int, level: float) -> np.random.Generator:
        """Begin episodes where none are under way; return what decides all that is random."""
        rng = np.random.default_rng([self.config.seed or 0, self.worker_index or 0, began])
        if level != self.level:
            self.level = level
            self.make_env()
        if not self._begun:
            self._seen, _ = self.env.reset(seed=int(rng.integers(2**31)))
            self._over = np.zeros(self.num_envs, np.bool_)
            self._fresh = ~self._over
            self._begun = True
        return rng

    def _told(self, steps: int, found: Array) -> dict[str, float]:
        """Return what became of episodes; ``found`` holds those that ended."""
        self._recent.extend(found)
        means = np.mean(self._recent, axis=0) if self._recent else (math.nan, math.nan)
        return {
            "steps": steps,
            "episodes": len(found),
            "reward": float(means[0]),
            "length": float(means[1]),
            "weights": self._weights_seq_no,
        }

    def _play(
        self, network: Network, rng: np.random.Generator
    ) -> tuple[Fragment, list[torch.Tensor]]:
        steps, lanes = int(self.config.rollout_fragment_length), self.num_envs
        out, states = Fragment.of(steps, lanes, network), []
        box = isinstance(self.env.single_action_space, Box)
        sequence = self.config.env_config["sequence"]
        if box:
            spread = network.log_std.exp().numpy()
            noise = spread * rng.standard_normal(out.answers.shape, np.float32)
        else:
            # The largest of logits plus Gumbel noise is drawn as softmax would draw it.
            drawn = rng.standard_exponential(out.answers.shape, np.float32)
            noise = -np.log(np.maximum(drawn, _TINY))
        for t in range(steps):
            out.seen[t], out.fresh[t] = self._seen, self._forgets()
            np.logical_not(self._over, out=out.valid[t])
            observation = torch.from_numpy(out.seen[t])
            if network.memory:
                if out.fresh[t].any():
                    self._state = self._state * torch.from_numpy(~out.fresh[t]).unsqueeze(1)
                if t % sequence == 0:
                    states.append(self._state)
                answer, value, self._state = network.step(observation, self._state)
                out.values[t] = value.numpy()
            else:
                answer = network.answer(observation)
            out.answers[t] = answer.numpy()
            if network.design.spec is not None:
                masks(network.design.spec.table, out.seen[t], out.allowed[t])
                out.answers[t][~out.allowed[t]] = _NEVER
            noise[t] += out.answers[t]
            if box:
                out.actions[t] = noise[t]
                chosen = network.bounded(torch.from_numpy(noise[t])).numpy()
            else:
                chosen = out.actions[t] = noise[t].argmax(1)
            self._seen, out.rewards[t], out.terminated[t], truncated, _ = self.env.step(chosen)
            np.logical_or(out.terminated[t], truncated, out=out.ended[t])
            self._fresh, self._over = self._over, out.ended[t].copy()
        out.seen[steps] = self._seen
        if network.memory:
            last, keep = torch.from_numpy(out.seen[steps]), torch.from_numpy(~self._forgets())
            out.values[steps] = network.step(last, self._state * keep.unsqueeze(1))[1].numpy()
        else:
            out.values[:] = network.values(torch.from_numpy(out.seen)).numpy()
        return out, states

    def _forgets(self) -> npt.NDArray[np.bool_]:
        """Return where nothing is remembered: at an episode's beginning, and after a gap."""
        torn: npt.NDArray[np.bool_] | None = getattr(self.env, "torn", None)
        return self._fresh if torn is None else self._fresh | torn

    def _batch(
        self, network: Network, played: Fragment, states: list[torch.Tensor]
    ) -> dict[str, Array]:
        gains = advantages(
            played.rewards, played.values, played.terminated, played.valid,
            self.config.gamma, self.config.lambda_,
        )  # fmt: skip
        answers = torch.from_numpy(played.answers)
        if network.design.low:
            logp = network.density(answers, torch.from_numpy(played.actions))
        else:
            chosen = torch.from_numpy(played.actions).unsqueeze(-1)
            logp = torch.log_softmax(answers, -1).gather(-1, chosen)[..., 0]
        columns: dict[str, Array] = {
            "obs": played.seen[:-1],
            "actions": played.actions,
            "logp": logp.numpy(),
            "advantages": gains,
            "returns": gains + played.values[:-1],
        }
        if network.design.spec is not None:
            columns["allowed"] = played.allowed
        if network.memory:
            columns |= {"fresh": played.fresh, "valid": played.valid}
            length = self.config.env_config["sequence"]
            batch = {name: _sequences(values, length) for name, values in columns.items()}
            return batch | {"state": torch.cat(states).numpy()}
        rows = np.flatnonzero(played.valid)
        return {
            name: values.reshape(-1, *values.shape[2:])[rows] for name, values in columns.items()
        }


def _sequences(values: Array, length: int) -> Array:
    """Cut ``[t, n, ...]`` into ``[t / length * n, length, ...]``."""
    steps, lanes, *rest = values.shape
    cut = values.reshape(steps // length, length, lanes, *rest).swapaxes(1, 2)
    return np.ascontiguousarray(cut.reshape(-1, length, *rest))
