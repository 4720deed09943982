"""The peer: proximal policy optimisation in one file, torch and nothing else, as CleanRL writes it.

Same network, same environment, same batch, minibatches and epochs as ``policies.rllib``. What
differs from CleanRL's ``ppo.py``: the environment resets in the step after an episode's end, so
such steps are left out of the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from policies.training import Training

__all__ = ["train"]


def _layer(before: int, after: int, gain: float = 2.0**0.5) -> nn.Linear:
    layer = nn.Linear(before, after)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


class Agent(nn.Module):
    """Actor and critic, apart."""

    def __init__(self, size: int, hidden: tuple[int, ...], actions: int) -> None:
        super().__init__()
        widths = (size, *hidden)

        def tower(outputs: int, gain: float) -> nn.Sequential:
            layers: list[nn.Module] = []
            for i in range(len(hidden)):
                layers += [_layer(widths[i], widths[i + 1]), nn.Tanh()]
            return nn.Sequential(*layers, _layer(widths[-1], outputs, gain))

        self.actor, self.critic = tower(actions, 0.01), tower(1, 1.0)

    def get_value(self, x: torch.Tensor) -> torch.Tensor:
        return self.critic(x)

    def get_action_and_value(
        self, x: torch.Tensor, action: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        probs = Categorical(logits=self.actor(x))
        if action is None:
            action = probs.sample()
        return action, probs.log_prob(action), probs.entropy(), self.critic(x)


def train(
    envs: gym.vector.VectorEnv[Any, Any, Any],
    config: Training,
    seed: int,
    progress: Callable[[int], None],
) -> Agent:
    """Train; ``progress`` is called after each iteration with the decisions learnt from."""
    torch.manual_seed(seed)
    size = int(envs.single_observation_space.shape[0])
    agent = Agent(size, config.hidden, int(envs.single_action_space.n))
    optimizer = torch.optim.Adam(agent.parameters(), lr=config.rate, eps=1e-5)
    steps, lanes = config.fragment, config.envs
    obs = torch.zeros((steps, lanes, size))
    actions = torch.zeros((steps, lanes), dtype=torch.int64)
    logprobs, rewards, dones, ends, values, valid = torch.zeros((6, steps, lanes))
    next_obs = torch.from_numpy(envs.reset(seed=seed)[0])
    over = torch.zeros(lanes)
    iterations, learnt = -(-config.steps // config.batch), 0
    for iteration in range(iterations):
        optimizer.param_groups[0]["lr"] = (1.0 - iteration / iterations) * config.rate
        for step in range(steps):
            obs[step], valid[step] = next_obs, 1.0 - over
            with torch.no_grad():
                action, logprob, _, value = agent.get_action_and_value(next_obs)
                values[step] = value.flatten()
            actions[step], logprobs[step] = action, logprob
            seen, reward, terminated, truncated, _ = envs.step(action.numpy())
            rewards[step] = torch.from_numpy(np.asarray(reward, np.float32))
            dones[step] = torch.from_numpy(terminated.astype(np.float32))
            over = torch.from_numpy((terminated | truncated).astype(np.float32))
            ends[step] = over
            next_obs = torch.from_numpy(seen)
        with torch.no_grad():
            next_value = agent.get_value(next_obs).flatten()
            advantages = torch.zeros_like(rewards)
            last = torch.zeros(lanes)
            for t in reversed(range(steps)):
                ahead = next_value if t == steps - 1 else values[t + 1]
                delta = rewards[t] + config.gamma * ahead * (1.0 - dones[t]) - values[t]
                last = delta + config.gamma * config.gae * (1.0 - ends[t]) * last
                last = last * valid[t]
                advantages[t] = last
            returns = advantages + values
        rows = valid.flatten().bool()
        b_obs, b_actions = obs.reshape(-1, size)[rows], actions.flatten()[rows]
        b_logprobs, b_advantages = logprobs.flatten()[rows], advantages.flatten()[rows]
        b_returns = returns.flatten()[rows]
        indices = np.arange(len(b_obs))
        parts = max(1, round(len(indices) / config.minibatch))
        for _ in range(config.epochs):
            np.random.default_rng(iteration).shuffle(indices)
            for part in np.array_split(indices, parts):
                _, newlogprob, entropy, newvalue = agent.get_action_and_value(
                    b_obs[part], b_actions[part]
                )
                logratio = newlogprob - b_logprobs[part]
                ratio = logratio.exp()
                with torch.no_grad():
                    approx_kl = ((ratio - 1) - logratio).mean()  # noqa: F841 - CleanRL tells it
                mb = b_advantages[part]
                mb = (mb - mb.mean()) / (mb.std() + 1e-8)
                clipped = torch.clamp(ratio, 1 - config.clip, 1 + config.clip)
                pg_loss = torch.max(-mb * ratio, -mb * clipped).mean()
                v_loss = ((newvalue.view(-1) - b_returns[part]) ** 2).mean()
                loss = pg_loss - config.entropy * entropy.mean() + v_loss * config.value
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), config.gradient)
                optimizer.step()
        learnt += len(indices)
        progress(learnt)
    return agent
