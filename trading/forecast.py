"""One symbol's forecast: an ensemble on the last decision rows, corrected by what it learns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.engine import FeatureEngine
from market.errors import StateError
from market.events import Bar, Tick
from models.prediction import Prediction
from models.runtime import EnsembleRuntime
from trading.drift import Drift
from trading.foretold import Foretold
from trading.learning import Learning, Learnt

__all__ = ["Forecast"]


class Forecast:
    """What an ensemble says at each decision.

    Parameters
    ----------
    ensemble
        Gives probabilities for a window of the last decision rows; or what was foretold.
    features
        The streaming engine, which the rows are taken from.
    learning
        Corrects them, and learns from what came of them; ``None``: nothing is learnt.

    Attributes
    ----------
    said : Prediction or None
        At the last decision; ``None`` if nothing could be said.
    rows : int
        Warm decision rows since the last gap.
    """

    def __init__(
        self,
        ensemble: EnsembleRuntime | Foretold,
        features: FeatureEngine,
        learning: Learning | None,
    ) -> None:
        self.version = ensemble.version
        self.said: Prediction | None = None
        self.rows = 0
        self._ensemble, self._features, self._learning = ensemble, features, learning
        self._foretold = ensemble if isinstance(ensemble, Foretold) else None
        self._window = np.zeros((ensemble.window, len(features.names)), np.float32)

    @property
    def learns(self) -> bool:
        """Whether anything is learnt."""
        return self._learning is not None

    @property
    def learnt(self) -> Learnt | None:
        """How far that is."""
        return None if self._learning is None else self._learning.status

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the window: rows and columns."""
        return self._window.shape

    @property
    def shown(self) -> tuple[tuple[float, ...], ...] | None:
        """The window; ``None`` until it is full."""
        return tuple(map(tuple, self._window.tolist())) if self._full else None

    @property
    def _full(self) -> bool:
        return self.rows >= len(self._window)

    def event(self, event: Tick | Bar, fresh: bool) -> tuple[Drift, ...]:
        """Let an event settle decisions; ``fresh`` if it follows a gap. Called where it learns."""
        assert self._learning is not None
        return self._learning.event(event, fresh)

    def remember(self, time: int) -> tuple[Drift, ...]:
        """Put the row of a due event into the window, if every column is known."""
        if not self._features.warm:
            return ()
        window = self._window
        window[:-1] = window[1:]
        window[-1] = self._features.values
        self.rows += 1
        return () if self._learning is None else self._learning.row(time, window[-1])

    def make(self, time: int) -> Prediction | None:
        """Forecast at a decision; ``None`` while a column is unknown or the window isn't full."""
        self.said = None
        if self._features.warm and self._full:
            if self._foretold is None:
                said = self._ensemble.predict(self._window)
            else:
                said = self._foretold.at(time)
            if self._learning is not None:
                said = self._learning.correct(said, time, self._features.volatility)
            self.said = said
        return self.said

    def many(
        self, times: npt.NDArray[np.int64], columns: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Forecast at several due events without a hole, in place of remembering and making each.

        Parameters
        ----------
        times
            ``int64[m]``.
        columns
            ``float64[m, F]``: the features then.

        Returns
        -------
        ok
            ``bool[m]``: where something could be said.
        told
            ``float64[m, 4]``: down, flat, up, disagreement; nan elsewhere.
        regime
            ``int64[m]``; -1 elsewhere.

        Raises
        ------
        StateError
            Something is learnt on the way, event by event.
        """
        if self._learning is not None:
            raise StateError("an ensemble that learns takes one event at a time")
        warm = ~np.isnan(columns).any(axis=1)
        seen = np.cumsum(warm)
        ok = warm & (self.rows + seen >= len(self._window))
        told, regime = np.full((len(times), 4), np.nan), np.full(len(times), -1)
        length = len(self._window)
        with np.errstate(over="ignore"):
            rows = np.concatenate((self._window, columns[warm].astype(np.float32)))
        if self._foretold is not None:
            told[ok], regime[ok] = self._foretold.many(times[ok])
        else:
            for i in np.flatnonzero(ok).tolist():
                end = length + int(seen[i])
                said = self._ensemble.predict(rows[end - length : end])
                told[i] = said.down, said.flat, said.up, said.disagreement
                regime[i] = said.regime
        self._window[:] = rows[len(rows) - length :]
        self.rows += int(seen[-1]) if len(seen) else 0
        if len(times):
            down, flat, up, apart = told[-1].tolist()
            said = Prediction(down, flat, up, apart, regime=int(regime[-1]))
            self.said = said if ok[-1] else None
        return ok, told, regime

    def forget(self) -> None:
        """Begin a new window, after a gap."""
        self.rows = 0
        self.said = None

    def snapshot(self) -> tuple[bytes, bytes]:
        """Return the window, and what was learnt."""
        learnt = b"" if self._learning is None else self._learning.snapshot()
        return self._window.tobytes(), learnt

    def restored(self, rows: int, window: bytes, learnt: bytes) -> Forecast:
        """Return one that goes on from a snapshot."""
        learning = None if self._learning is None else self._learning.restored(learnt)
        new = Forecast(self._ensemble, self._features, learning)
        new._window[:] = np.frombuffer(window, np.float32).reshape(self.shape)
        new.rows = rows
        return new
