"""Binance's archive of past market data: how its files are named, and what is in them.

The layout is that of data.binance.vision: a zip for each symbol and day or month, with one CSV in
it. Spot files have no header and count microseconds from 2025 on, futures files have one and count
milliseconds; a reader here looks rather than believes.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Literal

from market.errors import DataError
from venues.binance.intervals import INTERVALS

__all__ = ["ArchiveFile", "ArchiveKind", "files_between", "opened"]

ArchiveKind = Literal["klines", "aggTrades", "trades", "bookTicker"]

_KINDS: tuple[ArchiveKind, ...] = ("klines", "aggTrades", "trades", "bookTicker")
_FOLDERS = {"spot": "spot", "usdm": "futures/um"}
_NAME = re.compile(
    r"(?P<symbol>[^-/\\\s.]{1,40})-(?P<what>[A-Za-z0-9]{1,12})-"
    r"(?P<year>\d{4})-(?P<month>\d{2})(?:-(?P<day>\d{2}))?\.(?:zip|csv)"
)
_LARGEST = 16 * 2**30
_RATIO = 200
_SMALL = 2**20


@dataclass(frozen=True)
class ArchiveFile:
    """One file of the archive.

    Parameters
    ----------
    market
        ``spot`` or ``usdm``.
    kind
        ``klines``, ``aggTrades``, ``trades`` or ``bookTicker``, as the archive calls them.
    symbol
        The instrument.
    day
        Which day it is of; the first of the month for a month's.
    interval
        Of klines, else empty.
    monthly
        Whether it is a month's.

    Examples
    --------
    >>> one = ArchiveFile("usdm", "klines", "BTCUSDT", date(2024, 8, 8), "1m")
    >>> one.path
    'data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-08-08.zip'
    >>> ArchiveFile.named("BTCUSDT-aggTrades-2024-08.zip").monthly
    True
    """

    market: Literal["spot", "usdm"]
    kind: ArchiveKind
    symbol: str
    day: date
    interval: str = ""
    monthly: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise DataError(f"kind must be one of {', '.join(_KINDS)}, was {self.kind!r}")
        if (self.kind == "klines") != bool(self.interval):
            raise DataError("interval must be given for klines and for nothing else")
        if self.interval and self.interval not in INTERVALS:
            raise DataError(f"interval must be one of Binance's, was {self.interval!r}")
        if not self.symbol or set(self.symbol) & set("-/\\. \t\n%?#"):
            raise DataError(f"symbol must be a name such as BTCUSDT, was {self.symbol!r}")

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        when = f"{self.day:%Y-%m}" if self.monthly else f"{self.day:%Y-%m-%d}"
        return f"{self.symbol}-{self.interval or self.kind}-{when}"

    @property
    def path(self) -> str:
        """Where the archive has it."""
        span = "monthly" if self.monthly else "daily"
        folder = f"data/{_FOLDERS[self.market]}/{span}/{self.kind}/{self.symbol}"
        return "/".join(part for part in (folder, self.interval, f"{self.stem}.zip") if part)

    @classmethod
    def named(cls, name: str, market: Literal["spot", "usdm"] = "spot") -> ArchiveFile:
        """Return the file of this name; raises :class:`DataError` if it is none of the archive's.

        The name doesn't tell the market.
        """
        found = _NAME.fullmatch(name)
        what = found["what"] if found else ""
        kind = next((kind for kind in _KINDS[1:] if kind == what), None)
        if found is None or (kind is None and what not in INTERVALS):
            raise DataError(
                f"{name[:80]}: must be named as in the archive, such as BTCUSDT-1m-2024-08-08.zip"
            )
        try:
            day = date(int(found["year"]), int(found["month"]), int(found["day"] or 1))
        except ValueError as error:
            raise DataError(f"{name}: {error}") from None
        interval = "" if kind else what
        monthly = found["day"] is None
        return cls(market, kind or "klines", found["symbol"], day, interval, monthly)


def files_between(
    market: Literal["spot", "usdm"],
    kind: ArchiveKind,
    symbol: str,
    first: date,
    last: date,
    interval: str = "",
    *,
    months: bool = False,
) -> list[ArchiveFile]:
    """Return the files that hold the days from ``first`` to ``last``, both included.

    Parameters
    ----------
    market, kind, symbol, interval
        See :class:`ArchiveFile`.
    first, last
        Days, UTC.
    months
        Whether a whole month is taken as one file; the archive has it some days after its end.

    Examples
    --------
    >>> days = date(2024, 1, 30), date(2024, 3, 1)
    >>> [one.stem for one in files_between("spot", "trades", "ETHBTC", *days, months=True)]
    ['ETHBTC-trades-2024-01-30', 'ETHBTC-trades-2024-01-31', 'ETHBTC-trades-2024-02',
     'ETHBTC-trades-2024-03-01']
    """
    found = []
    day = first
    while day <= last:
        after = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        whole = months and day.day == 1 and after - timedelta(days=1) <= last
        found.append(ArchiveFile(market, kind, symbol, day, interval, whole))
        day = after if whole else day + timedelta(days=1)
    return found


@contextmanager
def opened(path: Path, largest: int = _LARGEST) -> Iterator[IO[bytes]]:
    """Open the CSV in one of the archive's zips, or such a CSV itself.

    Raises
    ------
    DataError
        It can't be read; it does not hold exactly one file, of the expected name; it would
        unpack to more than ``largest`` bytes or to 200 times its own length.
    """
    file = ArchiveFile.named(path.name)
    try:
        if path.suffix == ".csv":
            with path.open("rb") as plain:
                yield plain
            return
        with (
            zipfile.ZipFile(path) as packed,
            packed.open(_only(path, packed, file, largest)) as unpacked,
        ):
            yield unpacked
    except (
        OSError,
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        RuntimeError,
        UnicodeDecodeError,  # of a name in the zip
    ) as error:
        raise DataError(f"{path.name}: can't be read: {error}; fetch it again") from error
    except zlib.error as error:
        raise DataError(f"{path.name}: can't be unpacked: {error}; fetch it again") from error


def _only(path: Path, packed: zipfile.ZipFile, file: ArchiveFile, largest: int) -> str:
    members = packed.infolist()
    expected = f"{file.stem}.csv"
    if [member.filename for member in members] != [expected]:
        names = ", ".join(member.filename[:80] for member in members[:3]) or "nothing"
        raise DataError(f"{path.name}: must hold {expected} alone, held {names}")
    length, packed_length = members[0].file_size, members[0].compress_size
    if length > largest or length > _SMALL + _RATIO * packed_length:
        raise DataError(
            f"{path.name}: would unpack from {packed_length} to {length} bytes, which no file of "
            "the archive does"
        )
    return expected
