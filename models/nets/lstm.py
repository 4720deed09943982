"""LSTM layers with attention over the window's steps."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from models.member import Rows
from models.nets.attention import Attention
from models.nets.config import LstmConfig
from models.nets.graph import Graph
from models.nets.member import NetMember
from models.nets.net import Net

__all__ = ["Lstm", "LstmNet"]


class LstmNet(Net):
    """LSTM layers (Hochreiter & Schmidhuber, 1997); the last step looks back over all of them.

    What is read is the last step's state plus what its attention found. Only the last step asks:
    what the others would find is never read.

    Parameters
    ----------
    config
        Its settings.
    features
        Columns.
    """

    def __init__(self, config: LstmConfig, features: int) -> None:
        super().__init__(config.hidden, config.dropout, config.classifier)
        between = config.dropout if config.layers > 1 else 0.0
        self.lstm = nn.LSTM(
            features, config.hidden, config.layers, batch_first=True, dropout=between
        )
        self.attention = Attention(config.hidden, config.heads)

    def read(self, windows: Tensor) -> Tensor:
        """Add what the last step finds to its own state."""
        steps, _ = self.lstm(windows)
        last = steps[:, -1:]
        state: Tensor = last + self.attention(last, steps)
        return state[:, 0]

    def write(self, graph: Graph) -> str:
        """Write it into a graph."""
        of = {name: value.detach().numpy() for name, value in self.lstm.named_parameters()}
        steps = graph.node("Transpose", graph.scaled, perm=[1, 0, 2])
        first = graph.constant(np.array([1], np.int64))
        for layer in range(self.lstm.num_layers):
            biases = [_gates(of[f"bias_{part}_l{layer}"]) for part in ("ih", "hh")]
            said = graph.node(
                "LSTM",
                steps,
                graph.constant(_gates(of[f"weight_ih_l{layer}"])[None]),
                graph.constant(_gates(of[f"weight_hh_l{layer}"])[None]),
                graph.constant(np.concatenate(biases)[None]),
                hidden_size=self.lstm.hidden_size,
            )
            steps = graph.node("Squeeze", said, first)
        rows = graph.node("Transpose", steps, perm=[1, 0, 2])
        last = graph.node("Gather", rows, graph.constant(np.array([-1], np.int64)), axis=1)
        found = self.attention.write(graph, last, rows)
        return graph.node("Flatten", graph.node("Add", last, found), axis=1)


def _gates(stacked: Rows) -> Rows:
    """Turn torch's order of gates (input, forget, cell, output) into ONNX's (i, o, f, c)."""
    into, forget, cell, out = np.split(stacked, 4)
    return np.concatenate((into, out, forget, cell))


class Lstm(NetMember[LstmConfig]):
    """The member; see :class:`models.nets.config.LstmConfig`."""

    def net(self, features: int) -> LstmNet:
        """Make it, untrained."""
        return LstmNet(self.config, features)
