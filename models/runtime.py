"""The ensemble as it runs: ONNX files and one formula, no training library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from market.errors import DataError
from models import card as cards
from models.card import Card
from models.pool import Pool, disagreement
from models.prediction import Prediction
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
        self._pool = Pool(tuple(one.weight for one in card.members), card.bias)
        self._members = tuple(
            (session(model), one.window) for one, model in zip(card.members, models, strict=True)
        )
        self._shape = (card.window, len(card.names))
        places = {name: place for place, name in enumerate(card.names)}
        self._columns = np.array([places[name] for name in card.columns])
        self._said = np.empty((len(card.members), 3))

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
        said = self._said
        for i, (model, length) in enumerate(self._members):
            said[i] = model.run(("probabilities",), {"window": rows[None, -length:]})[0][0]
        down, flat, up = self._pool(said).tolist()
        members = tuple((one[0], one[1], one[2]) for one in said.tolist())
        return Prediction(down, flat, up, float(disagreement(said)), members)

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
        for i, (model, length) in enumerate(self._members):
            at = 0
            for windows in batches(rows, ends, length, BATCH):
                (answer,) = model.run(("probabilities",), {"window": windows})
                said[i, at : at + len(windows)] = answer
                at += len(windows)
        proba, apart = np.full((len(X), 3), np.nan), np.full(len(X), np.nan)
        proba[ends], apart[ends] = self._pool(said), disagreement(said)
        return proba, apart

    def _refuse_nan(self, rows: Rows) -> None:
        if np.isfinite(rows).all():
            return
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise DataError(
            f"{self.card.columns[column]} must be finite, was {rows[row, column]} in row {row}; "
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
