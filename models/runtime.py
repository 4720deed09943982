"""The ensemble as it runs: ONNX files and one formula, no training library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from market.errors import DataError
from models import card as cards
from models.card import Card
from models.combination.combiner import Combiner
from models.prediction import Prediction
from models.regime import Regimes
from models.windows import batches, full

__all__ = ["BATCH", "EnsembleRuntime", "session"]

BATCH = 1024
"""Windows given to a model at a time, in batch."""

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]


class EnsembleRuntime:
    """A fitted ensemble, one decision at a time on one thread; the same input, the same answer.

    Parameters
    ----------
    card
        What it is.
    models
        The members' ONNX content, in the card's order.

    Attributes
    ----------
    card : Card
        Names, metrics, training span.
    version : str
        Stands for card and models.
    window : int
        Decision rows a prediction needs.
    """

    def __init__(self, card: Card, models: tuple[bytes, ...]) -> None:
        self.card, self.version, self.window = card, card.version, card.window
        self._combine = Combiner(card.combination, card.frequencies)
        regime = card.combination.regime
        self._regimes = None if regime is None else Regimes(regime)
        self._shape = (card.window, len(card.names))
        self._taken = card.taken
        places = {name: place for place, name in enumerate(card.names)}
        self._columns = np.array([places[name] for name in self._taken])
        self._members = tuple(
            (session(model), one.window, self._among(one.columns or card.columns))
            for one, model in zip(card.members, models, strict=True)
        )
        self._regime_columns = None if regime is None else self._among(regime.columns)

    @classmethod
    def load(cls, folder: str | Path, schema: str) -> EnsembleRuntime:
        """Read an ensemble that :meth:`models.fit.FittedEnsemble.save` wrote.

        Parameters
        ----------
        folder
            It was written to.
        schema
            Of the features it will be given; :attr:`features.engine.FeatureEngine.schema`.

        Raises
        ------
        SchemaMismatch
            It was fitted on other features.
        StateError
            Files are missing or not as they were written.
        """
        return cls(*cards.read(folder, schema))

    @property
    def schema(self) -> str:
        """Of the features it takes."""
        return self.card.schema

    def predict(self, window: Rows) -> Prediction:
        """Predict from the last decision rows.

        Parameters
        ----------
        window
            ``float32[window, F]``, oldest row first, no gap in between; the columns it takes all
            finite.

        Raises
        ------
        DataError
            Another shape, or a value that isn't finite.
        """
        if window.shape != self._shape:
            raise DataError(
                f"window must be {self._shape[0]} rows of {self._shape[1]} features, "
                f"was {' x '.join(map(str, window.shape))}"
            )
        rows = window.take(self._columns, axis=1).astype(np.float32, copy=False)
        self._refuse_nan(rows)
        said = np.empty((len(self._members), 1, 3))
        for i, (model, length, columns) in enumerate(self._members):
            own = rows if columns is None else rows.take(columns, axis=1)
            said[i] = model.run(("probabilities",), {"window": own[None, -length:]})[0]
        regimes = None
        if self._regimes is not None:
            regimes = np.array([self._regimes.index(self._of_regime(rows))])
        return self._predictions(said, regimes)[0]

    def predict_many(self, windows: npt.NDArray[np.float32]) -> list[Prediction]:
        """Predict from several windows in one call, of several symbols perhaps.

        Parameters
        ----------
        windows
            ``float32[n, window, F]``; each as :meth:`predict` takes it.

        Raises
        ------
        DataError
            Another shape, or a value that isn't finite.
        """
        if windows.ndim != 3 or windows.shape[1:] != self._shape:
            raise DataError(
                f"windows must be n of {self._shape[0]} rows of {self._shape[1]} features, "
                f"were {' x '.join(map(str, windows.shape))}"
            )
        if not len(windows):  # ONNX Runtime ends the process where some graphs are given none
            return []
        rows = windows.take(self._columns, axis=2).astype(np.float32, copy=False)
        self._refuse_nan(rows.reshape(-1, rows.shape[2]))
        said = np.empty((len(self._members), len(rows), 3))
        for i, (model, length, columns) in enumerate(self._members):
            own = rows if columns is None else rows.take(columns, axis=2)
            said[i] = model.run(("probabilities",), {"window": own[:, -length:]})[0]
        regimes = None
        if self._regimes is not None:
            regimes = np.array([self._regimes.index(self._of_regime(one)) for one in rows])
        return self._predictions(said, regimes)

    def _predictions(self, said: Floats, regimes: npt.NDArray[np.int64] | None) -> list[Prediction]:
        """Combine what members said of ``n`` windows, ``float64[M, n, 3]``."""
        told = self._combine(said, regimes)
        members = said.transpose(1, 0, 2).tolist()
        numbers = [-1] * said.shape[1] if regimes is None else regimes.tolist()
        return [
            Prediction(
                down=proba[0],
                flat=proba[1],
                up=proba[2],
                disagreement=apart,
                members=tuple((each[0], each[1], each[2]) for each in one),
                regime=regime,
                abstained=silent,
            )
            for proba, apart, one, regime, silent in zip(
                told.proba.tolist(),
                told.disagreement.tolist(),
                members,
                numbers,
                told.abstained.tolist(),
                strict=True,
            )
        ]

    def predict_rows(
        self, X: npt.NDArray[np.floating], fresh: npt.NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """Predict at every row of a dataset, in batch.

        Parameters
        ----------
        X
            ``[m, F]``, in time order; the columns it takes all finite.
        fresh
            ``bool[m]``: first row after a gap; windows don't reach across.

        Returns
        -------
        proba
            ``float64[m, 3]``; ``nan`` where the window isn't full.
        disagreement
            ``float64[m]``; likewise.

        Raises
        ------
        DataError
            Another number of features, or a value that isn't finite.
        """
        if X.ndim != 2 or X.shape[1] != self._shape[1] or len(fresh) != len(X):
            raise DataError(
                f"rows must hold {self._shape[1]} features and one fresh flag each, "
                f"were {X.shape} with {len(fresh)} flags"
            )
        with np.errstate(over="ignore"):
            rows = X.take(self._columns, axis=1).astype(np.float32, copy=False)
        self._refuse_nan(rows)
        ends = full(fresh, self.window)
        said = np.empty((len(self._members), len(ends), 3))
        for i, (model, length, columns) in enumerate(self._members):
            own, at = rows if columns is None else rows.take(columns, axis=1), 0
            for windows in batches(own, ends, length, BATCH):
                (answer,) = model.run(("probabilities",), {"window": windows})
                said[i, at : at + len(windows)] = answer
                at += len(windows)
        proba, apart = np.full((len(X), 3), np.nan), np.full(len(X), np.nan)
        regimes = None
        if self._regimes is not None:
            regimes = self._regimes.path(self._of_regime(rows), fresh)[ends]
        told = self._combine(said, regimes)
        proba[ends], apart[ends] = told.proba, told.disagreement
        return proba, apart

    def regimes(
        self, X: npt.NDArray[np.floating], fresh: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        """Return the number of the regime at every row, as :meth:`predict` tells it.

        Parameters
        ----------
        X, fresh
            As :meth:`predict_rows` takes them.

        Returns
        -------
        ndarray
            ``int64[m]``; -1 where the window isn't full, or the ensemble tells none apart.
        """
        found = np.full(len(X), -1, np.int64)
        if self._regimes is not None:
            with np.errstate(over="ignore"):
                rows = X.take(self._columns, axis=1).astype(np.float32, copy=False)
            ends = full(fresh, self.window)
            found[ends] = self._regimes.path(self._of_regime(rows), fresh)[ends]
        return found

    def _among(self, names: tuple[str, ...]) -> npt.NDArray[np.int64] | None:
        """Return the places of columns among those taken; ``None`` for all of them in order."""
        if names == self._taken:
            return None
        return np.array([self._taken.index(name) for name in names])

    def _of_regime(self, rows: Rows) -> Rows:
        columns = self._regime_columns
        return rows if columns is None else rows.take(columns, axis=1)

    def _refuse_nan(self, rows: Rows) -> None:
        if np.isfinite(rows).all():
            return
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise DataError(
            f"{self._taken[column]} must be finite, was {rows[row, column]} in row {row}; "
            "predict only while the features are warm"
        )


def session(model: bytes) -> ort.InferenceSession:
    """Open an ONNX model for one thread, in order, repeatable."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
