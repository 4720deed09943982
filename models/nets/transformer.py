"""A small transformer encoder over the window's rows."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from models.nets.attention import Attention
from models.nets.config import TransformerConfig
from models.nets.graph import Graph
from models.nets.member import NetMember
from models.nets.net import Net

__all__ = ["Transformer", "TransformerNet", "sinusoids"]


class Block(nn.Module):
    """Attention and a dense part, each added to what it was given, each normalising it first."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.hidden
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, config.heads)
        self.wide = nn.Linear(width, config.feedforward)
        self.narrow = nn.Linear(config.feedforward, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, rows: Tensor, asking: slice) -> Tensor:
        """Work on the rows of ``[n, k, width]`` that ask."""
        seen = self.before(rows)
        state = rows[:, asking] + self.dropout(self.attention(seen[:, asking], seen))
        made = self.narrow(torch.relu(self.wide(self.between(state))))
        added: Tensor = state + self.dropout(made)
        return added

    def write(self, graph: Graph, rows: str, place: int | None) -> str:
        """Write it into a graph: all rows ask, or the one at ``place``."""
        seen = asking = graph.norm(rows, self.before)
        if place is not None:
            only = graph.constant(np.array([place], np.int64))
            asking = graph.node("Gather", seen, only, axis=1)
            rows = graph.node("Gather", rows, only, axis=1)
        state = graph.node("Add", rows, self.attention.write(graph, asking, seen))
        wide = graph.linear(graph.norm(state, self.between), self.wide)
        return graph.node("Add", state, graph.linear(graph.node("Relu", wide), self.narrow))


class TransformerNet(Net):
    """Rows embedded, positions added, blocks, a last norm (pre-norm: Xiong et al., 2020).

    Every row may look at every other: all of them are past. In the last block only the row that
    is read asks.

    Parameters
    ----------
    config
        Its settings.
    features
        Columns.
    """

    def __init__(self, config: TransformerConfig, features: int) -> None:
        super().__init__(config.hidden, config.dropout)
        self.embed = nn.Linear(features, config.hidden)
        own = config.readout == "cls"
        self.place = 0 if own else config.window - 1
        self.own = nn.Parameter(0.02 * torch.randn(1, 1, config.hidden)) if own else None
        if config.positions == "learned":
            self.positions = nn.Parameter(0.02 * torch.randn(config.window, config.hidden))
        else:
            self.register_buffer("positions", sinusoids(config.window, config.hidden))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden)

    def read(self, windows: Tensor) -> Tensor:
        """Take the row that is read, after all blocks."""
        rows = self.embed(windows) + self.positions
        if self.own is not None:
            rows = torch.cat((self.own.expand(len(rows), -1, -1), rows), 1)
        rows = self.dropout(rows)
        for block in self.blocks[:-1]:
            rows = block(rows, slice(None))
        state: Tensor = self.norm(self.blocks[-1](rows, slice(self.place, self.place + 1)))
        return state[:, 0]

    def write(self, graph: Graph) -> str:
        """Write it into a graph."""
        # The embedding's bias and the positions are one constant.
        embedded = graph.node("MatMul", graph.scaled, graph.constant(self.embed.weight.T))
        rows = graph.node("Add", embedded, graph.constant(self.positions + self.embed.bias))
        if self.own is not None:
            # As many of them as there are windows: none of the input's rows, all of this one.
            first = graph.node("Gather", rows, graph.constant(np.array([0], np.int64)), axis=1)
            nothing = graph.node("Mul", first, graph.constant(np.float32(0.0)))
            own = graph.node("Add", nothing, graph.constant(self.own))
            rows = graph.node("Concat", own, rows, axis=1)
        last = len(self.blocks) - 1
        for number, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            rows = block.write(graph, rows, self.place if number == last else None)
        return graph.node("Flatten", graph.norm(rows, self.norm), axis=1)


def sinusoids(window: int, width: int) -> Tensor:
    """Positions as sines and cosines of growing wavelength: ``float32[window, width]``.

    Vaswani et al. (2017): sin(t / 10000^(2i / width)) in even places, the cosine beside it.

    Examples
    --------
    >>> sinusoids(2, 2).numpy().round(3).tolist()
    [[0.0, 1.0], [0.841, 0.54]]
    """
    rate = 10_000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = torch.arange(window, dtype=torch.float64)[:, None] * rate
    return torch.stack((angle.sin(), angle.cos()), 2).flatten(1).float()


class Transformer(NetMember[TransformerConfig]):
    """The member; see :class:`models.nets.config.TransformerConfig`."""

    def net(self, features: int) -> TransformerNet:
        """Make it, untrained."""
        return TransformerNet(self.config, features)
