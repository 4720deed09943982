"""The columns' drift: which of them no longer look as they did in training."""

from __future__ import annotations

import msgspec
import numba as nb
import numpy as np
import numpy.typing as npt

from market.errors import SchemaMismatch, StateError
from models.drift.config import ColumnDriftConfig
from models.drift.distance import gamma_tail, ks, psi
from models.drift.reference import BINS, Reference, bins_of, paired
from validation.holm import holm

__all__ = ["ColumnDrift", "ColumnShift"]

Bins = npt.NDArray[np.uint8]


class ColumnShift(msgspec.Struct, frozen=True):
    """A column that has changed.

    Parameters
    ----------
    name
        Of the column.
    psi, ks
        How far the window is from training; see :mod:`models.drift.distance`.
    p_psi, p_ks
        How likely as much is by chance, for all columns together.
    """

    name: str
    psi: float
    ks: float
    p_psi: float
    p_ks: float


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[str, ...]
    seen: int
    ring: bytes
    told: tuple[str, ...]


class ColumnDrift:
    """PSI and two-sample KS of the latest decisions against training, every so many of them.

    A column has changed where its PSI is above what the config asks **and** its PSI or its KS
    statistic is further out than chance explains. Chance is how far windows of training itself were
    from the whole of it (:class:`~models.drift.Reference`), so columns' memory is in it, as a gamma
    distribution of their mean and spread. Holm's correction over all columns, half of ``alpha`` for
    either test.

    Parameters
    ----------
    reference
        Of the training rows.
    config
        How sure it must be.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(5000, 2)).astype(np.float32)
    >>> drift = ColumnDrift(Reference.of(X, ("calm", "moved")), ColumnDriftConfig())
    >>> for row in rng.normal((0.0, 1.0), size=(600, 2)).astype(np.float32):
    ...     for shift in drift.update(row):
    ...         print(drift.seen, shift.name, round(shift.psi, 1))
    500 moved 1.0
    """

    def __init__(self, reference: Reference, config: ColumnDriftConfig) -> None:
        self.reference = reference
        self.config = config
        self.seen = 0
        self._edges = np.array(reference.edges)
        self._shares = np.array(reference.shares)
        self._paired = paired(self._shares)
        self._ring = np.zeros((reference.window, len(reference.names)), np.uint8)
        self._counts = np.zeros(self._shares.shape)
        self._told: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[str, ...]:
        """The columns that had changed at the last look."""
        return self._told

    def update(self, row: npt.NDArray[np.float32]) -> tuple[ColumnShift, ...]:
        """Take a decision's row; return the columns that are newly found to have changed.

        Parameters
        ----------
        row
            ``float32[F]``; nan where unknown.
        """
        full = self.seen >= self.reference.window
        _slide(self._ring, self._counts, row, self._edges, self.seen, full)
        self.seen += 1
        over = self.seen - self.reference.window
        if over < 0 or over % self.config.every:
            return ()
        found = [shift for shift in self.look() if self._is_change(shift)]
        newly = tuple(shift for shift in found if shift.name not in self._told)
        self._told = tuple(shift.name for shift in found)
        return newly

    def look(self) -> tuple[ColumnShift, ...]:
        """Hold the window against the reference, column by column; empty until it is full."""
        one = self.reference
        if self.seen < one.window:
            return ()
        index = psi(self._paired, paired(self._counts), one.rows)
        distance = ks(self._shares, self._counts)
        roots = np.sqrt(index).tolist()
        by_psi = _by_chance(roots, one.psi_mean, one.psi_sd)
        by_ks = _by_chance(distance.tolist(), one.ks_mean, one.ks_sd)
        columns = zip(one.names, index, distance, by_psi, by_ks, strict=True)
        return tuple(ColumnShift(name, *map(float, four)) for name, *four in columns)

    def snapshot(self) -> bytes:
        """Return the window: a byte for each value in it."""
        state = _State(self.reference.names, self.seen, self._ring.tobytes(), self._told)
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot as if there had been no break.

        Raises
        ------
        StateError
            It isn't a snapshot of columns' drift.
        SchemaMismatch
            It is one of other columns or another window.
        """
        try:
            old = msgspec.msgpack.decode(state, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(f"not a snapshot of columns' drift ({error}); start anew") from error
        if old.names != self.reference.names or len(old.ring) != self._ring.size:
            raise SchemaMismatch(
                f"columns' drift is of {len(old.names)} columns and {len(old.ring)} values, not of "
                f"these {self._ring.shape[1]} and {self._ring.size}; start anew"
            )
        self._ring[:] = np.frombuffer(old.ring, np.uint8).reshape(self._ring.shape)
        self.seen, self._told = old.seen, old.told
        held = self._ring[: min(self.seen, len(self._ring))]
        for b in range(BINS + 1):
            self._counts[:, b] = (held == b).sum(axis=0)

    def _is_change(self, shift: ColumnShift) -> bool:
        sure = min(shift.p_psi, shift.p_ks) < self.config.alpha / 2.0
        return sure and shift.psi > self.config.psi


def _by_chance(
    found: list[float], means: tuple[float, ...], sds: tuple[float, ...]
) -> npt.NDArray[np.float64]:
    tails = [gamma_tail(x, mean, sd) for x, mean, sd in zip(found, means, sds, strict=True)]
    return holm(np.array(tails))


@nb.njit(cache=True)
def _slide(
    ring: Bins,
    counts: npt.NDArray[np.float64],
    row: npt.NDArray[np.float32],
    edges: npt.NDArray[np.float64],
    seen: int,
    full: bool,
) -> None:
    """Put a row in the oldest one's place."""
    at = seen % ring.shape[0]
    inside = bins_of(row.reshape((1, -1)), edges)[0]
    for j in range(len(inside)):
        if full:
            counts[j, ring[at, j]] -= 1.0
        ring[at, j] = inside[j]
        counts[j, inside[j]] += 1.0
