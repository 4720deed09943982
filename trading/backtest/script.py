"""The kernel path: a script of decisions, traded over a tape by one compiled loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from envs.spec import PolicySpec
from market.clock import decision_rows
from market.errors import DataError
from market.execution.sleeve import open_sleeve
from market.instruments import Instrument
from market.tape import CLOSE, HIGH, LOW, OPEN, VOLUME, Tape
from trading.backtest.kernel import (
    DEAD_ZONE,
    LEVERAGE,
    MAX_HOLD,
    OPENINGS,
    ROOM,
    RULES,
    walk,
)
from trading.record import SleeveRecord
from trading.trips import Fills, Trips, mids

__all__ = ["Reel", "Script", "play", "sweep"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Script:
    """What was decided, before anything is traded; ``d`` decisions.

    An answer may depend on anything but the position: what depends on it (that a bracket is
    entered from flat only, the longest hold, openings an hour) are rules of the spec, and applied.

    Parameters
    ----------
    spec
        The actions and the rules.
    rows
        ``int64[d]``: rows of the tape on which a decision is made, increasing.
    actions
        ``int64[d]``: rows of ``spec.table`` answered.
    volatility
        ``float64[d]``: of one event, which distances may be told in; nan where unknown.
    probabilities
        ``float64[d, 3]``: what was forecast, for the record; empty: nothing.
    regime
        ``int64[d]``: likewise; empty: none.
    every
        Events per decision.

    Raises
    ------
    DataError
        Lengths differ, rows don't increase, or an action isn't in the table.
    """

    spec: PolicySpec
    rows: Ints
    actions: Ints
    volatility: Floats
    probabilities: Floats = field(default_factory=lambda: np.empty((0, 3)))
    regime: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    every: int = 1

    def __post_init__(self) -> None:
        n = len(self.rows)
        if len(self.actions) != n or len(self.volatility) != n:
            raise DataError(
                f"a script of {n} decisions needs {n} actions and volatilities, has "
                f"{len(self.actions)} and {len(self.volatility)}"
            )
        if np.any(np.diff(self.rows) <= 0):
            raise DataError("a script's rows must increase")
        if n and not (self.actions.min() >= 0 and self.actions.max() < len(self.spec.table)):
            raise DataError(
                f"a script's actions must be 0 to {len(self.spec.table) - 1}, were "
                f"{self.actions.min()} to {self.actions.max()}"
            )

    @classmethod
    def of_signal(
        cls, tape: Tape, signal: npt.NDArray[np.integer], spec: PolicySpec, every: int = 1
    ) -> Script:
        """Make a script from a signal: the largest long, the largest short position, or nothing.

        Parameters
        ----------
        tape
            To be traded.
        signal
            ``int[n]``, one an event: 1, -1, or 0 for leaving things as they are.
        spec
            Its first action of each exposure is taken.
        every
            Events per decision.
        """
        rows = decision_rows(tape.fresh, every)
        exposure = spec.table[:, 1]
        answers = np.array([int(np.argmin(exposure)), 0, int(np.argmax(exposure))])
        actions = answers[np.sign(signal[rows]).astype(np.int64) + 1]
        return cls(spec, rows, actions, np.full(len(rows), np.nan), every=every)


@dataclass(frozen=True)
class Reel:
    """A tape as the compiled loop takes it: columns side by side; made once for many runs.

    Parameters
    ----------
    tape
        The events.
    widen
        ``float64[n]``: what spread and slippage are multiplied with, ``inf`` where trading is
        halted; empty: 1 throughout.
    """

    tape: Tape
    widen: Floats = field(default_factory=lambda: np.empty(0))
    columns: tuple[Floats, ...] = field(init=False)

    def __post_init__(self) -> None:
        if len(self.widen) not in (0, len(self.tape)):
            raise DataError(
                f"{self.tape.symbol}: widen must be one number an event, {len(self.tape)}, was "
                f"{len(self.widen)}"
            )
        values = self.tape.values
        last = np.ascontiguousarray(values[:, CLOSE])
        volume = np.ascontiguousarray(values[:, VOLUME])
        if self.tape.bars:
            first, high, low = (np.ascontiguousarray(values[:, at]) for at in (OPEN, HIGH, LOW))
        else:
            first = high = low = last
        object.__setattr__(self, "columns", (first, high, low, last, volume))


def play(
    reel: Reel | Tape,
    instrument: Instrument,
    script: Script,
    capital: float,
    room: float = np.inf,
    seed: int = 0,
) -> SleeveRecord:
    """Trade a script over a tape.

    Equal to the live trader on the same decisions, fill for fill, while its lease runs and allows
    ``room`` throughout.

    Parameters
    ----------
    reel
        The events.
    instrument
        What is traded, and what trading it costs.
    script
        What was decided.
    capital
        Cash at the beginning.
    room
        Largest notional the lease allows.
    seed
        Of the latencies drawn.

    Raises
    ------
    DataError
        An empty tape, or a script that is another tape's.
    ValueError
        ``capital`` not positive.
    """
    reel = reel if isinstance(reel, Reel) else Reel(reel)
    tape, spec = reel.tape, script.spec
    if not len(tape):
        raise DataError(f"{tape.symbol}: the tape is empty")
    if len(script.rows) and script.rows[-1] >= len(tape):
        raise DataError(
            f"{tape.symbol}: the script's last decision is on event {script.rows[-1]}, the tape "
            f"has {len(tape)}"
        )
    if not capital > 0.0:
        raise ValueError(f"capital must be positive, was {capital}")
    rules = np.zeros(RULES)
    rules[LEVERAGE], rules[DEAD_ZONE] = instrument.leverage, spec.dead_zone
    rules[MAX_HOLD], rules[OPENINGS], rules[ROOM] = spec.max_hold, spec.openings, room
    money, clock = open_sleeve(capital)
    costs = instrument.costs
    terms = costs.terms(instrument.leverage, instrument.interval if tape.bars else 0.0, seed)
    at = np.flatnonzero(script.actions)
    first, high, low, last, volume = reel.columns
    filled, log, places, targets = walk(
        money, clock, terms, costs.delays(), tape.times, first, high, low, last, volume,
        reel.widen, script.rows, at, script.actions[at], script.volatility[at], spec.table, rules,
    )  # fmt: skip
    return _record(reel, instrument, script, capital, filled, log, places, targets)


def sweep(
    reel: Reel | Tape, settings: Iterable[tuple[Instrument, Script]], capital: float
) -> Iterator[SleeveRecord]:
    """Trade many parameter sets over one tape, whose columns are laid out once.

    Parameters
    ----------
    reel
        The events.
    settings
        Instrument (costs, latency, leverage) and script of each run.
    capital
        Of each.

    Yields
    ------
    SleeveRecord
        Of each, in order.
    """
    reel = reel if isinstance(reel, Reel) else Reel(reel)
    for instrument, script in settings:
        yield play(reel, instrument, script, capital)


def _record(
    reel: Reel,
    instrument: Instrument,
    script: Script,
    capital: float,
    filled: Ints,
    log: Floats,
    places: Ints,
    targets: Floats,
) -> SleeveRecord:
    """Put a run on record."""
    tape, n = reel.tape, len(script.rows)
    _, high, low, last, _ = reel.columns
    rows = np.append(script.rows, len(tape) - 1)
    seen = np.searchsorted(filled, rows, side="right")
    units = np.append(0.0, log[:, 4])[seen]
    price = last[rows]
    equity = np.append(capital, log[:, 5])[seen] + units * price
    allowed = units[:-1].copy()
    allowed[places] = targets
    times, reason = tape.times[rows], log[:, 3].astype(np.int8)
    regime = script.regime if len(script.regime) else np.full(n, -1)
    spoken = script.probabilities
    fills = Fills(
        times=tape.times[filled],
        units=log[:, 0],
        price=log[:, 1],
        fee=log[:, 2],
        held=log[:, 4],
        mid=mids(
            instrument.costs, log[:, 0], log[:, 1], reason,
            reel.widen[filled] if len(reel.widen) else None,
        ),
        reason=reason,
    )  # fmt: skip
    trips = Trips.of(
        tape.symbol, fills, tape.times, high, low, times[:-1], regime, float(last[-1]),
        script.spec.max_hold,
    )  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.where(equity[:-1] > 0.0, allowed * price[:-1] / equity[:-1], 0.0)
    return SleeveRecord(
        symbol=tape.symbol,
        instrument=instrument,
        every=script.every,
        times=times,
        price=price,
        equity=equity,
        units=units,
        exposure=exposure,
        probabilities=spoken if len(spoken) else np.full((n, 3), np.nan),
        regime=regime,
        volatility=script.volatility,
        trips=trips,
        fills=fills,
    )
