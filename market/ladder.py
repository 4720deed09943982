"""A book's levels as two radix trees of price ticks: the memory a compiled book lives in.

A leaf holds the sizes at 64 neighbouring ticks. A node holds 1,024 leaves, for each a word that
says which of its ticks have a level, and 16 words that say which leaves there are; a root, one a
side, holds 32,768 nodes and 512 such words. So a level is found, put and taken away in three
reads, the next one above or below in a few words, and memory goes with the levels there are, not
with the prices there could be.

It is two flat arrays, because handing arrays around costs compiled code more than the work itself:
``tree`` (``int64``: head, roots, nodes) and ``sizes`` (``float64``, 64 a leaf). A node is known by
its place in ``tree``, a leaf by its number plus one, and 0 is none.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

__all__ = [
    "ASK",
    "BEST",
    "BID",
    "COUNT",
    "LIMIT",
    "Floats",
    "Ints",
    "empty",
    "nearest",
    "put",
    "roomier",
    "size_at",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LIMIT = 1 << 31
"""Ticks must be below this."""

BID, ASK = 0, 1

LEAVES, FREE_LEAF, NODES_END, FREE_NODE, COUNT, BEST = 0, 1, 2, 3, 4, 6
"""Places in the head: leaves ever used; first free leaf; end of the nodes ever used; first free
node; levels of both sides; best tick of both sides."""

HEAD = 8
ROOT_WORDS, ROOT = 512, 512 + 32768
NODE_WORDS, NODE_BITS, NODE = 16, 16 + 1024, 16 + 1024 + 1024


def empty(nodes: int = 8, leaves: int = 256) -> tuple[Ints, Floats]:
    """Return ``tree`` and ``sizes`` without a level, with room for so many nodes and leaves."""
    tree = np.zeros(HEAD + 2 * ROOT + nodes * NODE, np.int64)
    tree[NODES_END] = HEAD + 2 * ROOT
    tree[BEST + BID], tree[BEST + ASK] = -1, LIMIT
    return tree, np.zeros(64 * leaves)


def roomier(tree: Ints, sizes: Floats) -> tuple[Ints, Floats]:
    """Return the same levels with twice the room of what ran out."""
    if not tree[FREE_NODE] and tree[NODES_END] == len(tree):
        more = len(tree) - HEAD - 2 * ROOT
        tree = np.concatenate((tree, np.zeros(more, np.int64)))
    if not tree[FREE_LEAF] and 64 * tree[LEAVES] == len(sizes):
        sizes = np.concatenate((sizes, np.zeros(len(sizes))))
    return tree, sizes


def _zeros(name: str):  # type: ignore[no-untyped-def]
    """Return the machine's own count of a word's leading or trailing zeros."""

    @intrinsic
    def count(typing, word):  # type: ignore[no-untyped-def]
        def code(context, builder, signature, args):  # type: ignore[no-untyped-def]
            never_zero = ir.Constant(ir.IntType(1), 1)
            return getattr(builder, name)(args[0], never_zero)

        return types.int64(types.int64), code

    return count


_leading, _trailing = _zeros("ctlz"), _zeros("cttz")


@nb.njit(cache=True, forceinline=True)
def _next(tree: Ints, at: int, words: int, place: int, up: bool) -> int:
    """Return the first set bit at ``place`` or beyond it in the words at ``at``; -1 if none is."""
    if place < 0 or place >= 64 * words:
        return -1
    i = place >> 6
    if up:
        word = tree[at + i] & (-1 << (place & 63))
        while word == 0:
            i += 1
            if i == words:
                return -1
            word = tree[at + i]
        return int((i << 6) + _trailing(word))
    word = tree[at + i] & (((1 << (place & 63)) << 1) - 1)
    while word == 0:
        i -= 1
        if i < 0:
            return -1
        word = tree[at + i]
    return int((i << 6) + 63 - _leading(word))


@nb.njit(cache=True, forceinline=True)
def nearest(tree: Ints, side: int, tick: int, up: bool) -> int:
    """Return the first level at ``tick`` or beyond it, upwards or downwards; -1 if none is."""
    if tick < 0 or tick >= LIMIT:
        return -1
    root, high, step = HEAD + side * ROOT, tick >> 16, 1 if up else -1
    node, found = tree[root + ROOT_WORDS + high], -1
    if node:
        middle = (tick >> 6) & 1023
        inner = _next(tree, node + NODE_BITS + middle, 1, tick & 63, up)
        if inner >= 0:
            return (tick & ~63) + inner
        found = _next(tree, node, NODE_WORDS, middle + step, up)
    if found < 0:
        high = _next(tree, root, ROOT_WORDS, high + step, up)
        if high < 0:
            return -1
        node = tree[root + ROOT_WORDS + high]
        found = _next(tree, node, NODE_WORDS, 0 if up else 1023, up)
    inner = _next(tree, node + NODE_BITS + found, 1, 0 if up else 63, up)
    return (high << 16) + (found << 6) + inner


@nb.njit(cache=True, forceinline=True)
def size_at(tree: Ints, sizes: Floats, side: int, tick: int) -> float:
    """Return the size at a tick, 0 where there is no level."""
    if tick < 0 or tick >= LIMIT:
        return 0.0
    node = tree[HEAD + side * ROOT + ROOT_WORDS + (tick >> 16)]
    if not node:
        return 0.0
    leaf = tree[node + NODE_WORDS + ((tick >> 6) & 1023)]
    return sizes[64 * (leaf - 1) + (tick & 63)] if leaf else 0.0


@nb.njit(cache=True, forceinline=True)
def _new_node(tree: Ints) -> int:
    """Return a node without leaves; 0 if there is no room."""
    node = tree[FREE_NODE]
    if node:
        tree[FREE_NODE], tree[node] = tree[node], 0
        return int(node)
    node = tree[NODES_END]
    if node == len(tree):
        return 0
    tree[NODES_END] += NODE
    return int(node)


@nb.njit(cache=True, forceinline=True)
def _new_leaf(tree: Ints, sizes: Floats) -> int:
    """Return a leaf without levels; 0 if there is no room."""
    leaf = tree[FREE_LEAF]
    if leaf:
        # A free leaf's first size is the number of the next free one.
        tree[FREE_LEAF] = int(sizes[64 * (leaf - 1)])
        sizes[64 * (leaf - 1)] = 0.0
        return int(leaf)
    if 64 * tree[LEAVES] == len(sizes):
        return 0
    tree[LEAVES] += 1
    return int(tree[LEAVES])


@nb.njit(cache=True, forceinline=True)
def _take(tree: Ints, sizes: Floats, side: int, node: int, leaf: int, tick: int) -> None:
    """Take away the level at ``tick``, and its leaf and node if they are empty then."""
    middle = (tick >> 6) & 1023
    sizes[64 * (leaf - 1) + (tick & 63)] = 0.0
    tree[COUNT + side] -= 1
    tree[node + NODE_BITS + middle] &= ~(1 << (tick & 63))
    if tree[node + NODE_BITS + middle]:
        return
    sizes[64 * (leaf - 1)] = tree[FREE_LEAF]
    tree[FREE_LEAF] = leaf
    tree[node + NODE_WORDS + middle] = 0
    tree[node + (middle >> 6)] &= ~(1 << (middle & 63))
    for i in range(NODE_WORDS):
        if tree[node + i]:
            return
    root, high = HEAD + side * ROOT, tick >> 16
    tree[root + ROOT_WORDS + high] = 0
    tree[root + (high >> 6)] &= ~(1 << (high & 63))
    tree[node] = tree[FREE_NODE]
    tree[FREE_NODE] = node


@nb.njit(cache=True, forceinline=True)
def put(tree: Ints, sizes: Floats, side: int, tick: int, size: float) -> bool:
    """Set the size at a tick, 0 to take it away; ``False`` if there was no room for it."""
    root, high, middle = HEAD + side * ROOT, tick >> 16, (tick >> 6) & 1023
    node = tree[root + ROOT_WORDS + high]
    if not node:
        if size == 0.0:
            return True
        node = _new_node(tree)
        if not node:
            return False
        tree[root + ROOT_WORDS + high] = node
        tree[root + (high >> 6)] |= 1 << (high & 63)
    leaf = tree[node + NODE_WORDS + middle]
    if not leaf:
        if size == 0.0:
            return True
        leaf = _new_leaf(tree, sizes)
        if not leaf:
            return False
        tree[node + NODE_WORDS + middle] = leaf
        tree[node + (middle >> 6)] |= 1 << (middle & 63)
    place = 64 * (leaf - 1) + (tick & 63)
    if sizes[place] == 0.0:
        if size == 0.0:
            return True
        tree[node + NODE_BITS + middle] |= 1 << (tick & 63)
        tree[COUNT + side] += 1
    elif size == 0.0:
        _take(tree, sizes, side, node, leaf, tick)
        return True
    sizes[place] = size
    return True
