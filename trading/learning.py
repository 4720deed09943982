"""Learning while it trades: predict, score what is settled, then learn; in this order, here."""

from __future__ import annotations

from math import nan

import msgspec
import numpy as np
import numpy.typing as npt

from features.labels import LabelConfig
from features.labels.settling import Settled, Settling
from market.errors import ConfigError, StateError
from market.events import Bar, Tick
from market.execution import Costs
from models.card import Card
from models.combination.card import CombinationCard
from models.drift import ColumnDrift, ColumnDriftConfig, DriftMonitor, Reference
from models.online import Adaptation, OnlineConfig
from models.prediction import Prediction
from trading.drift import Drift, of_columns, of_losses

__all__ = ["Learning", "Learnt", "prior"]


class Learnt(msgspec.Struct):
    """How far learning is.

    Parameters
    ----------
    settled
        Decisions whose outcome was learnt.
    rises, falls, columns
        Alarms: losses that rose or fell, columns that changed.
    told
        What the last alarm said; empty before the first.
    loss
        Mean log loss of what the ensemble by itself said since its losses last changed, nats; nan
        before the first.
    drifted
        Columns that looked otherwise than in training when they were looked at last.
    """

    settled: int = 0
    rises: int = 0
    falls: int = 0
    columns: int = 0
    told: str = ""
    loss: float = nan
    drifted: tuple[str, ...] = ()

    @property
    def alarms(self) -> int:
        """All of them."""
        return self.rises + self.falls + self.columns


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    made_for: str
    settling: bytes
    adaptation: bytes
    columns: bytes
    learnt: Learnt


