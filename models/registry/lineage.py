"""What an ensemble was made of, as four hashes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import fields
from types import ModuleType

import msgspec
import numpy as np

import features
import market
import models
import validation
from features.dataset import Dataset
from features.sourcecode import code_of
from market.config import Config
from market.errors import StateError

__all__ = ["Lineage", "code_digest", "config_digest", "data_digest", "features_digest"]

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Lineage(msgspec.Struct, frozen=True):
    """Data, features, code and settings: with all four equal, the files come out equal.

    Parameters
    ----------
    data
        Of what was learnt from: :func:`data_digest`.
    features
        Of the columns: :func:`features_digest`.
    code
        Of the sources: :func:`code_digest`.
    config
        Of the settings: :func:`config_digest`.

    Raises
    ------
    StateError
        One is no SHA-256 in hexadecimal digits.
    """

    data: str
    features: str
    code: str
    config: str

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not _DIGEST.fullmatch(value):
                raise StateError(
                    f"lineage.{name} must be 64 hexadecimal digits, was {value!r}; "
                    f"make it with models.registry.lineage.{name}_digest"
                )

    @classmethod
    def of(cls, dataset: Dataset, *settings: Config | int, code: str | None = None) -> Lineage:
        """Return that of an ensemble fitted on a dataset.

        Parameters
        ----------
        dataset
            What it learnt from.
        settings
            All that had a say in it, the seed too.
        code
            Where the process took it at its start; now, if left out.
        """
        return cls(
            data=data_digest(dataset),
            features=features_digest(dataset.schema, dataset.names),
            code=code_digest() if code is None else code,
            config=config_digest(*settings),
        )


def data_digest(dataset: Dataset) -> str:
    """Return the hash of a dataset: every array with its name, type and shape, and the rest."""
    made = hashlib.sha256()
    for field in fields(dataset):
        value = getattr(dataset, field.name)
        if isinstance(value, np.ndarray):
            # Byte order is told: the same numbers have the same hash on any machine.
            plain = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
            made.update(f"{field.name} {plain.dtype.str} {plain.shape}\n".encode())
            made.update(plain.tobytes() if not plain.size else plain.data.cast("B"))
        else:
            made.update(f"{field.name} {value!r}\n".encode())
    return made.hexdigest()


def features_digest(schema: str, names: Sequence[str]) -> str:
    """Return the hash of a feature schema and its columns' names.

    Examples
    --------
    >>> features_digest("0123456789abcdef", ("return_1",))[:8]
    'f6c5c9ff'
    """
    return _hash([schema, list(names)])


def code_digest(*packages: ModuleType) -> str:
    """Return the hash of the sources that make an ensemble; by default those of four rooms.

    The files are read as they are now: call it when the process begins.
    """
    return code_of(*(packages or (market, features, validation, models)))


def config_digest(*settings: Config | int) -> str:
    """Return the hash of settings, defaults written out; the order of keys is no matter.

    Examples
    --------
    >>> from features.labels import LabelConfig
    >>> config_digest(LabelConfig()) == config_digest(LabelConfig(horizon=LabelConfig().horizon))
    True
    >>> config_digest(LabelConfig(horizon=3)) == config_digest(LabelConfig(horizon=4))
    False
    """
    return _hash(
        [
            [type(one).__name__, one.model_dump(mode="json")] if isinstance(one, Config) else one
            for one in settings
        ]
    )


def _hash(plain: object) -> str:
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()
