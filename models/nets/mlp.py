"""Dense layers over a window laid flat."""

from __future__ import annotations

from torch import Tensor

from models.nets.config import MlpConfig
from models.nets.graph import Graph
from models.nets.member import NetMember
from models.nets.net import Net

__all__ = ["Mlp", "MlpNet"]


class MlpNet(Net):
    """The window's rows side by side; the dense layers are those before the head.

    Parameters
    ----------
    config
        Its settings.
    features
        Columns.
    """

    def __init__(self, config: MlpConfig, features: int) -> None:
        super().__init__(config.window * features, config.dropout, config.hidden)

    def read(self, windows: Tensor) -> Tensor:
        """Lay the window flat."""
        return windows.flatten(1)

    def write(self, graph: Graph) -> str:
        """Write it into a graph."""
        return graph.node("Flatten", graph.scaled, axis=1)


class Mlp(NetMember[MlpConfig]):
    """The member; see :class:`models.nets.config.MlpConfig`."""

    def net(self, features: int) -> MlpNet:
        """Make it, untrained."""
        return MlpNet(self.config, features)
