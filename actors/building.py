"""Datasets made by Ray tasks: days are read side by side, their memory goes from task to task."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import ray

from features.building import Pieces, work
from features.decisions import Carry, Decisions, Recipe
from features.sources import Day, Source

__all__ = ["AHEAD", "in_tasks"]

AHEAD = 8
"""Pieces of a symbol in the cluster's memory at once."""


def in_tasks(source: Source, recipe: Recipe, plan: Pieces) -> Iterator[Decisions]:
    """Do the work of :func:`features.building.in_turn` in tasks: the same decisions, every byte.

    Days are read, and decoded, before their turn; a piece's features need the memory that the piece
    before left, so a symbol keeps one core busy with them, and several symbols several. A task
    whose process dies is done again by Ray, from the same memory.
    """
    recording, days = ray.put(source), dict[int, "ray.ObjectRef[Day]"]()
    carry: ray.ObjectRef[Carry] | Carry = Carry.of(recipe)
    waiting = deque["ray.ObjectRef[Decisions]"]()
    try:
        for piece in plan:
            days = {d: days[d] if d in days else _read.remote(recording, d) for d in piece.days}
            made, carry = _work.remote(recipe, piece, carry, *days.values())
            waiting.append(made)
            if len(waiting) > AHEAD:
                yield ray.get(waiting.popleft())
        while waiting:
            yield ray.get(waiting.popleft())
    finally:
        # Where it ended early the tasks under way are let run out, a few seconds: Ray ends the
        # whole process if a task is cancelled in the moment it completes. Failures are asked for,
        # because Ray prints those that nobody asks for.
        for left in (*waiting, carry, *days.values()):
            if isinstance(left, ray.ObjectRef):
                with suppress(ray.exceptions.RayError):
                    ray.get(left)


@ray.remote
def _read(source: Source, day: int) -> Day:
    return source.day(day)


_work: Any = ray.remote(num_returns=2)(work)
