"""``pregao data`` on venues: collected through kills, fetched once, holes filled."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from market.events import SECOND
from market.series import Series
from market.store import TickStore
from tests.data_commands import pregao

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def exchange(path: Path, **venues: object) -> Iterator[str]:
    """The bundled exchange in a process of its own; the address of its one venue."""
    path.write_text(yaml.safe_dump({"deriv": None} | venues))
    process = subprocess.Popen(
        [sys.executable, "-m", "venues.simulated", "--config", str(path), "--until-eof"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        [url] = [line.split()[-1] for line in iter(process.stdout.readline, "ready\n")]
        yield url
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="module")
def deriv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = {"port": 0, "seed": 7, "speed": 200.0, "symbols": ["R_75", "1HZ75V"]}
    with exchange(tmp_path_factory.mktemp("exchange") / "deriv.yaml", deriv=settings) as url:
        yield url


@pytest.fixture
def config(tmp_path: Path, deriv: str) -> Path:
    path = tmp_path / "collect.yaml"
    wanted = {"venue": {"endpoint": deriv}, "symbols": ["R_75"], "kinds": ["ticks", "bars-1m"]}
    store = {"store": str(tmp_path / "live"), "flush_seconds": 0.2, "deriv": wanted}
    path.write_text(yaml.safe_dump(store))
    return path


def collect_twice(config: Path, store: TickStore, symbol: str, kind: str, rows: int) -> str:
    """Collect until killed, and again until Ctrl-C; return what is said in the end."""
    said = ""
    for number in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen(
            [sys.executable, "pregao.py", "data", "collect", "--config", str(config)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "160"},
        )
        try:
            had = store.stats(symbol)[kind].rows if kind in store.kinds(symbol) else 0
            while kind not in store.kinds(symbol) or store.stats(symbol)[kind].rows < had + rows:
                assert process.poll() is None
            process.send_signal(number)
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == (0 if number == signal.SIGINT else -signal.SIGKILL)
    return said


def test_collect_goes_on_where_it_stood_and_ends_whole_at_ctrl_c(
    config: Path, tmp_path: Path
) -> None:
    store = TickStore(tmp_path / "live")
    said = collect_twice(config, store, "R_75", "ticks", 100)
    assert re.search(r"R_75 +ticks +[\d,]+", said)
    assert re.search(r"stored [\d,]+ rows", said)
    read = store.read("R_75", "ticks")
    assert len(read) >= 200
    assert (np.diff(read.times) == 2 * SECOND).all()
    assert not read.fresh.any()
    assert pregao("data", "check", tmp_path / "live")[0] == 0


def test_binance_is_collected_without_a_trade_lost_or_doubled(tmp_path: Path) -> None:
    path = tmp_path / "collect.yaml"
    store = TickStore(tmp_path / "live")
    with exchange(tmp_path / "binance.yaml", binance={"port": 0, "speed": 60.0}) as url:
        venue = {"rest": url, "stream": url.replace("http", "ws")}
        kinds = ["trades", "ticks", "book", "bars-1m"]
        wanted = {"venue": venue, "symbols": ["BTCUSDT"], "kinds": kinds}
        settings = {"store": store.root, "flush_seconds": 0.2, "binance": wanted}
        path.write_text(yaml.safe_dump(settings))
        said = collect_twice(path, store, "BTCUSDT", "bars-1m", 2)
        get = ("data", "download", "binance", "--kind", "trades,bars-1m", "--config", path)
        when = ("--from", "2026-03-31T22:00", "--to", "2026-03-31T22:30")
        assert pregao(*get, *when, "--store", tmp_path / "past")[0] == 0
    assert re.search(r"BTCUSDT +bars-1m +[\d,]+", said)
    assert store.kinds("BTCUSDT") == ("bars-1m", "book", "ticks", "trades")
    read = store.read("BTCUSDT", "trades")
    assert len(read) >= 200
    assert (np.diff(read.columns["id"]) == 1).all()
    # Of quotes and book nobody has a past: what came between the two runs is told as lost.
    assert len(store.holes("BTCUSDT", "book")) >= 1
    assert store.quarantine("BTCUSDT") == ()
    past = TickStore(tmp_path / "past").stats("BTCUSDT")
    assert (past["bars-1m"].rows, past["trades"].holes) == (31, 0)


def zipped(day: str, rows: int) -> bytes:
    """A day of minute bars as the archive has it."""
    opens = np.datetime64(day, "us").astype(np.int64) + np.arange(rows) * 60_000_000
    lines = [f"{t},1.0,2.0,0.5,1.5,3.0,{t + 59_999_999},4.5,7,1.0,1.5,0\n" for t in opens]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"BTCUSDT-1m-{day}.csv", "".join(lines))
    return packed.getvalue()


def test_the_archive_is_fetched_once(tmp_path: Path) -> None:
    folder = tmp_path / "site" / "data" / "spot" / "daily" / "klines" / "BTCUSDT" / "1m"
    folder.mkdir(parents=True)
    for day, rows in (("2025-02-03", 1440), ("2025-02-04", 1000)):
        name = f"BTCUSDT-1m-{day}.zip"
        (folder / name).write_bytes(zipped(day, rows))
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (folder / f"{name}.CHECKSUM").write_text(f"{digest}  {name}\n")
    asked: list[str] = []

    class Site(SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(tmp_path / "site"))

        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        path = tmp_path / "collect.yaml"
        archive = {"base": f"http://127.0.0.1:{server.server_port}", "attempts": 1}
        wanted = {"symbols": ["BTCUSDT"], "archive": archive,
                  "archive_folder": str(tmp_path / "archive")}  # fmt: skip
        path.write_text(yaml.safe_dump({"store": str(tmp_path / "live"), "binance": wanted}))
        get = ("data", "download", "binance", "--archive", "--kind", "bars-1m", "--config", path)
        when = ("--from", "2025-02-03", "--to", "2025-02-05")
        code, said = pregao(*get, *when)
        assert code == 0, said
        assert "0 of 3 files are stored already" in said
        assert "missing data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2025-02-05.zip" in said
        assert "2,440 new rows" in said
        asked.clear()
        shutil.rmtree(tmp_path / "archive")
        code, said = pregao(*get, *when)
        assert "1 of 3 files are stored already" in said
        assert " 0 new rows" in said
        assert not any("02-03" in one for one in asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    stats = TickStore(tmp_path / "live").stats("BTCUSDT")["bars-1m"]
    assert (stats.rows, stats.holes, stats.columns["trades"].mean) == (2440, 0, 7.0)
    # The same files by hand.
    code, said = pregao(
        "data", "import", folder / "BTCUSDT-1m-2025-02-03.zip", "--store", tmp_path / "b"
    )
    assert (code, "BTCUSDT bars-1m 1,440 1,440 0 0 0" in said) == (0, True)


def test_what_may_not_be_kept_is_deleted(config: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["deriv"] |= {"kinds": ["ticks"], "retention_days": 0.5}
    config.write_text(yaml.safe_dump(settings))
    store = TickStore(tmp_path / "live")
    # The exchange's clock begins with April.
    old = np.datetime64("2026-03-28", "ns").astype(np.int64) + np.arange(2000) * 120 * SECOND
    store.append(Series.ticks("R_75", old, 5.0 + np.zeros(2000)))
    assert store.stats("R_75")["ticks"].days == 3
    assert pregao("data", "collect", "--config", config, "--seconds", "1.5")[0] == 0
    read = store.read("R_75")
    assert len(read) > 10
    assert read.times[-1] - read.times[0] <= (43_200 + 3_600) * SECOND


def test_a_stream_that_fails_is_told_and_the_others_go_on(config: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["deriv"] |= {"symbols": ["R_75", "NOPE"], "kinds": ["ticks"]}
    config.write_text(yaml.safe_dump(settings))
    code, said = pregao("data", "collect", "--config", config, "--seconds", "1.5")
    assert code == 1
    assert "failed NOPE ticks:" in said
    assert TickStore(tmp_path / "live").symbols() == ("R_75",)


def test_download_resumes_and_gaps_are_filled(config: Path, tmp_path: Path) -> None:
    # The exchange's time begins at a fixed moment, with two days of past.
    get = ("data", "download", "deriv", "R_75", "--kind", "ticks,bars-1m", "--config", config)
    when = ("--from", "2026-03-30T23:00", "--to", "2026-03-31T01:00")
    code, said = pregao(*get, *when)
    assert code == 0, said
    assert "R_75 ticks: 3,601 new rows, 0 of 2 pieces were there" in said
    assert "R_75 bars-1m: 121 new rows, 0 of 2 pieces were there" in said
    code, said = pregao(*get, *when)
    assert "R_75 ticks: 0 new rows, 2 of 2 pieces were there" in said
    assert "nothing" not in said
    # What the venue has not is told: its past begins two days before.
    early = ("--from", "2026-03-28", "--to", "2026-03-30T00:10", "--store", tmp_path / "early")
    code, said = pregao(*get, *early)
    assert code == 0, said
    assert said.count("nothing from 2026-03-28 00:00:00 to 2026-03-30 00:0") == 2
    whole = TickStore(tmp_path / "live").read("R_75", "ticks")
    cut = TickStore(tmp_path / "cut")
    cut.append(whole.slice(0, 1000))
    cut.append(whole.slice(1500, 2000))
    cut.append(whole.slice(2500, len(whole)))
    code, said = pregao("data", "gaps", "--config", config, "--store", tmp_path / "cut")
    assert (code, "2 holes" in said) == (1, True)
    code, said = pregao("data", "gaps", "--fill", "--config", config, "--store", tmp_path / "cut")
    assert code == 0, said
    assert "R_75 ticks: 1,000 rows fetched, 2 of 2 holes filled" in said
    filled = cut.read("R_75", "ticks")
    assert np.array_equal(filled.times, whole.times)
    assert np.array_equal(filled.columns["price"], whole.columns["price"])
    assert not filled.fresh.any()
