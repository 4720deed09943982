"""Adaptation: predict, score, then learn; in this order, and here alone."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from features.labels.classes import NONE
from market.errors import SchemaMismatch, StateError
from models.combination.pool import SMALLEST
from models.drift.monitor import Alarm, DriftMonitor
from models.online.config import OnlineConfig
from models.online.recalibration import Recalibration
from models.online.recent import RecentWeights

__all__ = ["Adaptation", "Score"]

Floats = npt.NDArray[np.float64]


class Score(msgspec.Struct, frozen=True):
    """How a settled decision was foretold.

    Parameters
    ----------
    time
        Of the decision.
    label
        What came of it.
    loss, base
        Log loss of what was said then, and of what the ensemble by itself said; nats.
    alarm
        The ensemble's own losses have changed.
    """

    time: int
    label: int
    loss: float
    base: float
    alarm: Alarm | None


class _Said(msgspec.Struct, frozen=True):
    """What was known at a decision that waits for its outcome."""

    base: bytes
    said: bytes
    mixed: bytes
    loss: tuple[float, float, float]
    regime: int


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    settings: bytes
    waiting: dict[int, _Said]
    weights: bytes
    recalibration: bytes
    drift: bytes


class Adaptation:
    """What an ensemble says, corrected by how what it said lately turned out.

    First the mixture of :class:`~models.online.RecentWeights`, then
    :class:`~models.online.Recalibration`. At the start neither changes more than the members'
    share in the mixture does; a part that the config leaves out changes nothing.

    :meth:`predict` at a decision, :meth:`settle` once its outcome is known
    (:class:`~features.labels.settling.Settling`): it is scored by what was said *then*, and only
    after that learnt from. Between the two lie other decisions; nothing of a decision's outcome is
    in what is said before it is settled.

    Parameters
    ----------
    config
        What is learnt.
    prior
        Weights of the members, any scale, at least one.
    regimes
        How many there are.
    overlap
        How many decisions' labels overlap: horizon over events per decision. An outcome counts as
        one over this, for it shares its events with that many.

    Examples
    --------
    >>> adaptation = Adaptation(OnlineConfig(), (1.0, 1.0))
    >>> base, said = np.array([0.3, 0.4, 0.3]), np.array([[0.1, 0.2, 0.7], [0.4, 0.4, 0.2]])
    >>> for time in range(200):
    ...     p = adaptation.predict(time, base, said)
    ...     score = adaptation.settle(time, label=2)
    >>> round(score.base, 3), round(score.loss, 3)
    (1.204, 0.055)
    >>> adaptation.predict(200, base, said).round(2).tolist()
    [0.01, 0.04, 0.95]
    """

    def __init__(
        self,
        config: OnlineConfig,
        prior: tuple[float, ...],
        regimes: int = 1,
        overlap: float = 1.0,
    ) -> None:
        if not prior or regimes < 1:
            raise ValueError(
                f"prior must be one weight or more and regimes at least 1; were {prior} and "
                f"{regimes}"
            )
        self.config = config
        self.members = len(prior)
        self.regimes = regimes
        self._share = 1.0 / max(1.0, overlap)
        self.weights = config.weights and RecentWeights(config.weights, prior, regimes)
        self.recalibration = config.recalibration and Recalibration(config.recalibration)
        self.drift = config.drift and DriftMonitor(config.drift, overlap)
        self._settings = f"{config.model_dump_json()} {prior} {regimes} {overlap}".encode()
        self._waiting: dict[int, _Said] = {}

    @property
    def waiting(self) -> int:
        """How many decisions are not settled yet."""
        return len(self._waiting)

    def apply(self, base: Floats, said: Floats, regime: int = -1) -> Floats:
        """Correct what an ensemble says, and remember nothing.

        Parameters
        ----------
        base
            ``float64[3]``: its probabilities.
        said
            ``float64[M, 3]``: those of its members.
        regime
            From 0; -1 if unknown.

        Returns
        -------
        probabilities
            ``float64[3]``, sum 1.
        """
        return self._recalibrated(self._mixed(base, said, regime))

    def predict(self, time: int, base: Floats, said: Floats, regime: int = -1) -> Floats:
        """Correct what is said at a decision, and keep it until the outcome is known.

        Parameters
        ----------
        time
            Of the decision; stands for it in :meth:`settle`.
        base, said, regime
            See :meth:`apply`.

        Raises
        ------
        ValueError
            Members or regime are not as many as there are.
        """
        if said.shape != (self.members, 3) or not -1 <= regime < self.regimes:
            raise ValueError(
                f"said must be of shape ({self.members}, 3) and regime -1 to {self.regimes - 1}, "
                f"were {said.shape} and {regime}"
            )
        base, said = np.asarray(base, np.float64), np.asarray(said, np.float64)
        mixed = self._mixed(base, said, regime)
        corrected = self._recalibrated(mixed)
        down, flat, up = (-np.log(np.maximum(corrected, SMALLEST))).tolist()
        self._waiting[time] = _Said(
            base.tobytes(), said.tobytes(), mixed.tobytes(), (down, flat, up), regime
        )
        return corrected

    def settle(self, time: int, label: int) -> Score | None:
        """Score a decision, then learn from it.

        Parameters
        ----------
        time
            Of the decision.
        label
            What came of it; ``NONE`` if nobody can know any more.

        Returns
        -------
        score
            ``None`` where the outcome is unknown, and of a decision that wasn't predicted here.
        """
        one = self._waiting.pop(time, None)
        if one is None or label == NONE:
            return None
        base, said = np.frombuffer(one.base), np.frombuffer(one.said).reshape(-1, 3)
        own = -math.log(max(float(base[label]), SMALLEST))
        alarm = self.drift.update(own) if self.drift else None
        score = Score(time, label, one.loss[label], own, alarm)
        if self.weights:
            self.weights.learn(base, said, one.regime, label, self._share)
        if self.recalibration:
            self.recalibration.learn(np.frombuffer(one.mixed), label, self._share)
        return score

    def snapshot(self) -> bytes:
        """Return all that was learnt and all that waits."""
        parts = (self.weights, self.recalibration, self.drift)
        learnt = [part.snapshot() if part else b"" for part in parts]
        return msgspec.msgpack.encode(_State(self._settings, self._waiting, *learnt))

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot as if there had been no break.

        Raises
        ------
        StateError
            It isn't a snapshot of an adaptation.
        SchemaMismatch
            It is one of other settings, members or regimes.
        """
        try:
            old = msgspec.msgpack.decode(state, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(f"not a snapshot of an adaptation ({error}); start anew") from error
        if old.settings != self._settings:
            raise SchemaMismatch(
                f"what was learnt online is of {old.settings.decode()}, these are "
                f"{self._settings.decode()}; start anew or restore the settings"
            )
        if self.weights:
            self.weights.restore(old.weights)
        if self.recalibration:
            self.recalibration.restore(old.recalibration)
        if self.drift:
            self.drift.restore(old.drift)
        self._waiting = dict(old.waiting)

    def _mixed(self, base: Floats, said: Floats, regime: int) -> Floats:
        return self.weights(base, said, regime) if self.weights else base

    def _recalibrated(self, mixed: Floats) -> Floats:
        return self.recalibration(mixed) if self.recalibration else mixed
