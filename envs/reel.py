"""Tapes laid end to end, as the compiled kernel reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from envs.lane import EVENT, HAPPENED, MARKS, TIME, WIDE, backdrop
from envs.memory import aligned
from envs.spec import PolicySpec
from envs.tape import DecisionTape
from market.errors import DataError
from market.execution.costs import TERMS

__all__ = ["Reel"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Reel:
    """All tapes, in the order that the kernel touches them.

    Parameters
    ----------
    marks, ticks
        ``float64[M, 4]``, ``int64[M, 4]``: of every decision price and volatility, its event and
        that one's time (:data:`EVENT`, :data:`TIME`); one memory, so that they come near together.
    seen
        ``float32[M, size]``: what a flat sleeve sees there, under the instrument's own costs.
    events, times
        ``float64[E, 8]``, ``int64[E, 8]``: see :class:`envs.tape.Events`, the time
        (:data:`HAPPENED`) behind the values; one memory.
    spans
        ``int64[n, 2]``: first decision of each tape, and one beyond its last.
    terms, delays
        ``float64[n, 16]``, ``float64[n, 65]``: see :meth:`market.execution.Costs.terms`.
    units
        ``float64[n]``: :attr:`envs.tape.DecisionTape.unit` of each.
    fresh
        ``bool[M]``: whether a gap lies before the decision.
    """

    marks: Floats
    ticks: Ints
    seen: npt.NDArray[np.float32]
    events: Floats
    times: Ints
    spans: Ints
    terms: Floats
    delays: Floats
    units: Floats
    fresh: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, tapes: Sequence[DecisionTape], spec: PolicySpec) -> Reel:
        """Lay ``tapes`` end to end.

        Raises
        ------
        DataError
            There is none, or one lacks a feature that the policy sees.
        """
        if not tapes:
            raise DataError("the simulator needs at least one decision tape")
        wide = len(spec.features)
        for tape in tapes:
            if wide and tape.features.shape[1] != wide:
                raise DataError(
                    f"{tape.instrument.symbol}: the policy sees {wide} features, the tape has "
                    f"{tape.features.shape[1]}; make it with DecisionTape.of(..., spec=spec)"
                )
        happening = [tape.happening for tape in tapes]
        ends = np.cumsum([len(tape) for tape in tapes])
        spans = np.column_stack((ends - [len(tape) for tape in tapes], ends))
        offsets = np.cumsum([0, *(len(events.times) for events, _ in happening)])
        terms = np.empty((len(tapes), TERMS))
        for i, (tape, (events, _)) in enumerate(zip(tapes, happening, strict=True)):
            one = tape.instrument
            terms[i] = one.costs.terms(one.leverage, one.interval if events.bars else 0.0)
        rows = np.concatenate([tape.rows for tape in tapes])
        features = np.concatenate([tape.features[:, :wide] for tape in tapes])
        seen = aligned(len(rows), spec.size, np.float32)
        which = np.repeat(np.arange(len(tapes)), [len(tape) for tape in tapes])
        backdrop(rows, features, np.array(spec.scales), which, terms, seen)
        values = aligned(int(offsets[-1]), WIDE, np.float64)
        times = values.view(np.int64)
        values[:, :HAPPENED] = np.concatenate([one.values for one, _ in happening])
        times[:, HAPPENED] = np.concatenate([one.times for one, _ in happening])
        marks = aligned(len(rows), MARKS, np.float64)
        ticks = marks.view(np.int64)
        marks[:, :EVENT] = rows[:, [0, 6]]
        ticks[:, EVENT] = np.concatenate(
            [at + begin for (_, at), begin in zip(happening, offsets, strict=False)]
        )
        ticks[:, TIME] = times[ticks[:, EVENT], HAPPENED]
        return cls(
            marks=marks,
            ticks=ticks,
            seen=seen,
            events=values,
            times=times,
            spans=spans.astype(np.int64),
            terms=terms,
            delays=np.array([tape.instrument.costs.delays() for tape in tapes]),
            units=np.array([tape.unit for tape in tapes]),
            fresh=np.concatenate([tape.fresh for tape in tapes]),
        )
