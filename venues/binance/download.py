"""Fetching from Binance's archive: resumed where it stopped, checked before it counts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import aiohttp
import numpy as np
from pydantic import Field
from yarl import URL

from market.config import Config
from market.errors import DataError, VenueError, VenueRejected, VenueUnreachable
from venues.binance.archive import ArchiveFile
from venues.binance.checksum import digest, expected

__all__ = ["ArchiveConfig", "Fetched", "fetch"]

_BLOCK = 2**20

Progress = Callable[[ArchiveFile, int, int], None]
"""Hears the file, the bytes there are of it, and the bytes it has (0 while unknown)."""


class ArchiveConfig(Config):
    """Where the archive is, and how patiently it is read.

    Parameters
    ----------
    base
        Scheme and host; encrypted unless on this machine.
    parallel
        Files fetched at once.
    timeout
        Real seconds to wait for a connection, and for more of a file.
    attempts
        Times in a row that a file may fail without one more byte, before it is given up.
    backoff_first, backoff_most
        Real seconds before the second attempt, doubled with each further one up to the second
        figure, each shortened at random by up to half.
    largest
        Bytes of a file; a longer one is not fetched.
    """

    base: Annotated[
        str,
        Field(pattern=r"^(https://[^\s/@?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)$"),
    ] = "https://data.binance.vision"
    parallel: Annotated[int, Field(ge=1, le=32)] = 4
    timeout: Annotated[float, Field(gt=0.0)] = 30.0
    attempts: Annotated[int, Field(ge=1, le=100)] = 6
    backoff_first: Annotated[float, Field(gt=0.0)] = 0.5
    backoff_most: Annotated[float, Field(gt=0.0)] = 60.0
    largest: Annotated[int, Field(ge=1)] = 8 * 2**30


@dataclass(frozen=True)
class Fetched:
    """What became of one file.

    Parameters
    ----------
    file
        Which.
    state
        ``new``; ``present``: it was here, whole; ``missing``: the archive has none, or not yet.
    path
        Where it is.
    """

    file: ArchiveFile
    state: Literal["new", "present", "missing"]
    path: Path


async def fetch(
    config: ArchiveConfig,
    files: Sequence[ArchiveFile],
    folder: Path,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> list[Fetched]:
    """Bring files of the archive into ``folder``, under the archive's own paths.

    A file comes into its place when it is whole and its checksum is right, and not before. What
    there is of it until then is kept beside it (``.part``) and gone on with, also by the next
    process. A file that is here already, and whole, is not fetched again.

    Parameters
    ----------
    config
        Where from, and how patiently.
    files
        Which; one that is named twice is fetched once.
    folder
        Where to.
    rng
        Spreads the attempts.
    progress
        Hears how far each file is.

    Returns
    -------
    list of Fetched
        In the order of ``files``, each once.

    Raises
    ------
    VenueError
        One could not be fetched; the others were, as far as that was possible.
    DataError
        One has the wrong checksum, twice, or is longer than allowed; or the folder can't be
        written to.
    """
    turns = asyncio.Semaphore(config.parallel)
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=config.timeout, sock_read=config.timeout
    )
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:

        async def one(file: ArchiveFile) -> Fetched:
            async with turns:
                return await _Fetch(config, session, file, folder, rng, progress).run()

        done = await asyncio.gather(
            *(one(file) for file in dict.fromkeys(files)), return_exceptions=True
        )
    for result in done:
        if isinstance(result, BaseException):
            raise result
    return [result for result in done if isinstance(result, Fetched)]


class _Fetch:
    """One file on its way."""

    def __init__(
        self,
        config: ArchiveConfig,
        session: aiohttp.ClientSession,
        file: ArchiveFile,
        folder: Path,
        rng: np.random.Generator,
        progress: Progress | None,
    ) -> None:
        self._config = config
        self._session = session
        self._file = file
        self._rng = rng
        self._progress = progress
        self._path = folder / file.path
        self._part = self._path.with_name(self._path.name + ".part")
        self._sums = self._path.with_name(self._path.name + ".CHECKSUM")

    async def run(self) -> Fetched:
        """Fetch it, unless it is here."""
        try:
            return await self._brought()
        except OSError as error:
            raise _unwritable(self._path, error) from error

    async def _brought(self) -> Fetched:
        if await asyncio.to_thread(self._here):
            self._tell(self._path.stat().st_size, self._path.stat().st_size)
            return Fetched(self._file, "present", self._path)
        sums = await self._persist(self._checksum)
        if sums is None:
            return Fetched(self._file, "missing", self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for again in (False, True):
            if not await self._persist(self._rest):
                return Fetched(self._file, "missing", self._path)
            if await asyncio.to_thread(digest, self._part) == expected(sums, self._path.name):
                await asyncio.to_thread(self._keep, sums)
                return Fetched(self._file, "new", self._path)
            # The archive may have changed it since the first part came.
            self._part.unlink()
            if again:
                break
        raise DataError(
            f"{self._path.name}: its checksum was wrong twice; the archive may be changing it, "
            "try again later"
        )

    def _here(self) -> bool:
        """Whether the file is here and whole."""
        try:
            known = expected(self._sums.read_bytes(), self._path.name)
            return self._path.is_file() and digest(self._path) == known
        except (FileNotFoundError, DataError):
            return False

    def _keep(self, sums: bytes) -> None:
        """Put the file into its place."""
        fresh = self._sums.with_name(self._sums.name + ".part")
        fresh.write_bytes(sums)
        os.replace(fresh, self._sums)
        os.replace(self._part, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    async def _persist(self, attempt: Callable[[], object]) -> bytes | None:
        """Attempt until it succeeds, or fails too often without one more byte."""
        failures, length = 0, -1
        while True:
            try:
                result = await attempt()  # type: ignore[misc]
                return result if isinstance(result, bytes) else None
            except (aiohttp.ClientError, TimeoutError, ConnectionError, VenueError) as error:
                if isinstance(error, VenueRejected):
                    raise
                now = self._part.stat().st_size if self._part.exists() else 0
                failures = 1 if now > length else failures + 1
                length = now
                if failures >= self._config.attempts:
                    raise VenueUnreachable(
                        f"{self._file.path}: {type(error).__name__} {failures} times; "
                        "what came is kept, try again later"
                    ) from error
            doubled = self._config.backoff_first * 2.0 ** min(failures - 1, 40)
            await asyncio.sleep(min(self._config.backoff_most, doubled) * self._rng.uniform(0.5, 1))

    async def _checksum(self) -> bytes | None:
        """Return the file's checksum as the archive writes it; ``None`` if it has none."""
        async with self._session.get(self._url(".CHECKSUM"), allow_redirects=False) as response:
            if not _found(response, self._file.path):
                return None
            sums = b""
            while len(sums) < 1000 and (part := await response.content.read(1000)):
                sums += part
        expected(sums, self._path.name)
        return sums

    async def _rest(self) -> bytes | None:
        """Fetch what is missing of the part; ``None`` if the archive has no such file."""
        have = self._part.stat().st_size if self._part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        async with self._session.get(
            self._url(), headers=headers, allow_redirects=False
        ) as response:
            if response.status == 416:
                # There is no more of it; whether it is whole the checksum says.
                return b"whole"
            if not _found(response, self._file.path):
                return None
            going_on = response.status == 206
            if going_on and response.headers.get("Content-Range", "").split("-")[0] != (
                f"bytes {have}"
            ):
                self._part.unlink()
                raise VenueUnreachable(f"{self._file.path}: another range than asked for")
            have = have if going_on else 0
            total = have + (response.content_length or 0)
            with self._part.open("ab" if going_on else "wb") as part:
                async for block in response.content.iter_chunked(_BLOCK):
                    have += len(block)
                    if max(have, total) > self._config.largest:
                        raise DataError(
                            f"{self._file.path}: must not exceed {self._config.largest} bytes; "
                            "raise `largest` if it may"
                        )
                    part.write(block)
                    self._tell(have, total)
                part.flush()
                os.fsync(part.fileno())
        return b"whole"

    def _url(self, ending: str = "") -> URL:
        return URL(f"{self._config.base}/{quote(self._file.path)}{ending}", encoded=True)

    def _tell(self, have: int, total: int) -> None:
        if self._progress is not None:
            self._progress(self._file, have, total)


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path}: can't be written ({error.strerror}); make room, or check the folder")


def _found(response: aiohttp.ClientResponse, path: str) -> bool:
    """Whether the archive has it; what else it says is an error, to be met again or not."""
    if response.status in (200, 206):
        return True
    if response.status == 404:
        return False
    text = f"{path}: status {response.status}"
    if response.status >= 500 or response.status in (408, 429):
        raise VenueUnreachable(text)
    raise VenueRejected(str(response.status), text)
