"""Attention over the rows of a window."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from models.nets.graph import Graph

__all__ = ["Attention"]


class Attention(nn.Module):
    """Multi-head attention: softmax(q kᵀ / √d) v of every head, side by side, then a dense layer.

    As in Vaswani et al., Attention Is All You Need (2017); without biases of keys and values,
    which say nothing: the first cancels in the softmax, the second is the last layer's own.

    Parameters
    ----------
    width
        Values per row.
    heads
        How many share them.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.each = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.join = nn.Linear(width, width)

    def forward(self, asking: Tensor, rows: Tensor) -> Tensor:
        """Let ``[n, q, width]`` look at ``[n, k, width]``: ``[n, q, width]``."""
        said = functional.scaled_dot_product_attention(
            self._apart(self.query(asking)),
            self._apart(self.key(rows)),
            self._apart(self.value(rows)),
        )
        joined: Tensor = self.join(said.transpose(1, 2).reshape(asking.shape))
        return joined

    def _apart(self, rows: Tensor) -> Tensor:
        return rows.view(*rows.shape[:2], self.heads, self.each).transpose(1, 2)

    def write(self, graph: Graph, asking: str, rows: str) -> str:
        """Write it into a graph; ``1 / √d`` goes into the weights."""
        query = graph.linear(asking, self.query, self.each**-0.5)
        key, value = graph.linear(rows, self.key), graph.linear(rows, self.value)
        if self.heads == 1:
            key = graph.node("Transpose", key, perm=[0, 2, 1])
        else:
            query, key, value = (
                graph.node("Transpose", graph.reshape(one, 0, -1, self.heads, self.each), perm=perm)
                for one, perm in (
                    (query, [0, 2, 1, 3]),
                    (key, [0, 2, 3, 1]),
                    (value, [0, 2, 1, 3]),
                )
            )
        shares = graph.node("Softmax", graph.node("MatMul", query, key), axis=-1)
        said = graph.node("MatMul", shares, value)
        if self.heads > 1:
            said = graph.node("Transpose", said, perm=[0, 2, 1, 3])
            said = graph.reshape(said, 0, -1, self.heads * self.each)
        return graph.linear(said, self.join)
