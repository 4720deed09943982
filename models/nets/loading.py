"""Windows for training: a view of the rows, of which only a batch at a time is copied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from models.member import Ints, Rows

__all__ = ["Windows", "epoch"]


class Windows:
    """All windows of some rows, which take the memory of the rows only.

    A window's values lie one behind the other in the rows, and the next window begins a row
    later: one strided view holds them all. The rows are moved to the device once; batches are cut
    out of them there. The windows are those of :func:`models.windows.batches`.

    Parameters
    ----------
    rows
        ``float32[m, F]``, C order; shared, not copied, where ``device`` is the CPU.
    window
        Rows of a window, at most ``m``.
    device
        Where they are wanted.

    Examples
    --------
    >>> windows = Windows(np.arange(6, dtype=np.float32).reshape(3, 2), 2)
    >>> windows[torch.tensor([2, 1])].tolist()
    [[[2.0, 3.0], [4.0, 5.0]], [[0.0, 1.0], [2.0, 3.0]]]
    """

    def __init__(self, rows: Rows, window: int, device: torch.device | None = None) -> None:
        self.device = device or torch.device("cpu")
        # Arrays out of Ray's store can't be written to, of which torch warns; these are copied.
        held = torch.from_numpy(np.require(rows, requirements="W"))
        if self.device.type == "cuda":
            held = held.pin_memory().to(self.device, non_blocking=True)
        count, features = held.shape
        self._shape = (window, features)
        size = (max(count - window + 1, 0), window * features)
        # Two dimensions, not three: rows of index_select that lie in one piece are copied at once.
        self._flat = held.as_strided(size, (features, 1))

    def __getitem__(self, ends: Tensor) -> Tensor:
        """Copy the windows that end at ``int64[n]``: ``float32[n, window, F]``."""
        begins = ends - (self._shape[0] - 1)
        return self._flat.index_select(0, begins).view(-1, *self._shape)

    def batches(self, ends: Ints, size: int) -> Iterator[Tensor]:
        """Yield the windows that end at ``ends``, ``size`` at a time."""
        wanted = torch.from_numpy(np.require(ends, requirements="W")).to(self.device)
        for start in range(0, len(wanted), size):
            yield self[wanted[start : start + size]]


def epoch(ends: Tensor, most: int, draw: torch.Generator) -> Tensor:
    """Draw the windows of an epoch, shuffled.

    Parameters
    ----------
    ends
        ``int64[n]``, in order of time.
    most
        Of more windows, one is drawn from each of ``most`` equal stretches.
    draw
        Drawn from.

    Examples
    --------
    >>> draw = torch.Generator().manual_seed(1)
    >>> sorted(epoch(torch.arange(9), 3, draw) // 3)
    [tensor(0), tensor(1), tensor(2)]
    """
    count = len(ends)
    if count > most:
        edges = torch.arange(most + 1) * count // most
        within = torch.rand(most, generator=draw, dtype=torch.float64)
        ends = ends[edges[:-1] + (within * edges.diff()).long()]
    return ends[torch.randperm(len(ends), generator=draw)]
