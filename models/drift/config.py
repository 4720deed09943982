"""What counts as drift."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from market.config import Config

__all__ = ["ColumnDriftConfig", "DriftConfig"]


class DriftConfig(Config):
    """When the errors of a model are taken for changed, see :class:`~models.drift.DriftMonitor`.

    Parameters
    ----------
    delta
        Confidence of ADWIN: roughly the chance of a false alarm each time the window is checked.
    clock
        The window is checked once in so many losses.
    cap
        Losses are taken to be at most this, nats: one hopeless decision is no drift.
    """

    delta: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.002
    clock: Annotated[int, Field(ge=1, le=10_000)] = 8
    cap: Annotated[float, Field(gt=0.0, le=20.0)] = 4.0


class ColumnDriftConfig(Config):
    """When columns are taken for changed, see :class:`~models.drift.ColumnDrift`.

    Parameters
    ----------
    window
        Latest decisions that are held against training; fewer if training has less than eight times
        as many. Slow columns need long ones.
    every
        The window is looked at once in so many decisions.
    alpha
        Chance that a look finds any column changed where none is.
    psi
        A change of a column's population stability index below this is never told, however sure.
    """

    window: Annotated[int, Field(ge=20, le=100_000)] = 500
    every: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    alpha: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.001
    psi: Annotated[float, Field(ge=0.0, le=100.0)] = 0.25
