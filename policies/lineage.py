"""What a trained policy was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

import envs
import features
import market
import models
import policies
import validation
from envs.tape import DecisionTape
from features.sourcecode import code_of
from market.errors import StateError
from models.registry.lineage import config_digest
from policies.training import Training

__all__ = ["PolicyLineage", "code_digest", "tapes_digest"]


class PolicyLineage(msgspec.Struct, frozen=True):
    """Data, code, settings and seed: with all equal, and no remote runners, the policy is equal.

    Parameters
    ----------
    data
        Of the tapes it learnt from: :func:`tapes_digest`.
    code
        Of the sources: :func:`code_digest`.
    config
        Of the training's settings.
    seed
        It was trained with.
    steps
        Decisions it learnt from.
    ensembles
        Version of the ensemble behind each symbol's tape.
    """

    data: str
    code: str
    config: str
    seed: int
    steps: int
    ensembles: dict[str, str]

    @classmethod
    def of(
        cls,
        tapes: Sequence[DecisionTape],
        training: Training,
        seed: int,
        steps: int,
        ensembles: Mapping[str, str],
        code: str,
    ) -> PolicyLineage:
        """Return that of a policy trained on tapes."""
        return cls(
            data=tapes_digest(tapes),
            code=code,
            config=config_digest(training),
            seed=seed,
            steps=steps,
            ensembles=dict(ensembles),
        )

    def write(self, path: Path) -> None:
        """Write it down, so that a training that is gone on with is known to be the same."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)))

    def refuse_other(self, path: Path) -> None:
        """Raise where what :meth:`write` wrote was of other data, settings or seed.

        Raises
        ------
        StateError
            It was, or nobody can know. Other code is no reason: it is what a fixed bug looks like.
        """
        try:
            was = msgspec.json.decode(path.read_bytes(), type=PolicyLineage)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            raise StateError(
                f"{path}: can't be read, so nobody knows what the checkpoint is of; train "
                "without --resume"
            ) from None
        names = ("data", "config", "seed", "ensembles")
        other = [name for name in names if getattr(was, name) != getattr(self, name)]
        if other:
            raise StateError(
                f"{path.parent}: the training there is of other {', '.join(other)}; restore what "
                "it was begun with, or train without --resume"
            )

    def facts(self) -> dict[str, str]:
        """Return it as words, for a file's metadata."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return {
            f"lineage.{name}": one if isinstance(one, str) else msgspec.json.encode(one).decode()
            for name, one in plain.items()
        }


def tapes_digest(tapes: Sequence[DecisionTape]) -> str:
    """Return the hash of tapes: instrument with its costs, clock, every row, feature and event.

    Examples
    --------
    >>> from envs.planted import planted
    >>> one, same, other = (planted(9, 0.2, 0.9, 0.5, np.random.default_rng(i)) for i in (0, 0, 1))
    >>> tapes_digest([one]) == tapes_digest([same]), tapes_digest([one]) == tapes_digest([other])
    (True, False)
    """
    made = hashlib.sha256()
    for tape in tapes:
        events, at = tape.happening
        shapes = (tape.rows.shape, tape.features.shape, events.values.shape, events.bars)
        made.update(f"{tape.instrument.model_dump_json()} {tape.every} {shapes}\n".encode())
        for whole in (tape.times, at, events.times):
            made.update(np.ascontiguousarray(whole, "<i8").tobytes())
        for values in (tape.rows, tape.features, events.values):
            made.update(np.ascontiguousarray(values, "<f8").tobytes())
    return made.hexdigest()


def code_digest() -> str:
    """Return the hash of the sources that make a policy; taken when the process begins."""
    return code_of(market, features, validation, models, envs, policies)
