"""What an ensemble said out of fold, kept beside it: what policies are trained on."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from models.fit import FittedEnsemble
from models.member import Floats

__all__ = ["keep", "kept"]


def keep(folder: Path, fitted: FittedEnsemble) -> None:
    """Write an ensemble's out-of-fold probabilities to a floor's folder, whole or not at all."""
    path = _place(folder, fitted.version)
    path.parent.mkdir(parents=True, exist_ok=True)
    held = io.BytesIO()
    np.savez_compressed(held, proba=fitted.oof, disagreement=fitted.oof_disagreement)
    scratch = path.with_suffix(".new")
    scratch.write_bytes(held.getvalue())
    scratch.replace(path)


def kept(folder: Path, version: str, decisions: int) -> tuple[Floats, Floats] | None:
    """Return probabilities ``float64[m, 3]`` and disagreement ``float64[m]`` of an ensemble.

    ``None`` if they aren't there, can't be read, or are of another number of decisions.
    """
    try:
        # From memory: NumPy leaves a damaged file open.
        content = io.BytesIO(_place(folder, version).read_bytes())
        with np.load(content, allow_pickle=False) as held:
            proba, apart = held["proba"], held["disagreement"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    if proba.shape != (decisions, 3) or apart.shape != (decisions,):
        return None
    return proba, apart


def _place(folder: Path, version: str) -> Path:
    return folder / "outoffold" / f"{version}.npz"
