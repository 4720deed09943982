"""PPO's update without what RLlib's does around it: connectors, copies and metrics a minibatch."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.utils.metrics import NUM_ENV_STEPS_SAMPLED_LIFETIME
from torch import Tensor

from policies.network import Network

__all__ = ["ArrayLearner"]

_CAUTION = 1.5
_LOG_TWO_PI = math.log(2.0 * math.pi)


class ArrayLearner(PPOTorchLearner):
    """Learns from a batch of arrays.

    RLlib's learner slices, converts, regroups and logs every minibatch, which takes as long as
    the arithmetic does. Here a batch is shuffled once an epoch, the first one too, and cut into
    near-equal minibatches that are views; what is told of it is worked out in the last epoch.
    Schedules, optimizer state, checkpoints and where it runs stay RLlib's.
    """

    config: Any
    module: Any

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Register Adam, all parameters in one pass."""
        params = self.get_parameters(self.module[module_id])
        optimizer = torch.optim.Adam(params, eps=1e-5, fused=True)
        self.register_optimizer(
            module_id=module_id, optimizer=optimizer, params=params, lr_or_lr_schedule=config.lr
        )

    def update(  # type: ignore[override]
        self, *, training_data: Any, timesteps: dict[str, Any], **_: Any
    ) -> Any:
        """Learn from a batch, ``num_epochs`` times over.

        Parameters
        ----------
        training_data
            Its ``batch`` holds :meth:`policies.rllib.runner.ArrayRunner.sample`'s columns.
        timesteps
            RLlib's: schedules go by it, and the shuffling.
        """
        self._weights_seq_no += 1
        self.before_gradient_based_update(timesteps=timesteps)
        # RLlib's schedules move after an update, and so would a resumed training begin with the
        # rate at which the one before ended.
        self.after_gradient_based_update(timesteps=timesteps)
        training_data.solve_refs()
        batch = training_data.batch[DEFAULT_MODULE_ID]
        # What came through the object store is read-only, and is copied.
        columns = {
            name: torch.from_numpy(np.require(values, requirements=("C", "W"))).to(self._device)
            for name, values in batch.items()
        }
        network: Network = self.module[DEFAULT_MODULE_ID].unwrapped().network
        shuffle = torch.Generator().manual_seed(
            int(
                np.random.SeedSequence(
                    [self.config.seed or 0, timesteps[NUM_ENV_STEPS_SAMPLED_LIFETIME]]
                ).generate_state(1)[0]
            )
        )
        told = self._learn(network, columns, shuffle)
        if network.design.normalise:
            seen = columns["obs"]
            network.adapt(seen[columns["valid"]] if network.memory else seen)
        for name, value in told.items():
            self.metrics.log_value((DEFAULT_MODULE_ID, name), value, window=1)
        return self.metrics.reduce()

    def _learn(
        self, network: Network, columns: dict[str, Tensor], shuffle: torch.Generator
    ) -> dict[str, float]:
        config = self.config
        valid = columns.get("valid")
        gains = columns["advantages"] if valid is None else columns["advantages"][valid]
        columns["advantages"] = (columns["advantages"] - gains.mean()) / (gains.std() + 1e-8)
        rows = len(columns["obs"])
        # A row is a sequence where there is a memory: no minibatch may come out empty.
        parts = min(rows, max(1, round(gains.numel() / config.minibatch_size)))
        bounds = np.linspace(0, rows, parts + 1).round().astype(int).tolist()
        parameters = [p for p in network.parameters() if p.requires_grad]
        optimizer = self.get_optimizer(DEFAULT_MODULE_ID)
        bonus = float(
            self.entropy_coeff_schedulers_per_module[DEFAULT_MODULE_ID].get_current_value()
        )
        target = config.learner_config_dict.get("target_kl", 0.0)
        stats: list[Tensor] = []
        for epoch in range(config.num_epochs):
            order = torch.randperm(rows, generator=shuffle).to(self._device)
            shuffled = {name: values.index_select(0, order) for name, values in columns.items()}
            last = epoch == config.num_epochs - 1
            stats = []
            for begin, end in pairwise(bounds):
                part = {name: values[begin:end] for name, values in shuffled.items()}
                loss, told = self._loss(network, part, bonus, last or target > 0.0)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(parameters, config.grad_clip)
                optimizer.step()
                stats.append(told)
            if target > 0.0 and float(torch.stack(stats)[:, 0].mean()) > _CAUTION * target:
                break
        means = torch.stack(stats).mean(0).tolist()
        names = ("kl", "clipped", "entropy", "policy_loss", "value_loss")
        spread = (
            float(columns["returns"].var())
            if valid is None
            else float(columns["returns"][valid].var())
        )
        facts: dict[str, float] = dict(zip(names, means, strict=True))
        return facts | {
            "explained": 1.0 - facts["value_loss"] / max(spread, 1e-12),
            "minibatches": float((epoch + 1) * parts),
        }

    def _loss(
        self, network: Network, part: dict[str, Tensor], bonus: float, tell: bool
    ) -> tuple[Tensor, Tensor]:
        config = self.config
        if network.memory:
            answer, value = network.unroll(part["obs"], part["state"], part["fresh"])
            valid = part["valid"]
            answer, value = answer[valid], value[valid]
            actions, old = part["actions"][valid], part["logp"][valid]
            gains, returns = part["advantages"][valid], part["returns"][valid]
            allowed = part["allowed"][valid] if "allowed" in part else None
        else:
            answer, value = network.answer(part["obs"]), network.values(part["obs"])
            actions, old = part["actions"], part["logp"]
            gains, returns, allowed = part["advantages"], part["returns"], part.get("allowed")
        if network.design.low:
            logp = network.density(answer, actions)
            entropy = (network.log_std + 0.5).sum() + 0.5 * len(network.log_std) * _LOG_TWO_PI
        else:
            if allowed is not None:
                answer = network.masked(answer, allowed)
            logs = torch.log_softmax(answer, 1)
            logp = logs.gather(1, actions.unsqueeze(1))[:, 0]
            entropy = -(logs.exp() * logs).sum(1).mean()
        moved = logp - old
        ratio = moved.exp()
        clip = config.clip_param
        policy = -torch.min(gains * ratio, gains * ratio.clamp(1.0 - clip, 1.0 + clip)).mean()
        off = torch.nn.functional.mse_loss(value, returns)
        loss = policy + config.vf_loss_coeff * off
        if bonus:
            loss = loss - bonus * entropy
        if not tell:
            return loss, loss
        with torch.no_grad():
            kl = (ratio - 1.0 - moved).mean()
            clipped = ((ratio - 1.0).abs() > clip).float().mean()
            return loss, torch.stack((kl, clipped, entropy, policy, off))
