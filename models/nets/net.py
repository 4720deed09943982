"""What all networks have in common: they read a window, and a head says three classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.member import Floats
from models.nets.graph import Graph

__all__ = ["Net"]


class Net(nn.Module):
    """A network from standardised windows ``[n, window, F]`` to logits ``[n, 3]``.

    The head starts at the class frequencies with no weights: an untrained network already says
    what is known without features, and early stopping falls back to that where nothing helps.

    Parameters
    ----------
    width
        Values that :meth:`read` makes of a window.
    dropout
        Share of values left out while training.
    dense
        Units of layers between what was read and the head.
    """

    def __init__(self, width: int, dropout: float, dense: Sequence[int] = ()) -> None:
        super().__init__()
        sizes = (width, *dense)
        self.dense = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))
        self.head = nn.Linear(sizes[-1], 3)
        self.dropout = nn.Dropout(dropout)

    def read(self, windows: Tensor) -> Tensor:
        """Read windows: ``float32[n, window, F]`` to ``[n, width]``."""
        raise NotImplementedError

    def write(self, graph: Graph) -> str:
        """Write :meth:`read` into a graph, from its ``scaled``; name the result."""
        raise NotImplementedError

    def start(self, frequency: Floats) -> None:
        """Make the network say these probabilities whatever it is shown."""
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.bias.copy_(torch.from_numpy(np.log(frequency)))

    def forward(self, windows: Tensor) -> Tensor:
        """Map ``float32[n, window, F]`` to logits ``[n, 3]``."""
        state = self.dropout(self.read(windows))
        for layer in self.dense:
            state = self.dropout(torch.relu(layer(state)))
        logits: Tensor = self.head(state)
        return logits

    def logits(self, graph: Graph) -> str:
        """Write :meth:`forward` into a graph; name the result."""
        state = self.write(graph)
        for layer in self.dense:
            assert isinstance(layer, nn.Linear)
            state = graph.node("Relu", graph.dense(state, layer))
        return graph.dense(state, self.head)
