"""Predictions on features that the caller brings: the very runtime the symbol actors run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.prediction import Prediction
from models.runtime import EnsembleRuntime

__all__ = ["Ensemble", "Ensembles"]


class Ensemble(Protocol):
    """What is needed of :class:`models.runtime.EnsembleRuntime`."""

    @property
    def version(self) -> str:
        """Stands for the fitted models."""
        ...

    def predict(self, window: npt.NDArray[np.float32]) -> Prediction:
        """Predict from the last decision rows, or raise :class:`~market.errors.DataError`."""
        ...


class Ensembles:
    """The ensembles by symbol.

    Parameters
    ----------
    by_symbol
        Loaded ensembles.
    """

    def __init__(self, by_symbol: Mapping[str, Ensemble]) -> None:
        self._by_symbol = dict(by_symbol)

    @classmethod
    def load(cls, model_dirs: Mapping[str, Path], schemas: Mapping[str, str]) -> Ensembles:
        """Load what :class:`serve.config.ServeConfig` names.

        Raises
        ------
        SchemaMismatch
            An ensemble was fitted on other features.
        StateError
            Files are missing or damaged.
        """
        return cls(
            {name: EnsembleRuntime.load(at, schemas[name]) for name, at in model_dirs.items()}
        )

    @property
    def versions(self) -> dict[str, str]:
        """Symbol to version."""
        return {symbol: one.version for symbol, one in self._by_symbol.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """Symbols with an ensemble."""
        return tuple(self._by_symbol)

    def predict(self, symbol: str, features: list[list[float]]) -> Prediction:
        """Predict from explicit rows, oldest first.

        Raises
        ------
        KeyError
            No ensemble is loaded for ``symbol``.
        DataError
            Rows of different lengths, a shape the ensemble doesn't take, or a value that isn't
            finite as a 32-bit float.
        """
        ensemble = self._by_symbol[symbol]
        lengths = {len(row) for row in features}
        if len(lengths) > 1:
            raise DataError(f"rows must have one length, had {sorted(lengths)}")
        with np.errstate(over="ignore"):
            window = np.array(features, np.float64).astype(np.float32)
        if not np.isfinite(window).all():
            row, column = np.argwhere(~np.isfinite(window))[0]
            raise DataError(
                f"features must fit 32-bit floats, row {row} column {column} was "
                f"{features[row][column]!r}"
            )
        return ensemble.predict(window)
