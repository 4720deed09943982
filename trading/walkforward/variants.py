"""What is compared: each member alone, all of them counted alike, and the ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from models.card import CARD, Card, MemberCard
from models.combination.card import CombinationCard, PoolCard
from models.fit import FittedEnsemble

__all__ = ["VOTE", "Variant", "variants"]

VOTE = "equal vote"
"""The name has a space, which no member's has; so has the ensemble's."""


@dataclass(frozen=True)
class Variant:
    """An ensemble's card and models.

    Parameters
    ----------
    name
        A member's, :data:`VOTE`, or ``the stack``, ``the vote``, ``the switch``.
    card, models
        As in :class:`~models.fit.FittedEnsemble`.
    """

    name: str
    card: Card
    models: tuple[bytes, ...]

    def save(self, folder: Path) -> Path:
        """Write it where :class:`~models.runtime.EnsembleRuntime` reads it; the card comes last."""
        path = folder / self.card.version
        path.mkdir(parents=True, exist_ok=True)
        for one, model in zip(self.card.members, self.models, strict=True):
            (path / one.file).write_bytes(model)
        (path / CARD).write_bytes(self.card.encode())
        return path


def variants(fitted: FittedEnsemble) -> tuple[Variant, ...]:
    """Return every member alone, the equal vote, and the ensemble itself, in this order.

    All keep the ensemble's window, so that all decide at the same events, and its class
    frequencies.
    """
    card = fitted.card
    found = [
        _only(card, one.name, (one,), (model,))
        for one, model in zip(card.members, fitted.models, strict=True)
    ]
    if len(card.members) > 1:
        found.append(_only(card, VOTE, card.members, fitted.models))
    return (*found, Variant(f"the {card.combination.kind}", card, fitted.models))


def _only(
    card: Card, name: str, members: tuple[MemberCard, ...], models: tuple[bytes, ...]
) -> Variant:
    alike = CombinationCard(kind="vote", pools=(PoolCard(weights=(1.0,) * len(members)),))
    bare = replace(card, members=members, combination=alike, compared={}, metrics={})
    return Variant(name, bare.sealed(), models)
