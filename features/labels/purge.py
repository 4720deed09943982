"""Labels held against data: each is settled by its own event, and by nothing later or earlier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.labels.classes import NONE, Floats, Ints
from features.labels.config import LabelConfig
from features.labels.labelling import label
from features.labels.meta import meta_label
from features.labels.target import volatility_target
from market.execution import Costs
from market.tape import Tape

__all__ = ["Labeller", "Purged", "labellers", "purge"]

Labeller = Callable[[Tape, Ints, Floats], tuple[npt.NDArray[np.generic], Ints]]
"""Labels decisions on a tape, given the rows and the volatility there: labels, and their ends."""


@dataclass(frozen=True)
class Purged:
    """What became of one kind of label.

    Parameters
    ----------
    name
        Its kind.
    decisions, unknown
        Decisions looked at, and those of them without a label.
    span
        Smallest, median and largest number of events to the label's end; nan if none is known.
    faults
        What it did that no label may.
    """

    name: str
    decisions: int
    unknown: int
    span: tuple[float, float, float]
    faults: tuple[str, ...]


def labellers(config: LabelConfig, costs: Costs | None = None) -> dict[str, Labeller]:
    """Return every kind of label, those of ``config`` first, over the same horizon.

    Parameters
    ----------
    config
        Of the kind that is used; of the others the defaults.
    costs
        What a trade costs, of which the barriers are net.
    """
    h = config.horizon
    names = (f"high_010_{h}", f"low_010_{h}")
    kinds = {
        config.kind: config,
        "direction": LabelConfig(horizon=h),
        "barrier": LabelConfig(kind="barrier", horizon=h),
        "wide barrier": LabelConfig(kind="barrier", horizon=h, stop=3.0, expiry="sign"),
        "highlow, touch": LabelConfig(kind="highlow", names=names),
        "highlow, first": LabelConfig(kind="highlow", names=names, rule="first"),
    }
    found = {name: _of(one, costs) for name, one in (kinds | {config.kind: config}).items()}
    for name, side in (("meta, long", 1), ("meta, short", -1)):
        found[name] = _meta(side, kinds["barrier"], costs)
    found["volatility"] = lambda tape, rows, volatility: volatility_target(
        tape, rows, volatility, h
    )
    return found


def purge(
    kinds: Mapping[str, Labeller], tape: Tape, rows: Ints, volatility: Floats
) -> tuple[Purged, ...]:
    """Audit labels on a recording, decision by decision.

    With the tape cut right after the event that is said to have settled a label, the label must be
    the same; cut right before that event, it must be unknown. A training set that leaves out what
    ends behind its border then holds nothing of what is behind it.

    Parameters
    ----------
    kinds
        See :func:`labellers`.
    tape
        Ticks or bars.
    rows
        ``int64[m]``: event of each decision that is looked at.
    volatility
        ``float64[m]``: of log returns, per event, at each.
    """
    return tuple(_purged(name, kind, tape, rows, volatility) for name, kind in kinds.items())


def _purged(name: str, kind: Labeller, tape: Tape, rows: Ints, volatility: Floats) -> Purged:
    labels, ends = kind(tape, rows, volatility)
    unknown = _unknown(labels)
    faults: dict[str, int] = {}
    for i, (row, end) in enumerate(zip(rows.tolist(), ends.tolist(), strict=True)):
        one, noise = rows[i : i + 1], volatility[i : i + 1]
        if unknown[i]:
            if end != row:
                faults.setdefault("ends without being known", row)
            continue
        if end <= row:
            faults.setdefault("ends before it could be known", row)
            continue
        if tape.fresh[row + 1 : end + 1].any():
            faults.setdefault("ends behind a hole", row)
        (there,), (its,) = kind(tape.slice(0, end + 1), one, noise)
        if there != labels[i] or its != end:
            faults.setdefault("changes with what comes after its end", row)
        if not _unknown(kind(tape.slice(0, end), one, noise)[0])[0]:
            faults.setdefault("known before its end", row)
    spans = (ends - rows)[~unknown]
    span = np.quantile(spans, (0.0, 0.5, 1.0)).tolist() if len(spans) else [np.nan] * 3
    told = tuple(f"{fault}, first at row {row}" for fault, row in faults.items())
    return Purged(name, len(rows), int(unknown.sum()), (span[0], span[1], span[2]), told)


def _unknown(labels: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    unknown: npt.NDArray[np.bool_] = labels == NONE
    return np.isnan(labels) if labels.dtype.kind == "f" else unknown


def _of(config: LabelConfig, costs: Costs | None) -> Labeller:
    return lambda tape, rows, volatility: label(config, tape, rows, volatility, costs)


def _meta(side: int, config: LabelConfig, costs: Costs | None) -> Labeller:
    return lambda tape, rows, volatility: meta_label(
        config, tape, rows, volatility, np.full(len(rows), side, np.int8), costs
    )
