"""A member that is a network: settings in, trained and exportable network out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from market.errors import DataError
from models.member import Floats, Ints, Rows, frequencies
from models.members.configured import Configured
from models.nets import training
from models.nets.config import NetConfig
from models.nets.graph import Graph
from models.nets.loading import Windows
from models.nets.losses import minimiser, posterior
from models.nets.net import Net
from models.nets.scaling import Scaling
from models.nets.training import CHUNK, Examples, one_thread, sealed

__all__ = ["FittedNet", "NetMember"]

Settings = TypeVar("Settings", bound=NetConfig)


class NetMember(Configured[Settings], ABC):
    """A kind of network with its settings, trained by :func:`models.nets.training.train`.

    Parameters
    ----------
    config
        Its settings.
    """

    @abstractmethod
    def net(self, features: int) -> Net:
        """Make the network, untrained, for so many columns."""

    def fit(
        self,
        rows: Rows,
        labels: Ints,
        train: Ints,
        stop: Ints,
        seed: int,
        effort: int | None = None,
        weights: Floats | None = None,
    ) -> FittedNet:
        """Fit; see :meth:`models.member.Member.fit`. Found efforts may be 0: no epoch helped.

        Raises
        ------
        DataError
            ``train`` is empty; or ``stop`` is and no effort is told.
        ConfigError
            A GPU is asked for and there is none.
        """
        config = self.config
        if not len(train):
            raise DataError("nothing to learn from: train holds no window; give more decisions")
        weights = np.ones(len(rows)) if weights is None else weights
        scaling = Scaling.of(rows[train])
        examples = Examples(scaling(rows), labels, weights, train, stop)
        with sealed(seed):
            net = self.net(rows.shape[1])
            net.start(minimiser(frequencies(labels[train]), config.focal))
            effort = training.train(net, config, examples, seed, effort)
        return FittedNet(net, scaling, config, effort)


@dataclass
class FittedNet:
    """A network after fitting; see :class:`models.member.Fitted`."""

    net: Net
    scaling: Scaling
    config: NetConfig
    effort: int

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows that end at ``ends``, on the CPU."""
        windows = Windows(self.scaling(rows), self.config.window)
        with one_thread(), torch.inference_mode():
            parts = [
                posterior(self.net(batch), self.config.focal).numpy()
                for batch in windows.batches(ends, CHUNK)
            ]
        return np.concatenate(parts) if parts else np.empty((0, 3))

    def onnx(self) -> bytes:
        """Export: scaling, network and softmax."""
        graph = Graph(self.config.window, self.scaling)
        return graph.close(self.net.logits(graph), self.config.focal)
