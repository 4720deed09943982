"""The trader: one symbol's loop from event to order, the same in every mode.

Order of things on an event, which is what makes a crash harmless: fills to the account, features,
forecast, action, lease, journal, and only then the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from math import nan

import msgspec
from msgspec.structs import replace

from envs.spec import PolicySpec
from features.engine import FeatureEngine
from market.account import Account
from market.clock import due
from market.errors import DataError, SchemaMismatch, StateError
from market.events import BookUpdate, FeedGap, MarketEvent, Tick, Trade
from market.instruments import Instrument
from market.orders import Broker, Fill, Order
from models.runtime import EnsembleRuntime
from policies.policy import Policy
from risk.lease import Lease, Report
from trading.deciding import Deciding
from trading.decision import Decision
from trading.drift import Drift
from trading.forecast import Forecast
from trading.foretold import Foretold
from trading.holdings import Holdings
from trading.journal import Journal
from trading.learning import Learning
from trading.seen import Seen, stream_of
from trading.state import FORMAT, Counters, Held, TraderState, TraderStatus, Working, decode

__all__ = ["Trader"]


class Trader:
    """One symbol's loop.

    Parameters
    ----------
    instrument
        What is traded.
    features
        The streaming engine.
    ensemble
        Gives probabilities for a window of the last decision rows; or what was foretold.
    policy
        Answers an observation with an action.
    broker
        Where orders go.
    journal
        Where intents are written before they are sent.
    every
        Events per decision.
    capital
        Cash of the sleeve at its very first start.
    learning
        What the ensemble learns between two trainings; ``None``: nothing.

    Notes
    -----
    A decision on event *t* sees nothing later than *t*; its order is filled on event *t + 1* at the
    earliest (:mod:`market.execution.sleeve`), and stop and target that come with it rest at the
    venue. No decision is made while a column is unknown or before the ensemble's window is full
    of rows since the last gap. While an order is under way no other is sent. What a policy
    remembers is begun anew after a gap, and is part of the state; while catching up it is not
    asked, and remembers nothing.
    """

    def __init__(
        self,
        instrument: Instrument,
        features: FeatureEngine,
        ensemble: EnsembleRuntime | Foretold,
        policy: Policy,
        broker: Broker,
        journal: Journal,
        every: int,
        capital: float,
        learning: Learning | None = None,
    ) -> None:
        if every < 1:
            raise StateError(f"every must be at least 1, was {every}")
        self.instrument, self.journal, self.broker = instrument, journal, broker
        self.symbol = instrument.symbol
        self._features, self._policy = features, policy
        self._forecast = Forecast(ensemble, features, learning)
        self._learns = self._forecast.learns
        self._every, self._capital = every, capital
        self._holdings = Holdings(Account(cash=capital))
        self._lease: Lease | None = None
        self._time, self._price = 0, nan
        self._count = 0
        self._deciding = Deciding(instrument, features, policy)
        self._seen = Seen()
        self._counters = Counters()

    @property
    def time(self) -> int:
        """Venue time of the last event taken; 0 before the first."""
        return self._time

    @property
    def every(self) -> int:
        """Events per decision."""
        return self._every

    @property
    def spec(self) -> PolicySpec:
        """What the policy was made for."""
        return self._policy.spec

    @property
    def account(self) -> Account:
        """Cash and position."""
        return self._holdings.account

    @property
    def working(self) -> tuple[Working, ...]:
        """Orders under way."""
        return self._holdings.working

    @property
    def lease(self) -> Lease | None:
        """The lease held."""
        return self._lease

    def take(self, lease: Lease) -> None:
        """Take up a lease, unless it is an older one than the one held.

        It is written down with the next commit. A replay that must come out the same after a
        crash calls :meth:`save` behind it, and renews only at a window's first event.
        """
        if lease.symbol != self.symbol:
            raise StateError(f"lease of {lease.symbol} given to the trader of {self.symbol}")
        if self._lease is None or lease.sequence > self._lease.sequence:
            self._lease = lease

    def report(self, now: int) -> Report:
        """Return what the supervisor needs for the next lease, at venue time ``now``."""
        price = self._price if self._time else 0.0
        held = self._holdings
        return Report(self.symbol, now, held.account.equity(price), held.notional(price), price)

    def on_event(self, event: MarketEvent, now: int, act: bool = True) -> Decision | None:
        """Take an event; return the decision, where one was due and could be made.

        Trades, changes of the book and events of the features' peer go to the features alone:
        time goes on, orders are filled and decisions are made on the symbol's ticks or bars.

        Parameters
        ----------
        event
            Of this symbol, later than the last one of its stream; several trades, and several
            changes of the book, may share a time.
        now
            Venue time now, for the lease; in a replay, the event's.
        act
            ``False`` to catch up after a restart: features and fills only, no orders.

        Raises
        ------
        DataError
            The event is another symbol's, or not later than the last one.
        """
        if event.symbol != self.symbol or isinstance(event, FeedGap | Trade | BookUpdate):
            self._beside(event)
            return None
        if event.time <= self._time:
            raise DataError(
                f"{self.symbol}: time must increase, event at {event.time} after {self._time}"
            )
        told = self.broker.fills(event)
        filled = self._take(told) if told else False
        self._time = event.time
        self._price = event.price if isinstance(event, Tick) else event.close
        self._features.update(event)
        if self._learns:
            for drift in self._forecast.event(event, fresh=self._count == 0):
                self._alarm(drift)
        self._count += 1
        self._counters.events += 1
        decision, order = None, None
        if due(self._count, self._every):
            for drift in self._forecast.remember(event.time):
                self._alarm(drift)
            if act:
                decision, order = self._decide(now)
        self._conclude(decision, order, filled)
        return decision

    def _conclude(self, decision: Decision | None, order: Order | None, filled: bool) -> None:
        """Write down what an event brought, and only then send the order."""
        if decision is not None:
            self._counters.decisions += 1
            self.journal.append(self.symbol, self._time, "decision", decision)
        if order is not None:
            self.journal.append(self.symbol, self._time, "order", order)
            self._holdings.send(order)
            self._counters.orders += 1
        if decision is not None or filled:
            # A decision that sends nothing need not outlive a power cut, only a crash.
            self.journal.commit(self.symbol, self.snapshot, durable=order is not None or filled)
        if order is not None:
            self.broker.submit(order)

    def _beside(self, event: MarketEvent) -> None:
        """Take what nothing is decided on, unless it was taken before a restart.

        A gap is written down with the next commit: a crash before it rewinds to before the hole,
        which is then met again.
        """
        peer = self._features.peer
        if event.symbol != self.symbol and (not peer or event.symbol != peer):
            raise DataError(f"event of {event.symbol} given to the trader of {self.symbol}")
        stream = stream_of(event, peer)
        if stream == "prices":  # a hole: what it makes worthless is forgotten
            self._count = 0
            self._forecast.forget()
            self._deciding.recall.forget()
        elif not self._seen.takes(stream, event.time):
            return
        self._features.update(event)
        if isinstance(event, FeedGap):
            self._counters.gaps += 1
            self.journal.append(self.symbol, event.time, "gap", event)

    def forget_book(self) -> None:
        """Let the columns of the order book begin anew, with the next whole book that is told."""
        self._features.update(FeedGap(self.symbol, self._time, self._time, "book"))
        self._seen.forget("book")

    def _take(self, told: Sequence[Fill]) -> bool:
        """Apply what an event brought; return whether any of it was new."""
        filled = any([self._apply(fill) for fill in told])
        if any(fill.reason for fill in told):
            # What the venue closes by itself ends the order under way.
            self._holdings.keep(self.broker.pending())
        return filled

    def _apply(self, fill: Fill) -> bool:
        """Apply one fill, unless it was applied before."""
        if not self._holdings.apply(fill):
            self._counters.duplicates += 1
            return False
        self._counters.fills += 1
        self.journal.append(self.symbol, fill.time, "fill", fill)
        return True

    def _alarm(self, drift: Drift) -> None:
        """Put on record what is no longer as it was; it is written down with the next commit."""
        self.journal.append(self.symbol, drift.time, "drift", drift)

    def _decide(self, now: int) -> tuple[Decision | None, Order | None]:
        """Forecast, ask the policy, and cut its answer to what the lease allows."""
        said = self._forecast.make(self._time)
        return self._deciding.decide(
            said, self._forecast.version, self._time, self._price, self._holdings, self._lease, now
        )

    def save(self) -> None:
        """Write the state down now, group commit or not."""
        self.journal.commit(self.symbol, self.snapshot, force=True)

    def snapshot(self) -> bytes:
        """Return everything needed to go on, for :meth:`restore`."""
        window, learnt = self._forecast.snapshot()
        return msgspec.msgpack.encode(
            TraderState(
                format=FORMAT,
                symbol=self.symbol,
                time=self._time,
                price=self._price,
                observation=self._policy.spec.digest,
                model=self._forecast.version,
                policy=self._policy.version,
                account=self._holdings.account,
                working=self._holdings.working,
                lease=self._lease,
                count=self._count,
                held=self._holdings.state,
                rows=self._forecast.rows,
                shape=self._forecast.shape,
                window=window,
                features=self._features.snapshot(),
                counters=self._counters,
                seen=self._seen.state,
                learning=learnt,
                broker=self.broker.snapshot(),
                memory=self._deciding.recall.memory,
            )
        )

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot; nothing is changed where it is refused.

        Another model or policy may take over a position, but not what a model has learnt or a
        policy remembers; other features or a longer window may not take over their memory: see
        :meth:`restore_account`.

        Raises
        ------
        StateError
            It can't be read, or is another symbol's.
        SchemaMismatch
            It was made with other features or another window.
        """
        state = decode(snapshot, self.symbol)
        shape = self._forecast.shape
        if state.shape != shape:
            raise SchemaMismatch(
                f"{self.symbol}: state has a window of {state.shape}, this is {shape}; start cold"
            )
        forecast = self._forecast.restored(state.rows, state.window, state.learning)
        recall, same = self._deciding.recall, state.policy == self._policy.version
        memory = recall.checked(state.memory if same else b"")
        self._features.restore(state.features)
        recall.memory = memory
        self._forecast, self._count, self._seen = forecast, state.count, Seen(state.seen)
        self._take_money(state, state.held)

    def restore_account(self, snapshot: bytes) -> None:
        """Take only money, position, orders and lease from a snapshot; the rest starts cold."""
        state = decode(snapshot, self.symbol)
        self._deciding.recall.forget()
        self._take_money(state, replace(state.held, decisions=0))

    def _take_money(self, state: TraderState, held: Held) -> None:
        self._time, self._price, self._lease = state.time, state.price, state.lease
        self._holdings = Holdings(state.account, state.working, held)
        self._counters = state.counters
        self.broker.resume(state.broker)

    def status(self) -> TraderStatus:
        """Return the figures to show."""
        account, seen, lease = self._holdings.account, self._forecast.said, self._lease
        equity = account.equity(self._price) if self._time else account.cash
        return TraderStatus(
            symbol=self.symbol,
            time=self._time,
            price=self._price,
            equity=equity,
            pnl=equity - self._capital,
            fees=account.fees,
            trades=account.trades,
            units=account.units,
            entry_price=account.entry_price,
            exposure=self._deciding.exposure(account, self._price) if self._time else 0.0,
            lease=lease,
            lease_used=abs(account.units) * self._price if self._time else 0.0,
            model=self._forecast.version,
            policy=self._policy.name,
            policy_version=self._policy.version,
            counters=copy(self._counters),
            probabilities=None if seen is None else (seen.down, seen.flat, seen.up),
            disagreement=nan if seen is None else seen.disagreement,
            volatility=self._features.volatility,
            window=self._forecast.shown,
            learnt=self._forecast.learnt,
            stop=self._holdings.stop,
            target=self._holdings.target,
            funding=account.funding,
        )
