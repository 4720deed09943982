"""Causal convolutions over the window's steps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.nets.config import CnnConfig
from models.nets.graph import Graph
from models.nets.member import NetMember
from models.nets.net import Net

__all__ = ["Cnn", "CnnNet"]


class CnnNet(Net):
    """Blocks of causal convolution and ReLU; each is dilated twice as far as the one before.

    A step sees itself and earlier ones only; dilation takes the place of pooling between blocks,
    so that no step is lost. What is read is the mean over the steps (what happened in the window)
    beside the last step (when it happened: a mean of convolutions can't tell).

    Parameters
    ----------
    config
        Its settings.
    features
        Columns.
    """

    def __init__(self, config: CnnConfig, features: int) -> None:
        super().__init__(2 * config.channels[-1], config.dropout)
        self.blocks = nn.ModuleList(
            nn.Conv1d(given, made, config.kernel, dilation=2**place)
            for place, (given, made) in enumerate(pairwise((features, *config.channels)))
        )

    def read(self, windows: Tensor) -> Tensor:
        """Put the mean over the steps beside the last step."""
        state = windows.transpose(1, 2)
        for block in self.blocks:
            assert isinstance(block, nn.Conv1d)
            back = _back(block)
            state = self.dropout(torch.relu(block(functional.pad(state, (back, 0)))))
        return torch.cat((state.mean(2), state[:, :, -1]), 1)

    def write(self, graph: Graph) -> str:
        """Write it into a graph."""
        state = graph.node("Transpose", graph.scaled, perm=[0, 2, 1])
        for block in self.blocks:
            assert isinstance(block, nn.Conv1d)
            assert block.bias is not None
            weight, bias = graph.constant(block.weight), graph.constant(block.bias)
            pads, dilations = [_back(block), 0], list(block.dilation)
            said = graph.node("Conv", state, weight, bias, pads=pads, dilations=dilations)
            state = graph.node("Relu", said)
        mean = graph.node("ReduceMean", state, axes=[2], keepdims=0)
        place = graph.constant(np.array(graph.window - 1, np.int64))
        last = graph.node("Gather", state, place, axis=2)
        return graph.node("Concat", mean, last, axis=1)


def _back(block: nn.Conv1d) -> int:
    """Count the steps before the window that the block wants, all 0."""
    return (block.kernel_size[0] - 1) * block.dilation[0]


class Cnn(NetMember[CnnConfig]):
    """The member; see :class:`models.nets.config.CnnConfig`."""

    def net(self, features: int) -> CnnNet:
        """Make it, untrained."""
        return CnnNet(self.config, features)
