"""``pregao data`` on files and stores: real ones, dirty ones, damaged ones."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from market.events import SECOND
from market.series import BadRow, Series
from market.store import TickStore
from tests.data_commands import pregao

ROOT = Path(__file__).resolve().parents[1]
T0 = 1_775_217_600


def deriv_csv(folder: Path, skip: range = range(0), bad: str = "") -> Path:
    rows = [f"x,{T0 + 2 * k},R_75,{100 + k % 9}" for k in range(600) if k not in skip]
    path = folder / "R_75_20260403.csv"
    path.write_text("\n".join(["timestamp,unix_time,instrument,price", *rows, bad]).strip() + "\n")
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
    code, said = pregao("data", "export", "R_75", out, "--store", store)
    assert (code, "out is no folder; make it" in said, out.parent.exists()) == (1, True, False)
    out.parent.mkdir()
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
    assert out.read_text().startswith('"open_time",')
    code, said = pregao("data", "export", "R_75", out, "--bars", "500t", "--store", store)
    assert (code, said.startswith("1 rows of R_75, 500t bars of ticks, in")) == (0, True)
    # Such bars are known by their close alone.
    header, row = out.read_text().splitlines()
    assert header.startswith('"close_time",')
    assert row.startswith("2026-04-03 12:16:38.000000000Z,")
    code, said = pregao("data", "import", out, "--store", tmp_path / "again")
    assert (code, "`close_time` have no length, and can't be read back" in said) == (1, True)
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
    assert "event of R_75 at 2026-04-03 12:00:04 UTC is price 55.0, now price 102.0" in said
    assert "--keep-first" in said
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


def test_a_store_is_no_recording(tmp_path: Path) -> None:
    store = TickStore(tmp_path / "store")
    store.append(Series.bars("X", np.arange(60, 360, 60) * SECOND, 60 * SECOND, np.ones((5, 5))))
    other = tmp_path / "other"
    status, said = pregao("data", "import", tmp_path / "store", "--store", other)
    assert (status, "is a tick store" in said) == (1, True)
    # Nor is a file of it: it is named by its day, and its bars are timed by their close.
    [file] = (tmp_path / "store" / "X").rglob("*.parquet")
    status, said = pregao("data", "import", file, "--store", other)
    assert (status, "is a tick store's own" in said) == (1, True)
    assert not TickStore(other).symbols()


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


def test_recorded_frames_are_imported(tmp_path: Path) -> None:
    at = 1_723_161_255_000
    frames = [
        '{"stream":"x@bookTicker","data":{"u":1,"s":"X","b":"9.0","B":"1","a":"10.0","A":"1"}}',
        '{"stream":"x@trade","data":{"e":"trade","E":1723161255001,"s":"X","t":7,"p":"10.0",'
        '"q":"2.0","T":1723161255000,"m":false,"M":true}}',
        '{"lastUpdateId":5,"bids":[["9.0","1.0"]],"asks":[["10.0","1.0"]]}',
        "no frame",
        '{"stream":"x@depth@100ms","data":{"e":"depthUpdate","E":1723161255002,"s":"X","U":6,'
        '"u":6,"b":[["9.0","0.0"]],"a":[]}}',
        '{"stream":"x@bookTicker","data":{"u":1,"s":"X","b":"8.0","B":"1","a":"10.0","A":"1"}}',
    ]
    path = tmp_path / "x.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(f"{at + k} {frame}\n" for k, frame in enumerate(frames))
    code, said = pregao("data", "import", path, "--store", tmp_path / "s", "--tolerate", "1")
    assert code == 0, said
    assert "kept aside x.gz:4: frame" in said
    store = TickStore(tmp_path / "s")
    assert store.kinds("X") == ("book", "ticks", "trades")
    milli = at * 1_000_000
    assert store.read("X", "ticks").times.tolist() == [milli, milli + 2_000_000]
    book = list(store.read("X", "book").events())
    assert [(one.time, one.snapshot) for one in book] == [(milli, True), (milli + 2_000_000, False)]
    path.write_bytes(path.read_bytes()[:40])
    code, said = pregao("data", "check", path)
    assert (code, "can't be read" in said) == (1, True)


def test_real_frames_are_imported_and_listed(data_folder: Path, tmp_path: Path) -> None:
    path = data_folder / "binance_l2_raw" / "spot_ethusdt_20240808.gz"
    code, said = pregao("data", "import", path, "--store", tmp_path)
    assert code == 0, said
    assert "ETHUSDT trades 6,106 6,106 0 0 0" in said
    assert "ETHUSDT book 108,802 108,802 0" in said
    code, said = pregao("data", "ls", "--store", tmp_path)
    assert "ticks 24,077 2 2024-08-08 2024-08-09" in said


def test_a_file_that_contradicts_the_store_late_is_not_taken_in_part(tmp_path: Path) -> None:
    at = 1_723_161_255_000
    frames = [
        '{"stream":"x@trade","data":{"e":"trade","E":1723161255001,"s":"X","t":7,"p":"10.0",'
        '"q":"2.0","T":1723161255000,"m":false,"M":true}}',
        '{"stream":"x@bookTicker","data":{"u":1,"s":"X","b":"9.0","B":"1","a":"10.0","A":"1"}}',
    ]
    path = tmp_path / "x.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(f"{at} {frame}\n" for frame in frames)
    for kind in ("ticks", "trades"):
        store = TickStore(tmp_path / kind)
        # The file tells trades and quotes; one of them is stored otherwise.
        if kind == "ticks":
            store.append(Series.ticks("X", [at * 1_000_000], [5.0], [4.0], [6.0]))
        else:
            store.append(Series.trades("X", [at * 1_000_000], [7], [5.0], [1.0], [1]))
        code, said = pregao("data", "import", path, "--store", tmp_path / kind)
        assert (code, store.kinds("X")) == (1, (kind,)), said
        assert "at 2024-08-08 23:54:15 UTC is" in said
        assert pregao("data", "import", path, "--store", tmp_path / kind, "--keep-first")[0] == 0
        assert store.kinds("X") == ("ticks", "trades")
    # Nor is the day before the one that contradicts.
    days = TickStore(tmp_path / "days")
    days.append(Series.ticks("R_75", [T0 * SECOND], [55.0]))
    rows = [f"{T0 + 3600 * k},R_75,100" for k in range(-24, 24)]
    early = tmp_path / "R_75.csv"
    early.write_text("\n".join(["unix_time,instrument,price", *rows]))
    assert pregao("data", "import", early, "--store", tmp_path / "days")[0] == 1
    assert len(days.read("R_75")) == 1


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
    assert ":4: deriv.kinds: a kind must be ticks, bars (as bars-1m), was 'book'" in said
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
