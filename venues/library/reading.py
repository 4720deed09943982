"""Any recording there is: files of every format, and those of Binance's archive."""

from __future__ import annotations

from pathlib import Path

from market.errors import DataError
from market.series import BadRow
from venues.binance.archive import ArchiveFile
from venues.binance.archive_table import read_archive
from venues.files import Recording, read_recording
from venues.files.recording import TOLERATED

__all__ = ["read"]


def read(
    path: Path, symbol: str | None = None, tolerate: float = TOLERATED, zone: str | None = None
) -> Recording:
    """Read a recording; see :func:`~venues.files.read_recording`.

    A zip, or a CSV named as in Binance's archive (``BTCUSDT-1m-2024-08-08.csv``), is read as such:
    it may lack a header, and its times' unit changed in 2025.

    Raises
    ------
    DataError
        It is unusable.
    """
    if path.suffix != ".zip" and not _archived(path):
        return read_recording(path, symbol, tolerate=tolerate, zone=zone)
    bad: list[BadRow] = []
    series = read_archive(path, bad)
    if len(bad) > tolerate * (len(series) + len(bad)):
        raise DataError(
            f"{path}: {len(bad)} of {len(series) + len(bad)} rows are bad, the first is "
            f"{bad[0].where}: {bad[0].reason}; fetch it again"
        )
    if not len(series):
        raise DataError(f"{path}: no row is left to use; fetch the file again")
    return Recording((series,), tuple(bad), 0, "Binance archive")


def _archived(path: Path) -> bool:
    try:
        ArchiveFile.named(path.name)
    except DataError:
        return False
    return path.suffix == ".csv"
