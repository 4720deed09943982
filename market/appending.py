"""How the tick store takes events in: behind the last one, between others, or again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from market.calendar import ALWAYS, Calendar
from market.dayfiles import DAY, Account, DayFiles, shelf_of
from market.errors import DataError
from market.footer import Footer
from market.holes import MAX_GAP, nominal_step
from market.merging import Merged, distinct, merge
from market.quarantine import Quarantine
from market.series import BadRow, Series

__all__ = ["Appending", "compact", "sources_of"]

_SEGMENTS = 64
"""A day of so many segments is made one file: each costs a reader about a millisecond."""


@dataclass(frozen=True)
class Appending:
    """One call of :meth:`market.store.TickStore.append`, whose parameters these are."""

    files: DayFiles
    quarantine: Quarantine
    source: str = ""
    keep_first: bool = False
    calendar: Calendar = ALWAYS
    live: bool = False

    def add(self, given: Series) -> int:
        """Add events, and return how many were new."""
        once = distinct(given)
        self._settle(once, given, f"{self.source or 'the series'} itself")
        series = once.series if self.live else self._seamed(once.series)
        days = series.times // DAY
        added = 0
        for day in np.unique(days).tolist():
            first, stop = np.searchsorted(days, [day, day + 1]).tolist()
            added += self._add(series.slice(first, stop), day, first > 0)
        if not self.live:
            self._seam_behind(series)
        return added

    def agree(self, given: Series) -> None:
        """Raise :class:`DataError` if an event contradicts a stored one; nothing is written."""
        once = distinct(given)
        self._settle(once, given, f"{self.source or 'the series'} itself")
        series = once.series
        days = series.times // DAY
        for day in np.unique(days).tolist():
            part = series.slice(*np.searchsorted(days, [day, day + 1]).tolist())
            known = self.files.tail(part.symbol, shelf_of(part.kind, part.step), day)
            if known is not None and not _behind(part, known[0]):
                self._merged(part, day, True)

    def _seamed(self, series: Series) -> Series:
        """Mark the first row as fresh where it doesn't follow the stored event before closely."""
        if series.fresh[0] or series.kind == "book":
            return series
        before = self._before(series)
        if before is None or not self._wide(series, *before):
            return series
        fresh = series.fresh.copy()
        fresh[0] = True
        return replace(series, fresh=fresh)

    def _before(self, series: Series) -> tuple[int, int, int] | None:
        """Return time, number and step of what is stored before the first row."""
        start, symbol = int(series.times[0]), series.symbol
        shelf = shelf_of(series.kind, series.step)
        ids = series.columns.get("id")
        number = -1 if ids is None else int(ids[0])
        days = [day for day in self.files.days(symbol, shelf) if day <= start // DAY]
        for day in reversed(days[-2:]):
            known = self.files.tail(symbol, shelf, day)
            assert known is not None, "the day is listed"
            tail = known[0]
            if tail.last < start or 0 <= tail.last_id < number:
                return tail.last, tail.last_id, tail.step
            stored = self.files.read(symbol, shelf, day, day)
            earlier = stored.columns["id"] < number if number >= 0 else stored.times < start
            if earlier.any():
                at = int(np.flatnonzero(earlier)[-1])
                last = -1 if ids is None else int(stored.columns["id"][at])
                return int(stored.times[at]), last, stored.step
        return None

    def _seam_behind(self, series: Series) -> None:
        """Mark the stored event that follows the last row, if it doesn't follow closely."""
        end, symbol = int(series.times[-1]), series.symbol
        shelf = shelf_of(series.kind, series.step)
        for day in [d for d in self.files.days(symbol, shelf) if d >= end // DAY][:2]:
            known = self.files.tail(symbol, shelf, day)
            if known is None or known[0].last <= end:
                continue
            accounts = self.files.accounts(symbol, shelf, day, day)
            stored = self.files.read(symbol, shelf, day, day)
            at = int(np.searchsorted(stored.times, end, side="right"))
            turned = series.slice(len(series) - 1, len(series))
            after = stored.slice(at, at + 1)
            number = -1 if "id" not in turned.columns else int(turned.columns["id"][0])
            step = series.step or stored.step
            if not stored.fresh[at] and self._wide(after, end, number, step, series):
                fresh = stored.fresh.copy()
                fresh[at] = True
                sources = sources_of(accounts) | {int(stored.times[at]): self.source}
                _replace(self.files, replace(stored, fresh=fresh), accounts, sources)
            return

    def _wide(
        self, after: Series, before: int, number: int, step: int, numbered: Series | None = None
    ) -> bool:
        """Return whether something is missing between a time and the first row of ``after``."""
        if after.kind == "trades":
            # Where a venue numbers its trades evenly, a number left out is a trade missed.
            each = nominal_step((numbered or after).columns["id"])
            return bool(each and number >= 0) and bool(
                after.columns["id"][0] - number > MAX_GAP * each
            )
        nominal = after.step or step
        if not nominal or after.kind == "book":
            return False
        pair = np.array([before]), after.times[:1]
        return bool(self.calendar.open_time(*pair)[0] > MAX_GAP * nominal)

    def _add(self, part: Series, day: int, knows_before: bool) -> int:
        """Add rows of one day: as its file, as a segment behind, or merged with what is there."""
        shelf = shelf_of(part.kind, part.step)
        sources = dict.fromkeys(part.times[part.fresh].tolist(), self.source)
        known = self.files.tail(part.symbol, shelf, day)
        if known is None:
            self.files.write(part, sources=sources)
            return len(part)
        tail, number = known
        if _behind(part, tail):
            self.files.write(part, number + 1, sources=sources)
            if len(self.files.days(part.symbol, shelf)[day]) > _SEGMENTS:
                compact(self.files, part.symbol, shelf, day)
            return len(part)
        accounts = self.files.accounts(part.symbol, shelf, day, day)
        both = self._merged(part, day, knows_before)
        if both.changed:
            series = replace(both.series, step=part.step or both.series.step)
            _replace(self.files, series, accounts, sources_of(accounts) | sources)
        return both.added

    def _merged(self, part: Series, day: int, knows_before: bool) -> Merged:
        """Merge rows of one day with what is there; contradictions are settled."""
        shelf = shelf_of(part.kind, part.step)
        both = merge(self.files.read(part.symbol, shelf, day, day), part, knows_before)
        self._settle(both, part, self.files.path(part.symbol, shelf, day))
        return both

    def _settle(self, both: Merged, new: Series, where: str) -> None:
        """Keep contradictions aside, or raise."""
        faults = [
            (int(new.times[at_new]), _words(both.series, kept), _words(new, at_new))
            for kept, at_new in both.conflicts
        ]
        if faults and not self.keep_first:
            time, kept, told = faults[0]
            by = f" from {self.source}" if self.source else ""
            raise DataError(
                f"{where}: the event of {new.symbol} at {_date(time)} is {kept}, now {told}{by}; "
                "one of the two is wrong: move the file away to take the new one, or keep the "
                "first (import --keep-first)"
            )
        if faults:
            by = self.source or new.kind
            self.quarantine.add(
                new.symbol,
                [
                    BadRow(f"{by} at {time}", f"stored is {kept}", told)
                    for time, kept, told in faults
                ],
            )


def _behind(part: Series, tail: Footer) -> bool:
    """Return whether rows lie behind all that is stored of their day."""
    ids = part.columns.get("id")
    if ids is not None and min(int(ids[0]), tail.last_id) >= 0:
        # By its number: the same trade told in a finer unit of time lies behind itself.
        return bool(ids[0] > tail.last_id and part.times[0] >= tail.last)
    return bool(part.times[0] > tail.last)


def compact(files: DayFiles, symbol: str, shelf: str, day: int) -> None:
    """Make one file of a day's segments."""
    accounts = files.accounts(symbol, shelf, day, day)
    whole = files.read(symbol, shelf, day, day)
    if whole.kind == "ticks":
        whole = replace(whole, step=nominal_step(whole.times))
    _replace(files, whole, accounts, sources_of(accounts))


def sources_of(accounts: list[Account]) -> dict[int, str]:
    """Return who told each row behind a hole, by its time."""
    return {hole.end: hole.source for footer, _ in accounts for hole in footer.holes}


def _replace(
    files: DayFiles, series: Series, accounts: list[Account], sources: dict[int, str]
) -> None:
    """Write the day's file, and let go of the segments that are in it now."""
    shelf, day = shelf_of(series.kind, series.step), int(series.times[0]) // DAY
    segments = files.days(series.symbol, shelf)[day]
    merged = max(*segments, *(footer.merged for footer, _ in accounts))
    files.write(series, 0, merged, sources)
    files.delete(series.symbol, shelf, day, [one for one in segments if one])


def _words(series: Series, row: int) -> str:
    told: dict[str, Any] = {name: column[row].item() for name, column in series.columns.items()}
    return ", ".join(f"{name} {value}" for name, value in told.items() if value == value)


def _date(time: int) -> str:
    """Return an instant as people write it, as fine as it is: ``2026-04-03 12:00:04.5 UTC``."""
    text = str(np.datetime64(time, "ns")).replace("T", " ")
    return f"{text.rstrip('0').rstrip('.')} UTC"
