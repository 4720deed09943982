"""A small recurrent network over a window of decision rows."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from models.member import Rows
from models.nets.config import GruConfig
from models.nets.graph import Graph
from models.nets.member import NetMember
from models.nets.net import Net

__all__ = ["Gru", "GruNet"]


class GruNet(Net):
    """One layer of gated recurrent units (Cho et al., 2014); its last state is read.

    Parameters
    ----------
    config
        Its settings.
    features
        Columns.
    """

    def __init__(self, config: GruConfig, features: int) -> None:
        super().__init__(config.hidden, config.dropout)
        self.gru = nn.GRU(features, config.hidden, batch_first=True)

    def read(self, windows: Tensor) -> Tensor:
        """Take the state after the last row."""
        _, last = self.gru(windows)
        state: Tensor = last[0]
        return state

    def write(self, graph: Graph) -> str:
        """Write it into a graph."""
        of = {name: value.detach().numpy() for name, value in self.gru.named_parameters()}
        steps = graph.node("Transpose", graph.scaled, perm=[1, 0, 2])
        last = graph.node(
            "GRU",
            steps,
            graph.constant(_gates(of["weight_ih_l0"])[None]),
            graph.constant(_gates(of["weight_hh_l0"])[None]),
            graph.constant(
                np.concatenate([_gates(of["bias_ih_l0"]), _gates(of["bias_hh_l0"])])[None]
            ),
            output=1,
            hidden_size=self.gru.hidden_size,
            linear_before_reset=1,
        )
        return graph.node("Squeeze", last, graph.constant(np.array([0], np.int64)))


def _gates(stacked: Rows) -> Rows:
    """Turn torch's order of gates (reset, update, new) into ONNX's (update, reset, new)."""
    reset, update, new = np.split(stacked, 3)
    return np.concatenate((update, reset, new))


class Gru(NetMember[GruConfig]):
    """The member; see :class:`models.nets.config.GruConfig`."""

    def net(self, features: int) -> GruNet:
        """Make it, untrained."""
        return GruNet(self.config, features)
