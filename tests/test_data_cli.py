"""``pregao data`` on real files, a real store and the bundled exchange."""

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
from typer.testing import CliRunner

from market.events import SECOND
from market.series import BadRow, Series
from market.store import TickStore
from pregao import app

ROOT = Path(__file__).resolve().parents[1]
T0 = 1_775_217_600


def pregao(*arguments: object) -> tuple[int, str]:
    """Run a command; return its exit code and all it says, without colours and line breaks."""
    given = [str(one) for one in arguments]
    result = CliRunner().invoke(app, given, env={"COLUMNS": "200"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(re.sub(r"\x1b\[[\d;]*m", "", result.output).split())


def deriv_csv(folder: Path, skip: range = range(0), bad: str = "") -> Path:
    rows = [f"x,{T0 + 2 * k},R_75,{100 + k % 9}" for k in range(600) if k not in skip]
    path = folder / "R_75_20260403.csv"
    path.write_text("\n".join(["timestamp,unix_time,instrument,price", *rows, bad]).strip() + "\n")
    return path


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


def test_import_ls_check_gaps_export(tmp_path: Path) -> None:
    store = tmp_path / "store"
    bad = f"x,{T0 + 1200},R_75,-1"
    path = deriv_csv(tmp_path, range(300, 310), bad)
    code, said = pregao("data", "import", path, "--store", store)
    assert code == 0
    assert "R_75 ticks 590 590 1 0 1" in said
    assert "kept aside R_75_20260403.csv:592: price must be positive" in said
    # Again: nothing is new.
    code, said = pregao("data", "import", tmp_path, "--store", store)
    assert "R_75 ticks 590 0 1 0 1" in said
    code, said = pregao("data", "ls", "--store", store)
    assert (code, "R_75 ticks 590 1 2026-04-03 2026-04-03 1 1" in said) == (0, True)
    code, said = pregao("data", "ls", "R_75", "--store", store)
    assert "ticks price 100 108 103.986" in said
    code, said = pregao("data", "check", store)
    assert code == 1
    assert "hole 2026-04-03 12:09:58 – 2026-04-03 12:10:20, 22 s" in said
    assert "price must be positive" in said
    code, said = pregao("data", "gaps", "--store", store)
    assert code == 1
    assert "2026-04-03 12:09:58 2026-04-03 12:10:20 22 s R_75_20260403.csv" in said
    out = tmp_path / "out" / "r75.csv"
    code, said = pregao(
        "data", "export", "R_75", out, "--store", store, "--to", "2026-04-03T12:00:04"
    )
    assert (code, said.startswith("3 rows of R_75, ticks, in")) == (0, True)
    assert out.read_text().splitlines()[1:] == [
        f'2026-04-03 12:00:0{2 * k}.000000000Z,{100 + k},,,"R_75",false' for k in range(3)
    ]
    again = tmp_path / "again"
    assert pregao("data", "import", out, "--store", again)[0] == 0
    assert np.array_equal(TickStore(again).read("R_75").times, (T0 + 2 * np.arange(3)) * SECOND)


def test_bars_are_made_of_what_is_exported(tmp_path: Path) -> None:
    store = tmp_path / "store"
    pregao("data", "import", deriv_csv(tmp_path), "--store", store)
    out = tmp_path / "bars.csv"
    code, said = pregao("data", "export", "R_75", out, "--bars", "1m", "--store", store)
    assert (code, said.startswith("19 rows of R_75, 1m bars of ticks, in")) == (0, True)
    first = out.read_text().splitlines()[1]
    assert first.startswith("2026-04-03 12:00:00.000000000Z,100,108,100,102,,,,")
    # And they can be brought back.
    assert pregao("data", "import", out, "--store", tmp_path / "again")[0] == 0
    assert TickStore(tmp_path / "again").kinds("R_75") == ("bars-1m",)
    code, said = pregao("data", "export", "R_75", out, "--bars", "500t", "--store", store)
    assert (code, said.startswith("1 rows of R_75, 500t bars of ticks, in")) == (0, True)
    code, said = pregao("data", "export", "R_75", out, "--bars", "volume:5", "--store", store)
    assert (code, said) == (1, "error R_75: volume bars need trades, a tick has no size")
    code, said = pregao("data", "export", "R_75", out, "--bars", "x", "--store", store)
    assert (code, said.startswith("error a bar must be like 1m")) == (1, True)


def test_contradictions_are_refused_or_kept_aside(tmp_path: Path) -> None:
    store = tmp_path / "store"
    TickStore(store).append(Series.ticks("R_75", [(T0 + 4) * SECOND], [55.0]))
    path = deriv_csv(tmp_path)
    code, said = pregao("data", "import", path, "--store", store)
    assert code == 1
    assert "refused" in said
    assert f"the event of R_75 at {(T0 + 4) * SECOND} is price 55.0, now price 102.0" in said
    assert len(TickStore(store).read("R_75")) == 1
    code, said = pregao("data", "import", path, "--store", store, "--keep-first")
    assert (code, "R_75 ticks 600 599 0 0 0 + 1" in said) == (0, True)
    [row] = TickStore(store).quarantine("R_75")
    assert (row.reason, row.row) == ("stored is price 55.0", "price 102.0")


def test_check_tells_empty_and_unknown_files_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    deriv_csv(folder)
    (folder / "nothing.feather").touch()
    (folder / "notes.md").write_text("x")
    (folder / "other.csv").write_text("a,b\n1,2\n")
    code, said = pregao("data", "check", folder)
    assert code == 1
    assert f"✓ {folder / 'R_75_20260403.csv'}" in said
    assert f"refused {folder / 'nothing.feather'} is empty" in said
    assert "notes.md: left out: .md is not read" in said
    assert re.search(r"✗ \S+other\.csv refused", said)
    assert said.endswith("3 looked at, 2 with something wrong")
    code, said = pregao("data", "check", folder / "R_75_20260403.csv")
    assert (code, said.endswith("1 looked at, nothing wrong")) == (0, True)
    assert pregao("data", "check", tmp_path / "no")[1].endswith(
        "is no file and no folder; check the path"
    )


def test_a_damaged_store_is_checked_to_its_end(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    ticks = Series.ticks("A", np.arange(1, 9) * SECOND, [1.0] * 4 + [5.0] * 4)
    store.append(ticks)
    store.append(Series("B", *(getattr(ticks, name) for name in list(vars(ticks))[1:])))
    store.set_aside("B", [BadRow("x:1", "no")])
    for name in ("ticks/1970-01-01", "quarantine/rows"):
        path = tmp_path / "B" / f"{name}.parquet"
        path.write_bytes(path.read_bytes()[:50])
    code, said = pregao("data", "check", tmp_path)
    assert code == 1
    assert "bad row 1970-01-01 00:00:05: price jumps from 1 to 5" in said
    assert re.search(r"refused \S+rows\.parquet can't be read", said)
    assert re.search(r"refused \S+1970-01-01\.parquet can't be read", said)
    assert said.endswith("3 looked at, 3 with something wrong")
    code, said = pregao("data", "ls", "--store", tmp_path)
    assert (code, said.startswith("error ")) == (1, True)


def test_the_dirty_recordings(data_folder: Path) -> None:
    code, said = pregao("data", "check", data_folder / "dirty", "--all")
    assert code == 1
    assert said.count(", 802 min") >= 140
    assert "BTCUSDT_1m_bad_prices.csv:5002–5201 (200 rows): price jumps from 284333" in said
    assert "(+562 %)" in said
    assert f"refused {data_folder / 'dirty' / 'empty.feather'} is empty" in said


def test_real_recordings_are_imported_and_listed(data_folder: Path, tmp_path: Path) -> None:
    folders = [data_folder / name for name in ("deriv_ticks", "wdo", "binance_futures_1m")]
    code, said = pregao("data", "import", *folders, "--store", tmp_path)
    assert code == 0, said
    for symbol, kinds in {
        "R_75": ("ticks",),
        "DOLK20": ("ticks", "trades"),
        "BTCUSDT": ("bars-1m",),
    }.items():
        assert TickStore(tmp_path).kinds(symbol) == kinds
    code, said = pregao("data", "ls", "--store", tmp_path)
    assert (code, "R_75 ticks 43,199 2 2026-04-03 2026-04-04 1 0" in said) == (0, True)


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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ls",), "holds nothing; `pregao data import`, `download` or `collect` first"),
        (("export", "X", "x.csv"), "nothing of 'X' is stored in"),
        (("gaps", "X"), "nothing of 'X' is stored in"),
    ],
)
def test_an_empty_store_says_what_to_do(
    arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    code, said = pregao("data", *arguments, "--store", tmp_path / "none")
    assert code == 1
    assert said.startswith("error ")
    assert told in said
    assert not (tmp_path / "none").exists()


def test_wrong_settings_are_told(tmp_path: Path) -> None:
    path = tmp_path / "collect.yaml"
    path.write_text("store: x\nderiv:\n  symbols: [R_75]\n  kinds: [book]\n")
    code, said = pregao("data", "collect", "--config", path)
    assert code == 1
    assert (
        ":4: deriv.kinds: value error, a kind must be ticks, bars (as bars-1m), was 'book'" in said
    )
    path.write_text("store: x\n")
    code, said = pregao("data", "collect", "--config", path)
    assert (code, "nothing is named to collect" in said) == (1, True)
    code, said = pregao("config", "check", ROOT / "configs" / "collect.yaml")
    assert (code, "10 symbols (R_10" in said) == (0, True)
    get = ("data", "download", "binance", "BTCUSDT", "--config", path)
    code, said = pregao(*get, "--kind", "ticks", "--from", "2026-01-02", "--to", "2026-01-02")
    assert code == 1
    assert "error binance spot keeps no history of ticks" in said
    code, said = pregao(*get, "--kind", "bars", "--from", "2026-01-02", "--to", "2026-01-02")
    assert "a kind must be trades, ticks, book, bars (as bars-1m), was 'bars'" in said
    code, said = pregao(*get, "--kind", "trades", "--from", "2026-01-02", "--to", "yesterday")
    assert "a time must be such as 2026-04-03" in said
