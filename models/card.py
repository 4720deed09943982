"""The ensemble's card: the file that says what the model files beside it are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from market.errors import SchemaMismatch, StateError
from models.combination.card import CombinationCard
from models.combination.comparison import Paired
from models.prediction import CLASSES

__all__ = ["CARD", "FORMAT", "Card", "MemberCard", "RoundedCard", "SelectionCard", "read"]

CARD = "ensemble.json"
FORMAT = 4
"""Goes up when the files' meaning changes."""


class RoundedCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What eight bits do to a network, out of fold.

    Parameters
    ----------
    apart
        Largest difference of a probability.
    loss
        Log-loss with them less that without.
    taken
        Whether the file is in int8; refused beyond :data:`models.quantise.LIMIT`.
    """

    apart: float
    loss: float
    taken: bool


class MemberCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model file.

    Parameters
    ----------
    name, kind
        Of the member.
    file
        ONNX, in the card's folder; takes ``window`` of ``float32[n, window, K]``, its columns,
        gives ``probabilities`` of ``float32[n, 3]``.
    sha256
        Of the file.
    window
        Decision rows it looks at.
    columns
        It takes, in this order; empty: those of the card.
    effort
        Rounds or epochs it was fitted for.
    rounded
        What int8 does to it; ``None`` where nobody asked.
    """

    name: str
    kind: str
    file: str
    sha256: str
    window: int
    columns: tuple[str, ...] = ()
    effort: int = 0
    rounded: RoundedCard | None = None


class SelectionCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How columns were chosen.

    Parameters
    ----------
    ranked
        From all training rows, the first chosen first.
    folds
        Likewise, in each fold from what it learns from.
    stability, low, high
        How alike the folds' sets are, and its 95 % interval: see
        :class:`~features.selection.stability.Stability`. Folds share most of their rows: noise
        reaches .4.
    effective
        The same, one of two correlated columns standing for the other; ``None`` where that has no
        meaning.
    """

    ranked: tuple[str, ...]
    folds: tuple[tuple[str, ...], ...]
    stability: float
    low: float
    high: float
    effective: float | None


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fitted ensemble, all but its models.

    Parameters
    ----------
    symbol
        It was fitted on.
    schema, names
        Of the features it is given.
    columns
        Those of them that it takes, in the same order.
    selection
        How these were chosen; ``None`` if all are taken.
    window
        Decision rows its widest member, or its regime model, looks at.
    members
        Its model files.
    combination
        How they are put together.
    compared
        The ensemble's gain in log-loss, out of fold, over each member and over the class
        frequencies (``base``), with its interval.
    frequencies
        Of the classes in training: the forecast to beat.
    every, horizon
        Events per decision, and from decision to outcome.
    start, end
        Venue time of the first and last decision it was fitted on, nanoseconds.
    decisions
        Between the two.
    seed
        It was fitted with.
    metrics
        Out of fold.
    settings
        The configuration it was fitted with.
    labels
        Settings of what it foretells; ``None`` where it was fitted on a dataset of no recording.
    reference
        How the columns it takes looked in training, a :class:`~models.drift.Reference` in plain
        types; ``None`` where nobody shall compare.
    classes, format
        Of this file.
    version
        Sixteen hex digits that stand for the card and every model file.
    """

    symbol: str
    schema: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    selection: SelectionCard | None
    window: int
    members: tuple[MemberCard, ...]
    combination: CombinationCard
    compared: dict[str, Paired]
    frequencies: tuple[float, float, float]
    every: int
    horizon: int
    start: int
    end: int
    decisions: int
    seed: int
    metrics: dict[str, float]
    settings: dict[str, object]
    labels: dict[str, object] | None = None
    reference: dict[str, object] | None = None
    classes: tuple[str, ...] = CLASSES
    format: int = FORMAT
    version: str = ""

    @property
    def taken(self) -> tuple[str, ...]:
        """Every column that a member or the regime model takes, once."""
        regime = self.combination.regime
        sets = [self.columns, *(one.columns for one in self.members)]
        sets += [] if regime is None else [regime.columns]
        return tuple(dict.fromkeys(name for names in sets for name in names))

    @property
    def told(self) -> str:
        """Which columns it takes, in a few words."""
        if self.selection is None:
            return f"all {len(self.names)} columns"
        one = self.selection
        return (
            f"{len(self.columns)} of {len(self.names)} columns, "
            f"stability {one.stability:.2f} [{one.low:.2f}, {one.high:.2f}]"
        )

    def sealed(self) -> Card:
        """Return the card with its version."""
        written = msgspec.json.encode(msgspec.structs.replace(self, version=""))
        bare = msgspec.json.decode(written, type=Card)  # 1 and 1.0 are one number in a file
        digest = hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()[:16]
        return msgspec.structs.replace(self, version=digest)

    def encode(self) -> bytes:
        """Return the file's content."""
        return msgspec.json.format(msgspec.json.encode(self)) + b"\n"


def read(folder: str | Path, schema: str = "") -> tuple[Card, tuple[bytes, ...]]:
    """Read a card and its model files, and check that they are what was written.

    Parameters
    ----------
    folder
        Of the ensemble.
    schema
        Of the features it will be given; not checked if empty.

    Raises
    ------
    SchemaMismatch
        It was fitted on other features.
    StateError
        Files are missing or not as they were written.
    """
    path = Path(folder) / CARD
    try:
        card = msgspec.json.decode(path.read_bytes(), type=Card)
    except OSError as error:
        raise StateError(
            f"{path}: can't be read ({error.strerror}); train the ensemble first"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(f"{path}: not an ensemble's card ({error}); train it again") from error
    if card.format != FORMAT or card.classes != CLASSES:
        raise StateError(f"{path}: format must be {FORMAT}, was {card.format}; train it again")
    if schema and card.schema != schema:
        raise SchemaMismatch(
            f"{path}: made for features {card.schema}, these are {schema}; "
            f"train it again or restore the feature settings it was made with"
        )
    if card.sealed().version != card.version:
        raise StateError(f"{path}: was changed after it was written; train it again")
    return card, tuple(_model(path.parent / one.file, one.sha256) for one in card.members)


def _model(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StateError(
            f"{path}: can't be read ({error.strerror}); train the ensemble again"
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StateError(f"{path}: not the file the card names; train the ensemble again")
    return content
