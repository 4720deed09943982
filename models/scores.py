"""How good probabilities were, beside knowing nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.combination.pool import Pool
from models.member import Floats, Ints, log_loss

__all__ = ["calibration_error", "scores"]


def scores(
    labels: Ints, proba: Floats, base: Floats, members: Mapping[str, Floats]
) -> dict[str, float]:
    """Score an ensemble and its members, all on the same decisions.

    Parameters
    ----------
    labels
        ``int64[n]``: what happened.
    proba
        ``float64[n, 3]``: what the ensemble said.
    base
        ``float64[n, 3]``: the class frequencies of its training.
    members
        What each member said.

    Returns
    -------
    ``log_loss``, ``base_log_loss``, ``equal_log_loss`` (members counted alike),
    ``<member>_log_loss``; ``skill`` = 1 − log_loss / base_log_loss, 0 for knowing nothing;
    ``accuracy`` and ``base_accuracy``; ``calibration_error``.
    """
    equal = Pool.equal(len(members))(np.stack(list(members.values())))
    loss, reference = log_loss(proba, labels), log_loss(base, labels)
    return {
        "log_loss": loss,
        "base_log_loss": reference,
        "equal_log_loss": log_loss(equal, labels),
        **{f"{name}_log_loss": log_loss(said, labels) for name, said in members.items()},
        "skill": 1.0 - loss / reference,
        "accuracy": float((proba.argmax(axis=1) == labels).mean()),
        "base_accuracy": float((base.argmax(axis=1) == labels).mean()),
        "calibration_error": calibration_error(proba, labels),
        "decisions": float(len(labels)),
    }


def calibration_error(proba: Floats, labels: Ints, bins: int = 10) -> float:
    """Distance of probabilities from frequencies: mean over classes of the binned error.

    Decisions are put into ``bins`` equally full bins by the probability of a class; the error is
    ``|mean probability − frequency|``, weighted by the bins' sizes.

    Examples
    --------
    >>> calibration_error(np.full((4, 3), 1 / 3), np.array([0, 1, 2, 0]), bins=1)
    0.111
    """
    errors = []
    for k in range(3):
        order = np.argsort(proba[:, k], kind="stable")
        hit = labels[order] == k
        for part, happened in zip(
            np.array_split(proba[order, k], bins), np.array_split(hit, bins), strict=True
        ):
            if len(part):
                errors.append(abs(part.mean() - happened.mean()) * len(part))
    return float(sum(errors) / (3 * len(labels)))
