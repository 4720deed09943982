"""One symbol's desk: from settings and trained files to a trader with its market data.

The symbol actor and the backtest both open desks here, so they trade with the same parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.errors import DataError
from market.instruments import Instrument
from market.tape import Tape
from models.card import read
from models.runtime import EnsembleRuntime
from policies.baselines import Flat, Follow, Hold, Probe
from policies.exported import OnnxPolicy
from policies.policy import Policy
from risk.config import RiskConfig
from risk.lease import Lease
from trading.foretold import Foretold
from trading.journal import Journal, MemoryJournal, SqlJournal
from trading.learning import Learning
from trading.paper import PaperBroker
from trading.recovery import start
from trading.rehearsal import rehearsal
from trading.trader import Trader
from validation.verdict import Verdict
from venues.base import Feed
from venues.doors import Source, open_feed

__all__ = ["Desk", "DeskSpec"]


_SETTLES = 2_000
"""Events of a rehearsal until a decision is settled, at most; no longer horizon is waited for."""


@dataclass(frozen=True)
class Desk:
    """What one symbol trades with.

    Parameters
    ----------
    trader
        The loop, brought to where its journal ends.
    feed
        Its market data.
    after
        Venue time behind which the feed goes on.
    restarts
        How often the journal was opened before.
    """

    trader: Trader
    feed: Feed
    after: int
    restarts: int


@dataclass(frozen=True)
class DeskSpec:
    """Everything needed to open a desk, in any process.

    Parameters
    ----------
    instrument
        What is traded.
    policy
        ``ppo`` (the trained one), or a baseline: ``follow``, ``hold``, ``probe``, ``flat``.
    every
        Events per decision.
    capital
        Cash of the sleeve at its first start.
    features, risk
        Settings.
    model, trained_policy
        Folder of the ensemble, file of the exported policy.
    journal
        The journal's SQLAlchemy URL.
    source
        A recording's path, or how to reach the venue.
    seed
        Of the feed's back-off jitter.
    warm_from
        Venue time behind which a first start begins to read; see :meth:`beginning`.
    flush_every
        See :class:`~trading.journal.SqlJournal`; 1 wherever orders leave the process.
    follow
        Difference of probabilities at which ``follow`` takes a position.
    verdict, verdict_reasons
        What the promotion gate said of model and policy.
    """

    instrument: Instrument
    policy: str
    every: int
    capital: float
    features: FeatureConfig
    risk: RiskConfig
    model: Path
    trained_policy: Path
    journal: str
    source: Source
    seed: int
    warm_from: int = 0
    flush_every: int = 1
    follow: float = 0.1
    verdict: str = "not judged"
    verdict_reasons: tuple[str, ...] = ()

    @property
    def symbol(self) -> str:
        """The instrument's name."""
        return self.instrument.symbol

    @property
    def lead(self) -> int:
        """Events before the first decision: features warm, and the ensemble's window full.

        Columns of trades and of the book are warm after so many of those, however many events that
        takes: where it takes more, the first decision is later.
        """
        window = read(self.model)[0].window
        return self.features.warmup + (window - 1) * self.every - 1

    @property
    def replay(self) -> bool:
        """Whether the market is a recording."""
        return isinstance(self.source, Path)

    def beginning(self, tape: Tape, time: int) -> DeskSpec:
        """Return the same desk, begun early enough to decide from the first event after ``time``.

        Raises
        ------
        DataError
            The tape holds fewer events before ``time`` than that takes.
        """
        first = int(np.searchsorted(tape.times, time, side="right")) - self.lead
        if first < 1:
            raise DataError(
                f"{self.symbol}: needs {self.lead + 1} events before the first decision, "
                f"has {first + self.lead}; give more history"
            )
        return replace(self, warm_from=int(tape.times[first - 1]))

    def registered(self, model: Path, verdict: Verdict) -> DeskSpec:
        """Return the same desk with the gate's verdict, and the model where it is kept for good."""
        return replace(self, model=model, verdict=verdict.headline, verdict_reasons=verdict.reasons)

    def trader(self, journal: Journal, foretold: Foretold | None = None, seed: int = 0) -> Trader:
        """Make the trader, not started yet; on forecasts made beforehand, it learns nothing.

        ``seed`` is that of the latencies which the paper broker draws.
        """
        features = FeatureEngine(self.features, self.instrument.tick)
        learning = None
        if foretold is None:
            ensemble = EnsembleRuntime.load(self.model, features.schema)
            learning = Learning.of(ensemble.card, self.instrument.costs)
        return Trader(
            instrument=self.instrument,
            features=features,
            ensemble=ensemble if foretold is None else foretold,
            policy=self._policy(),
            broker=PaperBroker(self.instrument, self.capital, seed),
            journal=journal,
            every=self.every,
            capital=self.capital,
            learning=learning,
        )

    def feed(self) -> Feed:
        """Make the feed, not connected yet."""
        streams, peer = self.features.streams, self.features.peer
        return open_feed(self.source, self.instrument, self.seed, streams, peer)

    def open(self) -> Desk:
        """Open the journal, recover, and return the desk ready to go on."""
        self._rehearse()
        trader = self.trader(SqlJournal.open(self.journal, self.flush_every))
        began = start(trader, live=not self.replay)
        return Desk(trader, self.feed(), max(began.after, self.warm_from), began.restarts)

    def _rehearse(self) -> None:
        """Let a throw-away trader decide once, so that the real one's first decision isn't slow.

        Compiled code is loaded, the models run, and a decision is settled where nobody waits.
        """
        trader = self.trader(MemoryJournal())
        learning = Learning.of(read(self.model)[0], self.instrument.costs)
        settles = 0 if learning is None else min(learning.rehearsed, _SETTLES)
        lease = Lease(self.symbol, 0, notional=self.capital, expires=2**62)
        trader.take(lease)
        longest = max(one.warmup for one in self.features.found)
        for event in rehearsal(
            self.instrument,
            self.features,
            max(self.lead, longest) + settles + 2 * self.every + 1,
        ):
            trader.on_event(event, event.time)

    def _policy(self) -> Policy:
        if self.policy == "ppo":
            return OnnxPolicy.load(self.trained_policy)
        if self.policy == "follow":
            return Follow(enter=self.follow)
        if self.policy == "probe":
            return Probe()
        return Hold() if self.policy == "hold" else Flat()
