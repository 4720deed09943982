"""The network as RLlib's module: saved, restored and sent about by it."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium.spaces import Box
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule

from policies.network import Design, Network

__all__ = ["PolicyModule"]


class PolicyModule(TorchRLModule, ValueFunctionAPI):
    """A :class:`policies.network.Network` behind RLlib's port.

    ``model_config["design"]`` holds what :class:`~policies.network.Design` is told beyond the
    spaces. The fast path (:mod:`policies.rllib.runner`, :mod:`policies.rllib.learner`) talks to
    :attr:`network` itself; RLlib's own runners, for evaluation, go through the methods here.
    """

    network: Network
    model_config: Any
    action_space: Any
    observation_space: Any

    def setup(self) -> None:
        """Make the network for the spaces."""
        config = dict(self.model_config["design"])
        if isinstance(self.action_space, Box):
            outputs = int(self.action_space.shape[0])
            config["low"] = tuple(self.action_space.low.tolist())
            config["high"] = tuple(self.action_space.high.tolist())
        else:
            outputs = int(self.action_space.n)
        self.network = Network(Design(int(self.observation_space.shape[0]), outputs, **config))

    def get_initial_state(self) -> dict[str, Any]:
        """Return an empty memory, nothing without one."""
        return {"memory": torch.zeros(self.network.memory)} if self.network.memory else {}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> Any:
        """Return what the critic expects."""
        if self.network.memory:
            return self._unrolled(batch)[1]
        return self.network.values(batch[Columns.OBS])

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        observation = batch[Columns.OBS]
        if not self.network.memory:
            answer = self.network.answer(observation)
            return {Columns.ACTION_DIST_INPUTS: self._inputs(answer, observation)}
        state, answers = batch[Columns.STATE_IN]["memory"], []
        for t in range(observation.shape[1]):
            answer, _, state = self.network.step(observation[:, t], state)
            answers.append(self._inputs(answer, observation[:, t]))
        return {
            Columns.ACTION_DIST_INPUTS: torch.stack(answers, 1),
            Columns.STATE_OUT: {"memory": state},
        }

    def _unrolled(self, batch: dict[str, Any]) -> Any:
        observation = batch[Columns.OBS]
        fresh = torch.zeros(observation.shape[:2], dtype=torch.bool)
        return self.network.unroll(observation, batch[Columns.STATE_IN]["memory"], fresh)

    def _inputs(self, answer: torch.Tensor, observation: torch.Tensor) -> torch.Tensor:
        """Mask numbered actions, put the logarithm of their spread beside continuous ones."""
        if self.network.design.low:
            return torch.cat((answer, self.network.log_std.expand_as(answer)), -1)
        if self.network.design.spec is None:
            return answer
        return self.network.masked(answer, self.network.allowed(observation))
