"""Steps are compiled without bounds: each must keep to the memory that its family asked for."""

from __future__ import annotations

import numpy as np

from features import kernel
from features.catalogue import EVERY, FAMILIES
from features.config import FeatureConfig
from features.engine import FeatureEngine
from features.layout import Layout, lay
from market.events import Bar
from tests.column_cases import market

ROOM = 40
"""Floats left free behind the history of each stream, each state, each instance's columns."""

LEAST = tuple(
    name
    for family in FAMILIES
    if family.fields
    for name in family.names(family.least or (1,) * len(family.fields))
)
"""Every column with the smallest numbers there are: windows of one event, lags of none."""

CONFIG = FeatureConfig(columns=(*EVERY, *LEAST), peer="B")


def guarded(layout: Layout, mark: float) -> tuple[FeatureEngine, np.ndarray]:
    """An engine with room between whatever its memory holds, and which floats are of that room."""
    engine = FeatureEngine(CONFIG, "0.01")
    plan = layout.plan.copy()
    count = plan[kernel.BEYOND]
    end = kernel.HEAD + kernel.INSTANCE * count
    instances = plan[kernel.HEAD : end].reshape(count, kernel.INSTANCE)
    picks = plan[end:].reshape(-1, kernel.PICK)
    states, outs = instances[:, kernel.STATE], instances[:, kernel.OUT]
    views = plan[[kernel.TRADE, kernel.BOOK, kernel.OTHER]]
    starts = np.array([0, *views, *states, *outs, plan[kernel.VALUES]])
    sizes = np.diff([*starts, layout.size])
    moved = starts + ROOM * np.arange(len(starts))
    free = np.ones(layout.size + ROOM * (len(starts) - 1), np.bool_)
    for start, size in zip(moved, sizes, strict=True):
        free[start : start + size] = False

    owner = np.searchsorted(outs, picks[:, 0], "right") - 1
    picks[:, 0] += ROOM * (len(views) + 1 + count + owner)
    for counted in (picks[:, 1], plan[kernel.WARM : kernel.HEAD : 2]):
        counted += ROOM * np.searchsorted(views[:2], counted, "right")
    plan[[kernel.TRADE, kernel.BOOK, kernel.OTHER]] = moved[1:4]
    instances[:, kernel.STATE] = moved[4 : 4 + count]
    instances[:, kernel.OUT] = moved[4 + count : -1]
    plan[kernel.VALUES] = moved[-1]

    params = np.full(len(layout.params) + ROOM * (count + 1), mark)
    params[0] = layout.params[0]
    ends = [*instances[1:, 2], len(layout.params)]
    for i, until in enumerate(ends):
        begin = instances[i, 2]
        instances[i, 2] = begin + ROOM * (i + 1)
        params[instances[i, 2] : until + ROOM * (i + 1)] = layout.params[begin:until]
    engine._plan, engine._params = plan, params
    engine._memory = np.where(free, mark, 0.0)
    engine._picks = picks[:, 0]
    return engine, free


def test_no_step_touches_what_is_not_its_own() -> None:
    tape, beside = market()
    mark = 1.25e77
    engine, free = guarded(lay(CONFIG), mark)
    plain = FeatureEngine(CONFIG, beside.tick)
    for event in beside.events(tape):
        for one in (engine, plain):
            one.update(event)
        if isinstance(event, Bar):
            # what is read beyond would show: nothing that a column is made of is so large
            assert engine.raw.tobytes() == plain.raw.tobytes()
    assert free.sum() > len(FAMILIES) * ROOM
    assert (engine._memory[free] == mark).all()
