"""The policy's network in plain torch: layers or a memory, an actor and a critic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from envs.action import ENTER, STAY
from envs.spec import PolicySpec

__all__ = ["Design", "Network"]

_ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}
_FAR = 10.0
_NEVER = -1e9
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Design:
    """What a network looks like.

    Parameters
    ----------
    size
        Numbers in an observation.
    outputs
        Numbered actions, or numbers in a continuous one.
    network, hidden, activation
        See :class:`policies.training.Training`.
    low, high
        Bounds of a continuous action; empty where actions are numbered.
    squash
        A continuous action is bent into its bounds by tanh; otherwise cut off there.
    spread
        Standard deviation of continuous actions at first.
    normalise
        Observations are brought to scale, see :meth:`Network.adapt`.
    spec
        Of the actions' masks; None: there are none.
    """

    size: int
    outputs: int
    network: str = "mlp"
    hidden: tuple[int, ...] = (64, 64)
    activation: str = "tanh"
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    squash: bool = False
    spread: float = 1.0
    normalise: bool = False
    spec: PolicySpec | None = None


class Network(nn.Module):
    """Actor and critic.

    Without a memory they are two chains of layers; with one (``lstm``, ``gru``) they share layers
    and memory, and have a layer each of their own.

    Parameters
    ----------
    design
        What it looks like.

    Notes
    -----
    ``centre`` and ``spread`` bring observations to scale, ``clip((x - centre) / spread, ±10)``,
    where the design asks for it. They are 0 and 1 until :meth:`adapt` is called, and are saved
    with the weights.
    """

    centre: Tensor
    spread: Tensor
    seen: Tensor
    table: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        width = design.hidden[-1]
        self.register_buffer("centre", torch.zeros(design.size))
        self.register_buffer("spread", torch.ones(design.size))
        self.register_buffer("seen", torch.zeros((), dtype=torch.float64))
        table = torch.zeros(1, 4) if design.spec is None else torch.from_numpy(design.spec.table)
        self.register_buffer("table", table, persistent=False)
        self.register_buffer("low", torch.tensor(design.low), persistent=False)
        self.register_buffer("high", torch.tensor(design.high), persistent=False)
        if design.network == "mlp":
            self.trunk = nn.Sequential()
            self.actor = nn.Sequential(*_layers(design), _linear(width, design.outputs, 0.01))
            self.critic = nn.Sequential(*_layers(design), _linear(width, 1, 1.0))
        else:
            self.trunk = nn.Sequential(*_layers(design, memory=True))
            before = design.hidden[-2] if len(design.hidden) > 1 else design.size
            lstm = design.network == "lstm"
            self.cell = nn.LSTMCell(before, width) if lstm else nn.GRUCell(before, width)
            for name, values in self.cell.named_parameters():
                nn.init.orthogonal_(values) if "weight" in name else nn.init.zeros_(values)
            self.actor = nn.Sequential(_linear(width, design.outputs, 0.01))
            self.critic = nn.Sequential(_linear(width, 1, 1.0))
        if design.low:
            self.log_std = nn.Parameter(torch.full((design.outputs,), math.log(design.spread)))

    @property
    def memory(self) -> int:
        """Numbers in the state; 0 without a memory."""
        return self.design.hidden[-1] * {"mlp": 0, "gru": 1, "lstm": 2}[self.design.network]

    def allowed(self, observation: Tensor) -> Tensor:
        """Return ``bool[n, outputs]``: :func:`envs.action.mask`, in the network's own words."""
        spec = self.design.spec
        if spec is None:
            return observation.new_ones((len(observation), self.design.outputs), dtype=torch.bool)
        exposure, lease, left, working = (
            observation[:, i : i + 1].double()
            for i in map(spec.names.index, ("exposure", "lease", "trades_left", "working"))
        )
        kind, aim = self.table[:, 0], self.table[:, 1]
        free = (lease > 0.0) & (left > 0.0)
        same, enter, close = aim * exposure > 0.0, kind == ENTER, aim == 0.0
        moves = (same & ((lease > 0.0) | (aim.abs() < exposure.abs()))) | (~same & free)
        moves = (close & (exposure != 0.0)) | (~close & moves)
        moves = (enter & (exposure == 0.0) & free) | (~enter & moves)
        return (kind == STAY) | (moves & (working <= 0.0))

    def masked(self, answer: Tensor, allowed: Tensor) -> Tensor:
        """Make sure that what isn't allowed is neither tried nor answered."""
        return answer.masked_fill(~allowed, _NEVER)

    def answer(self, observation: Tensor) -> Tensor:
        """Return ``[n, outputs]``: logits, or the middle of the continuous action, unbounded."""
        out: Tensor = self.actor(self.scaled(observation))
        return out

    def values(self, observation: Tensor) -> Tensor:
        """Return ``[n]``: what the critic expects."""
        out: Tensor = self.critic(self.scaled(observation))
        return out[..., 0]

    def step(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Advance the memory by one observation.

        Parameters
        ----------
        observation
            ``[n, size]``.
        state
            ``[n, memory]``; zeros where an episode begins.

        Returns
        -------
        tuple[Tensor, Tensor, Tensor]
            Answer ``[n, outputs]``, values ``[n]``, and the next state.
        """
        after = self._remember(self.trunk(self.scaled(observation)), state)
        inner = after[:, : self.design.hidden[-1]]
        return self.actor(inner), self.critic(inner)[:, 0], after

    def unroll(self, observation: Tensor, state: Tensor, fresh: Tensor) -> tuple[Tensor, Tensor]:
        """Go over whole sequences, so that errors are carried back through them.

        Parameters
        ----------
        observation
            ``[n, t, size]``.
        state
            ``[n, memory]`` before the first.
        fresh
            ``bool[n, t]``: an episode begins here, and the memory is empty.

        Returns
        -------
        tuple[Tensor, Tensor]
            Answers ``[n, t, outputs]`` and values ``[n, t]``.
        """
        inputs = self.trunk(self.scaled(observation))
        keep = (~fresh).to(inputs.dtype).unsqueeze(2)
        inner = []
        for t in range(observation.shape[1]):
            state = self._remember(inputs[:, t], state * keep[:, t])
            inner.append(state[:, : self.design.hidden[-1]])
        stacked = torch.stack(inner, 1)
        return self.actor(stacked), self.critic(stacked)[..., 0]

    def density(self, answer: Tensor, action: Tensor) -> Tensor:
        """Return ``[n]``: log density of continuous actions, before they are bounded."""
        off = (action - answer) / self.log_std.exp()
        return (-0.5 * off * off - self.log_std - _HALF_LOG_TWO_PI).sum(-1)

    def bounded(self, action: Tensor) -> Tensor:
        """Bring a continuous action into its bounds, as the environment takes it."""
        if self.design.squash:
            return self.low + (torch.tanh(action) + 1.0) * 0.5 * (self.high - self.low)
        return torch.minimum(torch.maximum(action, self.low), self.high)

    def scaled(self, observation: Tensor) -> Tensor:
        """Bring an observation to scale."""
        if not self.design.normalise:
            return observation
        return ((observation - self.centre) / self.spread).clamp(-_FAR, _FAR)

    @torch.no_grad()
    def adapt(self, observations: Tensor) -> None:
        """Take ``[n, size]`` observations into mean and spread, as if all seen were one sample."""
        total = float(self.seen) + len(observations)
        share = len(observations) / total
        step = observations.mean(0) - self.centre
        variance = (1.0 - share) * self.spread**2 + share * observations.var(0, correction=0)
        self.spread.copy_((variance + share * (1.0 - share) * step**2).sqrt().clamp_min(1e-4))
        self.centre += share * step
        self.seen.fill_(total)

    def _remember(self, inputs: Tensor, state: Tensor) -> Tensor:
        if self.design.network == "gru":
            after: Tensor = self.cell(inputs, state)
            return after
        hidden, cell = self.cell(inputs, state.chunk(2, 1))
        return torch.cat((hidden, cell), 1)


def _layers(design: Design, memory: bool = False) -> list[nn.Module]:
    widths = (design.size, *(design.hidden[:-1] if memory else design.hidden))
    found: list[nn.Module] = []
    for i in range(len(widths) - 1):
        found += [_linear(widths[i], widths[i + 1], math.sqrt(2.0))]
        found += [_ACTIVATIONS[design.activation]()]
    return found


def _linear(before: int, after: int, gain: float) -> nn.Linear:
    layer = nn.Linear(before, after)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer
