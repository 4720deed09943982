"""Drift as the journal keeps it: what is no longer as it was, in figures and in words."""

from __future__ import annotations

from typing import Literal

import msgspec

from models.drift import Alarm, ColumnShift

__all__ = ["Drift", "of_columns", "of_losses"]

_NAMED = 3
"""Columns told by name in the words; the figures have all of them."""


class Drift(msgspec.Struct, frozen=True):
    """An alarm. Nothing is done about it but to say so.

    Parameters
    ----------
    time
        Venue time of the event that raised it.
    of
        ``rise`` or ``fall`` of the ensemble's own losses, or ``columns`` that changed.
    text
        What has changed, and what to do.
    figures
        Of losses: ``before`` and ``after``, nats, and ``since``, decisions ago. Of columns: the
        population stability index of each.
    """

    time: int
    of: Literal["rise", "fall", "columns"]
    text: str
    figures: dict[str, float]


def of_losses(time: int, alarm: Alarm) -> Drift:
    """Tell of losses that are no longer what they were.

    Examples
    --------
    >>> print(of_losses(1, Alarm(losses=900, before=1.02, after=1.11, since=240)).text)
    log loss rose from 1.020 to 1.110 nats about 240 decisions ago: `pregao train` on recent data,
    or `pregao models rollback`; until then trust it less
    """
    rose = alarm.worse
    remedy = (
        "`pregao train` on recent data, or `pregao models rollback`; until then trust it less"
        if rose
        else "the market has become easier to foretell; `pregao train` may use it"
    )
    text = (
        f"log loss {'rose' if rose else 'fell'} from {alarm.before:.3f} to {alarm.after:.3f} nats "
        f"about {alarm.since} decisions ago: {remedy}"
    )
    figures = {"before": alarm.before, "after": alarm.after, "since": float(alarm.since)}
    return Drift(time, "rise" if rose else "fall", text, figures)


def of_columns(time: int, shifts: tuple[ColumnShift, ...]) -> Drift:
    """Tell of columns that no longer look as they did in training, the furthest first.

    Examples
    --------
    >>> print(of_columns(1, (ColumnShift("trend_8", 0.61, 0.3, 0.0, 0.0),)).text)
    trend_8 (PSI 0.61) no longer as in training: is the feed right? then `pregao train` on recent
    data
    """
    far = sorted(shifts, key=lambda one: -one.psi)
    named = ", ".join(f"{one.name} (PSI {one.psi:.2f})" for one in far[:_NAMED])
    more = f" and {len(far) - _NAMED} more" if len(far) > _NAMED else ""
    text = (
        f"{named}{more} no longer as in training: is the feed right? then `pregao train` on "
        "recent data"
    )
    return Drift(time, "columns", text, {one.name: one.psi for one in far})
