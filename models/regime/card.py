"""What a fitted regime model is: names and plain numbers, for the ensemble's card."""

from __future__ import annotations

import msgspec

__all__ = ["HmmNumbers", "RegimeCard", "ThresholdNumbers"]


class ThresholdNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="threshold"):
    """Levels that tell regimes apart.

    Parameters
    ----------
    levels
        Rising, in the column's units; one fewer than regimes.
    """

    levels: tuple[float, ...]


class HmmNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hmm"):
    """A Gaussian hidden Markov model of ``S`` states over ``K`` columns.

    Parameters
    ----------
    stationary
        ``[S]``: share of the time in each state, in the long run.
    transitions
        ``[S][S]``: probability of the state in the next row, by the state in this one.
    means
        ``[S][K]``, in the columns' units.
    whitenings
        ``[S][K][K]``, lower triangular ``W``: ``|W (x - mean)|²`` is the squared distance in
        standard deviations; ``W' W`` is the inverse of the state's covariance.
    """

    stationary: tuple[float, ...]
    transitions: tuple[tuple[float, ...], ...]
    means: tuple[tuple[float, ...], ...]
    whitenings: tuple[tuple[tuple[float, ...], ...], ...]


class RegimeCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fitted regime model.

    Parameters
    ----------
    name
        Of the model.
    columns
        It takes, in this order.
    window
        Rows it takes.
    numbers
        By its kind.
    frequencies
        Share of the training rows in each regime, calmest first.
    """

    name: str
    columns: tuple[str, ...]
    window: int
    numbers: ThresholdNumbers | HmmNumbers
    frequencies: tuple[float, ...]

    @property
    def kind(self) -> str:
        """``threshold`` or ``hmm``."""
        return str(self.numbers.__struct_config__.tag)