class Learning:
    """What becomes of one ensemble's decisions, and what that teaches.

    On each event, in this order: :meth:`event` tells which decisions it settles, scores each by
    what was said **then**, and learns from it; :meth:`row` holds a decision's columns against those
    of training; :meth:`correct` says what the ensemble's forecast is worth by all that was settled
    up to this event, and keeps it until its own outcome is known.

    Parameters
    ----------
    card
        The ensemble's. Its settings say what is learnt: ``online`` and ``column_drift``.
    costs
        What a trade costs, of which barriers are net.

    Raises
    ------
    ConfigError
        The card doesn't say what the ensemble foretells, or how its columns looked.

    Notes
    -----
    Where the ensemble abstains, nothing is corrected, and nothing is learnt of that decision: what
    it said were the frequencies of the classes. A gap makes what waits unknown.
    """

    def __init__(self, card: Card, costs: Costs) -> None:
        self._card, self._costs = card, costs
        self._learnt = Learnt()
        self._settling: Settling | None = None
        self._adaptation: Adaptation | None = None
        self._columns: ColumnDrift | None = None
        online, drift = card.settings.get("online"), card.settings.get("column_drift")
        if online is not None:
            if card.labels is None:
                raise ConfigError(
                    f"{card.symbol}: ensemble.online needs the settings of its labels, which model "
                    f"{card.version} lacks; train it again, from a recording"
                )
            self._settling = Settling(LabelConfig.model_validate(card.labels), costs)
            regime = card.combination.regime
            self._adaptation = Adaptation(
                OnlineConfig.model_validate(online),
                prior(card.combination, len(card.members)),
                1 if regime is None else len(regime.frequencies),
                card.horizon / card.every,
            )
        if drift is not None:
            if card.reference is None:
                raise ConfigError(
                    f"{card.symbol}: ensemble.column_drift needs how columns looked in training, "
                    f"which model {card.version} lacks; train it again"
                )
            reference = msgspec.convert(card.reference, Reference)
            self._columns = ColumnDrift(reference, ColumnDriftConfig.model_validate(drift))
            self._places = np.array([card.names.index(name) for name in reference.names])

    @classmethod
    def of(cls, card: Card, costs: Costs) -> Learning | None:
        """Return what a card asks for; ``None`` if it asks for nothing."""
        asked = any(card.settings.get(name) is not None for name in ("online", "column_drift"))
        return cls(card, costs) if asked else None

    @property
    def rehearsed(self) -> int:
        """Events after a decision until all that is learnt from has been gone through once."""
        return 0 if self._settling is None else 2 * (self._card.horizon + self._card.every)

    @property
    def status(self) -> Learnt:
        """How far it is."""
        monitor = None if self._adaptation is None else self._adaptation.drift
        return msgspec.structs.replace(
            self._learnt,
            loss=monitor.mean if isinstance(monitor, DriftMonitor) else nan,
            drifted=() if self._columns is None else self._columns.drifted,
        )

    def event(self, event: Tick | Bar, fresh: bool) -> tuple[Drift, ...]:
        """Take an event: score the decisions that it settles, then learn from them.

        Parameters
        ----------
        event
            On which decisions are made; every one of them must be told.
        fresh
            It follows a gap.

        Returns
        -------
        alarms
            Changes of the losses.
        """
        settling = self._settling
        if settling is None:
            return ()
        if isinstance(event, Tick):
            price = event.price
            settled = settling.event(event.time, price, price, price, price, fresh)
        else:
            settled = settling.event(
                event.time, event.open, event.high, event.low, event.close, fresh
            )
        return self._learn(event.time, settled) if settled else ()

    def row(self, time: int, row: npt.NDArray[np.float32]) -> tuple[Drift, ...]:
        """Hold a decision's row, ``float32[F]``, against training; return columns' changes."""
        if self._columns is None:
            return ()
        shifts = self._columns.update(row.take(self._places))
        if not shifts:
            return ()
        self._learnt.columns += 1
        return (self._told(of_columns(time, shifts)),)

    def correct(self, said: Prediction, time: int, volatility: float) -> Prediction:
        """Correct a forecast by what was learnt, and wait for what comes of it.

        Parameters
        ----------
        said
            By the ensemble alone.
        time
            Of the decision: of the event that was told last.
        volatility
            Of log returns, per event; nan where unknown.
        """
        if self._adaptation is None or self._settling is None or said.abstained:
            return said
        corrected = self._adaptation.predict(
            time, np.array(said.probabilities), np.array(said.members), said.regime
        )
        self._settling.decide(volatility)
        down, flat, up = corrected.tolist()
        return msgspec.structs.replace(said, down=down, flat=flat, up=up)

    def snapshot(self) -> bytes:
        """Return all that was learnt and all that waits, for :meth:`restored`."""
        state = _State(
            self._made_for,
            b"" if self._settling is None else self._settling.snapshot(),
            b"" if self._adaptation is None else self._adaptation.snapshot(),
            b"" if self._columns is None else self._columns.snapshot(),
            self._learnt,
        )
        return msgspec.msgpack.encode(state)

    def restored(self, state: bytes) -> Learning:
        """Return one that goes on from a snapshot as if there had been no break.

        What another model learnt, or this one under other costs, is of no use: then nothing is
        known yet.

        Raises
        ------
        StateError
            It isn't a snapshot.
        """
        new = Learning(self._card, self._costs)
        if not state:
            return new
        try:
            old = msgspec.msgpack.decode(state, type=_State)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StateError(
                f"{self._card.symbol}: what was learnt can't be read ({error}); restore the journal"
            ) from error
        if old.made_for != self._made_for:
            return new
        parts = (new._settling, new._adaptation, new._columns)
        for part, blob in zip(parts, (old.settling, old.adaptation, old.columns), strict=True):
            if part is not None:
                part.restore(blob)
        new._learnt = old.learnt
        return new

    @property
    def _made_for(self) -> str:
        return f"{self._card.version} {self._costs.model_dump_json()}"

    def _learn(self, time: int, settled: tuple[Settled, ...]) -> tuple[Drift, ...]:
        assert self._adaptation is not None  # decisions wait where there is one
        alarms = []
        for one in settled:
            score = self._adaptation.settle(one.time, one.label)
            if score is None:
                continue
            self._learnt.settled += 1
            if score.alarm is not None:
                if score.alarm.worse:
                    self._learnt.rises += 1
                else:
                    self._learnt.falls += 1
                alarms.append(self._told(of_losses(time, score.alarm)))
        return tuple(alarms)

    def _told(self, drift: Drift) -> Drift:
        self._learnt.told = drift.text
        return drift


def prior(combination: CombinationCard, members: int) -> tuple[float, ...]:
    """Return how much each member is trusted before anything is settled; sum 1.

    Half by its fitted weight, the mean over regimes by their frequency; the other half all alike,
    so that a member that training gave no weight can win some.

    Examples
    --------
    >>> from models.combination.card import PoolCard
    >>> prior(CombinationCard("vote", (PoolCard((0.6, 0.2, 0.0)),)), 3)
    (0.54167, 0.29167, 0.16667)
    """
    regime, pools = combination.regime, combination.pools
    often = (1.0,) if regime is None or len(pools) == 1 else regime.frequencies
    fitted = np.zeros(members)
    for share, pool in zip(often, pools, strict=True):
        if any(pool.weights):
            fitted += share * np.array(pool.weights) / sum(pool.weights)
    alike = np.full(members, 1.0 / members)
    shares = fitted / fitted.sum() if fitted.any() else alike
    return tuple((0.5 * (shares + alike)).tolist())
