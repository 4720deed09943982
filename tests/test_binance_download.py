"""Fetching from Binance's archive, from a server that breaks off, changes its mind and lies."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager
from datetime import date

import numpy as np
import pytest
from aiohttp import web
from pydantic import ValidationError

from market.errors import DataError, VenueRejected, VenueUnreachable
from venues.binance.archive import ArchiveFile
from venues.binance.download import ArchiveConfig, fetch

FILES = [ArchiveFile("spot", "trades", "BTCUSDT", date(2024, 8, day)) for day in (1, 2, 3)]


class Archive:
    """Serves a tree; a test says after how many bytes a connection breaks."""

    def __init__(self):
        self.content = {}
        self.asked = Counter()
        self.ranges = []
        self.breaks = []  # bytes after which to break, each used once
        self.ranged = True
        self.status = []
        self.hold = None  # an event that the second half waits for
        self.two = asyncio.Event()
        self.running = self.most = 0
        self.slow = 0.0

    def put(self, file, content, sums=None):
        self.content["/" + file.path] = content
        name = file.path.rsplit("/")[-1]
        digest = hashlib.sha256(content if sums is None else sums).hexdigest()
        self.content[f"/{file.path}.CHECKSUM"] = f"{digest}  {name}\n".encode()

    async def serve(self, request):
        self.asked[request.path] += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await self.answer(request)
        finally:
            self.running -= 1

    async def answer(self, request):
        if self.status:
            return web.Response(status=self.status.pop(0))
        content = self.content.get(request.path)
        if content is None:
            return web.Response(status=404)
        if request.path.endswith("CHECKSUM"):
            return await self.in_two(request, content)
        start = request.http_range.start or 0
        self.ranges.append(start)
        headers = {}
        if start and self.ranged:
            if start >= len(content):
                return web.Response(status=416)
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        else:
            start = 0
        response = web.StreamResponse(status=206 if headers else 200, headers=headers)
        response.content_length = len(content) - start
        await response.prepare(request)
        if self.breaks:
            await response.write(content[start : start + self.breaks.pop(0)])
            request.transport.close()
            return response
        if self.hold is not None:
            await response.write(content[start : start + len(content) // 2])
            if self.running == 2:
                self.two.set()
            await self.hold.wait()
            start += len(content) // 2
        await response.write(content[start:])
        return response

    async def in_two(self, request, content):
        """Send a little over a slow line."""
        response = web.StreamResponse()
        response.content_length = len(content)
        await response.prepare(request)
        await response.write(content[:40])
        await asyncio.sleep(self.slow)
        await response.write(content[40:])
        return response


@asynccontextmanager
async def archive(**changed):
    made = Archive()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    settled = {"backoff_first": 0.01, "backoff_most": 0.02, "timeout": 5.0}
    try:
        yield made, ArchiveConfig(base=f"http://127.0.0.1:{port}", **(settled | changed))
    finally:
        await runner.cleanup()


async def brought(config, folder, files=FILES[:1], **more):
    async with asyncio.timeout(20):
        return await fetch(config, files, folder, np.random.default_rng(1), **more)


def noise(n, seed=1):
    return np.random.default_rng(seed).bytes(n)


async def test_files_come_into_their_places_and_not_again(tmp_path):
    async with archive(parallel=2) as (made, config):
        for number, file in enumerate(FILES[:2]):
            made.put(file, noise(300_000, number))
        heard = []
        done = await brought(config, tmp_path, FILES, progress=lambda *now: heard.append(now))
        assert [one.state for one in done] == ["new", "new", "missing"]
        assert done[0].path == tmp_path / FILES[0].path
        assert done[1].path.read_bytes() == noise(300_000, 1)
        assert (FILES[0], 300_000, 300_000) in heard
        assert not list(tmp_path.rglob("*.part"))
        before = made.asked.total()
        made.put(FILES[2], b"now it is there")
        done = await brought(config, tmp_path, FILES)
        assert [one.state for one in done] == ["present", "present", "new"]
        assert made.asked.total() == before + 2


async def test_no_more_files_than_allowed_come_at_once(tmp_path):
    async with archive(parallel=2) as (made, config):
        for file in FILES:
            made.put(file, noise(1000))
        made.hold = asyncio.Event()
        running = asyncio.create_task(brought(config, tmp_path, FILES))
        async with asyncio.timeout(10):
            await made.two.wait()
        made.hold.set()
        assert len(await running) == 3
        assert made.most == 2


async def test_a_connection_that_breaks_is_gone_on_from_where_it_broke(tmp_path):
    async with archive() as (made, config):
        content = noise(500_000)
        made.put(FILES[0], content)
        made.breaks = [200_000, 100_000, 0, 50_000]
        (one,) = await brought(config, tmp_path)
        assert one.path.read_bytes() == content
        assert made.ranges == [0, 200_000, 300_000, 300_000, 350_000]


async def test_a_server_without_ranges_is_read_from_the_beginning(tmp_path):
    async with archive() as (made, config):
        made.put(FILES[0], noise(500_000))
        made.ranged = False
        made.breaks = [200_000]
        (one,) = await brought(config, tmp_path)
        assert one.path.read_bytes() == noise(500_000)


async def test_a_process_that_was_killed_is_gone_on_from(tmp_path):
    async with archive() as (made, config):
        made.put(FILES[0], noise(400_000))
        made.hold = asyncio.Event()
        code = (
            "import asyncio, sys, numpy; from pathlib import Path; from datetime import date\n"
            "from venues.binance.archive import ArchiveFile\n"
            "from venues.binance.download import ArchiveConfig, fetch\n"
            "file = ArchiveFile('spot', 'trades', 'BTCUSDT', date(2024, 8, 1))\n"
            "told = lambda file, have, total: print(have, flush=True)\n"
            "asyncio.run(fetch(ArchiveConfig(base=sys.argv[1]), [file], Path(sys.argv[2]),"
            " numpy.random.default_rng(1), told))\n"
        )
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, config.base, str(tmp_path), stdout=subprocess.PIPE
        )
        have = 0
        async with asyncio.timeout(30):
            while have < 200_000:
                have = int(await other.stdout.readline())
        os.kill(other.pid, signal.SIGKILL)
        await other.wait()
        made.hold = None
        (part,) = tmp_path.rglob("*.part")
        size = part.stat().st_size
        assert 0 < size <= 200_000
        (one,) = await brought(config, tmp_path)
        assert one.path.read_bytes() == noise(400_000)
        assert made.ranges == [0, size]


async def test_a_part_of_another_content_is_found_out_by_the_checksum(tmp_path):
    async with archive() as (made, config):
        made.put(FILES[0], noise(300_000))
        for length in (100_000, 300_000, 400_000):
            part = tmp_path / str(length) / f"{FILES[0].path}.part"
            part.parent.mkdir(parents=True)
            part.write_bytes(noise(length, 7))
            (one,) = await brought(config, tmp_path / str(length))
            assert one.path.read_bytes() == noise(300_000)


async def test_a_damaged_file_is_fetched_again(tmp_path):
    async with archive() as (made, config):
        made.put(FILES[0], noise(1000))
        (one,) = await brought(config, tmp_path)
        one.path.write_bytes(noise(1000, 5))
        (one,) = await brought(config, tmp_path)
        assert (one.state, one.path.read_bytes()) == ("new", noise(1000))


async def test_a_wrong_checksum_is_an_error_and_nothing_is_kept(tmp_path):
    async with archive() as (made, config):
        made.put(FILES[0], noise(1000), sums=b"other")
        made.put(FILES[1], noise(1000))
        with pytest.raises(DataError, match="checksum was wrong twice"):
            await brought(config, tmp_path, FILES[:2])
        assert [path.name for path in tmp_path.rglob("*.zip")] == ["BTCUSDT-trades-2024-08-02.zip"]
        assert not list(tmp_path.rglob("*.part"))


async def test_a_checksum_that_comes_in_pieces_is_read_whole(tmp_path):
    async with archive() as (made, config):
        made.put(FILES[0], noise(1000))
        made.slow = 0.05
        assert [one.state for one in await brought(config, tmp_path)] == ["new"]


@pytest.mark.parametrize("sums", [b"", b"xyz", b"0" * 64 + b"  other.zip\n", b"\xff" * 90])
async def test_a_checksum_file_that_is_none_is_an_error(tmp_path, sums):
    async with archive() as (made, config):
        made.put(FILES[0], b"1")
        made.content[f"/{FILES[0].path}.CHECKSUM"] = sums
        with pytest.raises(DataError, match="CHECKSUM"):
            await brought(config, tmp_path)


async def test_troubles_pass_and_refusals_and_too_many_troubles_do_not(tmp_path):
    async with archive(attempts=3) as (made, config):
        made.put(FILES[0], noise(1000))
        made.status = [503, 429]
        assert (await brought(config, tmp_path))[0].state == "new"
        made.status = [503] * 3
        with pytest.raises(VenueUnreachable, match="3 times"):
            await brought(config, tmp_path / "other")
        made.status = [403]
        with pytest.raises(VenueRejected, match="403"):
            await brought(config, tmp_path / "other")


async def test_a_file_longer_than_allowed_is_not_fetched(tmp_path):
    async with archive(largest=1000) as (made, config):
        made.put(FILES[0], noise(1001))
        with pytest.raises(DataError, match="largest"):
            await brought(config, tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
async def test_a_folder_that_can_not_be_written_to_is_an_error(tmp_path):
    async with archive() as (made, config):
        made.put(FILES[0], noise(1000))
        (tmp_path / "data").write_bytes(b"in the way")
        with pytest.raises(DataError, match="can't be written"):
            await brought(config, tmp_path)
        part = tmp_path / "other" / f"{FILES[0].path}.part"
        part.parent.mkdir(parents=True)
        part.symlink_to("/dev/full")
        with pytest.raises(DataError, match="No space"):
            await brought(config, tmp_path / "other")


async def test_a_file_named_twice_is_fetched_once(tmp_path):
    async with archive() as (made, config):
        made.put(FILES[0], noise(1000))
        assert len(await brought(config, tmp_path, [FILES[0], FILES[0]])) == 1


@pytest.mark.parametrize(
    "base", ["http://data.binance.vision", "ftp://a", "https://user:word@host", "https://a/path"]
)
def test_the_archive_is_read_over_an_encrypted_connection_alone(base):
    with pytest.raises(ValidationError):
        ArchiveConfig(base=base)
