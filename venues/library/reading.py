"""Any recording there is: files of every format, and those of Binance's archive."""

from __future__ import annotations

from pathlib import Path

from market.errors import DataError
from market.series import BadRow
from venues.binance.archive import ArchiveFile
from venues.binance.archive_table import read_archive
from venues.files import Recording, read_recording
from venues.files.recording import TOLERATED
from venues.library.frames import read_frames

__all__ = ["read"]


def read(
    path: Path, symbol: str | None = None, tolerate: float = TOLERATED, zone: str | None = None
) -> Recording:
    """Read a recording; see :func:`~venues.files.read_recording`.

    A zip, or a CSV named as in Binance's archive (``BTCUSDT-1m-2024-08-08.csv``), is read as such:
    it may lack a header, and its times' unit changed in 2025. A ``.gz`` is taken to hold frames of
    Binance's sockets; see :func:`~venues.library.frames.read_frames`.

    Raises
    ------
    DataError
        It is unusable.
    """
    if path.suffix == ".gz" and path.is_file() and path.stat().st_size:
        recording = read_frames(path)
    elif path.suffix == ".zip" or _archived(path):
        bad: list[BadRow] = []
        series = read_archive(path, bad)
        recording = Recording((series,) if len(series) else (), tuple(bad), 0, "Binance archive")
    else:
        return read_recording(path, symbol, tolerate=tolerate, zone=zone)
    aside, good = recording.bad, sum(len(one) for one in recording.series)
    if len(aside) > tolerate * (good + len(aside)):
        raise DataError(
            f"{path}: {len(aside)} of {good + len(aside)} rows are bad, the first is "
            f"{aside[0].where}: {aside[0].reason}; fetch it again"
        )
    if not good:
        raise DataError(f"{path}: no row is left to use; fetch the file again")
    return recording


def _archived(path: Path) -> bool:
    try:
        ArchiveFile.named(path.name)
    except DataError:
        return False
    return path.suffix == ".csv"
