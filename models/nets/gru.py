"""A small recurrent network over a window of decision rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.member import Floats, Ints, Rows, frequencies
from models.nets import gru_onnx
from models.nets.config import GruConfig
from models.windows import batches

__all__ = ["FittedGru", "Gru"]

CLIP = 6.0
"""Standardised columns are cut at this: a jump is a jump, however large."""
CHUNK = 2048
"""Windows looked at together where nothing is learned."""


@dataclass(frozen=True)
class Gru:
    """One GRU layer and a linear head, trained by AdamW on one thread.

    The head starts at the class frequencies with no weights: an untrained network already says
    what is known without features, and early stopping falls back to that where nothing helps.

    Parameters
    ----------
    config
        Its settings.
    """

    config: GruConfig
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the member."""
        return self.config.name

    @property
    def window(self) -> int:
        """Decision rows it looks at."""
        return self.config.window

    def fit(
        self,
        rows: Rows,
        labels: Ints,
        train: Ints,
        stop: Ints,
        seed: int,
        effort: int | None = None,
        weights: Floats | None = None,
    ) -> FittedGru:
        """Fit; see :meth:`models.member.Member.fit`. Found efforts may be 0: no epoch helped."""
        config = self.config
        draw = torch.Generator().manual_seed(seed)
        mean, scale = _scaling(rows[train])
        scaled = _scaled(rows, mean, scale)
        weights = np.ones(len(rows)) if weights is None else weights
        shares = weights.astype(np.float32)
        with _one_thread():
            net = Net(rows.shape[1], config.hidden, frequencies(labels[train]), draw)
            steps = -(-len(train) // config.batch)
            optimiser = torch.optim.AdamW(
                net.parameters(), config.learning_rate, weight_decay=config.decay
            )
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
                optimiser, config.epochs * steps, config.learning_rate / 20.0
            )
            best, kept, found = np.inf, _state(net), 0
            if effort is None:
                best = _loss(net, scaled, labels, shares, stop, config.window)
            for epoch in range(1, (config.epochs if effort is None else effort) + 1):
                order = torch.randperm(len(train), generator=draw).numpy()
                for ends in np.array_split(train[order], steps):
                    (windows,) = batches(scaled, ends, config.window, len(ends))
                    loss = _losses(net, windows, labels[ends], shares[ends]).mean()
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                    optimiser.step()
                    schedule.step()
                if effort is not None:
                    continue
                now = _loss(net, scaled, labels, shares, stop, config.window)
                if now < best:
                    best, kept, found = now, _state(net), epoch
                elif epoch - found >= config.patience:
                    break
            if effort is None:
                net.load_state_dict(kept)
        return FittedGru(net, mean, scale, config.window, found if effort is None else effort)


class Net(nn.Module):
    """The network; weights are drawn from ``draw``, in the order they are named."""

    def __init__(
        self, features: int, hidden: int, frequency: Floats, draw: torch.Generator
    ) -> None:
        super().__init__()
        self.gru = nn.GRU(features, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 3)
        with torch.no_grad():
            for weight in self.gru.parameters():
                nn.init.uniform_(weight, -(hidden**-0.5), hidden**-0.5, generator=draw)
            self.head.weight.zero_()
            self.head.bias.copy_(torch.from_numpy(np.log(frequency)))

    def forward(self, windows: Tensor) -> Tensor:
        """Map ``float32[n, window, F]`` to logits ``[n, 3]``."""
        _, last = self.gru(windows)
        logits: Tensor = self.head(last[0])
        return logits


@dataclass
class FittedGru:
    """The network after fitting; see :class:`models.member.Fitted`."""

    net: Net
    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    window: int
    effort: int

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows that end at ``ends``."""
        scaled = _scaled(rows, self.mean, self.scale)
        parts = [np.empty((0, 3))]
        with _one_thread(), torch.inference_mode():
            for windows in batches(scaled, ends, self.window, CHUNK):
                logits = self.net(torch.from_numpy(windows)).double()
                parts.append(torch.softmax(logits, 1).numpy())
        return np.concatenate(parts)

    def onnx(self) -> bytes:
        """Export: scaling, network and softmax."""
        weights = {name: value.numpy() for name, value in _state(self.net).items()}
        return gru_onnx.build(weights, self.mean, self.scale, CLIP, self.window)


def _scaling(rows: Rows) -> tuple[Rows, Rows]:
    """Mean and standard deviation of each column; 1 for a constant one."""
    wide = rows.astype(np.float64)
    spread = wide.std(axis=0)
    scale = np.where(spread > 1e-7 * (1.0 + np.abs(wide).max(axis=0)), spread, 1.0)
    return wide.mean(axis=0).astype(np.float32), scale.astype(np.float32)


def _scaled(rows: Rows, mean: Rows, scale: Rows) -> Rows:
    scaled: Rows = np.clip((rows - mean) / scale, -CLIP, CLIP)
    return scaled


def _losses(net: Net, windows: Rows, labels: Ints, shares: Rows) -> Tensor:
    """Log loss of each window, times its weight."""
    truth, logits = torch.from_numpy(labels), net(torch.from_numpy(windows))
    each = nn.functional.cross_entropy(logits, truth, reduction="none")
    return each * torch.from_numpy(shares)


def _loss(net: Net, scaled: Rows, labels: Ints, shares: Rows, ends: Ints, window: int) -> float:
    total, at = 0.0, 0
    with torch.inference_mode():
        for windows in batches(scaled, ends, window, CHUNK):
            part = ends[at : at + len(windows)]
            total += float(_losses(net, windows, labels[part], shares[part]).sum())
            at += len(windows)
    return total / float(shares[ends].sum())


def _state(net: Net) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: small matrices gain nothing from more, and sums keep order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
