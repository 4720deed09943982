"""``pregao features build``: from recordings to matrices, here and in Ray tasks."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from actors.building import in_tasks
from features.building import build_matrix
from features.decisions import Recipe
from features.labels import LabelConfig
from features.matrix import Matrix
from features.sources import Choice, Day, Stored
from market.errors import DataError
from market.events import SECOND
from market.store import TickStore
from tests.data_commands import pregao
from tests.datasets import BESIDE, FEATURES, book_of, recipe, ticks_of, trades_of

START = 1_728_000_000 * SECOND
COLUMNS = [part for name in FEATURES.columns for part in ("--columns", name)]


def recordings(folder: Path) -> Path:
    """Make a folder of two recordings."""
    folder.mkdir()
    for symbol in ("R_10", "R_25"):
        ticks = ticks_of(START, 400, 600 * SECOND, symbol=symbol)
        rows = zip(ticks.times.tolist(), ticks.columns["price"].tolist(), strict=True)
        lines = ["time,price", *(f"{time // SECOND},{price}" for time, price in rows)]
        (folder / f"{symbol}_ticks.csv").write_text("\n".join(lines) + "\n")
    return folder


def matrices(folder: Path) -> dict[str, str]:
    """Return the digest of each matrix."""
    found = [Matrix(card.parent) for card in folder.glob("*/*/meta.json")]
    return {f"{one.card.symbol} {one.card.key}": one.card.digest for one in found}


def test_files_are_built_once(tmp_path: Path) -> None:
    data, out = recordings(tmp_path / "data"), tmp_path / "out"
    asked = ("features", "build", "--data", data, "--out", out, *COLUMNS)
    code, said = pregao(*asked)
    assert code == 0, said
    assert "R_10 " in said
    assert "R_25 " in said
    assert "78 decisions, 4 columns" in said
    assert "of 400 events with 0 gaps, 2024-10-04 01:30:00 to 2024-10-06 17:40:00" in said
    assert "1 of 79 decisions left out; most often unknown: channel_place_8 (1.3%)" in said
    first = matrices(out)
    assert len(first) == 2
    code, said = pregao(*asked)
    assert (code, said.count("cached")) == (0, 2)
    # A changed row makes another matrix, of its own symbol alone; so does another question.
    path = data / "R_25_ticks.csv"
    path.write_text(path.read_text().replace("\n1728000600,", "\n1728000600,1"))
    code, said = pregao(*asked)
    assert (code, said.count("cached")) == (0, 1)
    code, said = pregao(*asked, "--symbol", "R_10", "--every", 1, "--from", "2024-10-05")
    assert (code, said.count("cached")) == (0, 0)
    assert "of 256 events" in said
    assert len(matrices(out)) == 4


def test_rows_left_out_for_being_bad_are_told(tmp_path: Path) -> None:
    data = recordings(tmp_path / "data")
    path = data / "R_25_ticks.csv"
    path.write_text(path.read_text().replace("\n1728000600,", "\n1728000600,-"))
    code, said = pregao("features", "build", "--data", data, "--out", tmp_path / "out", *COLUMNS)
    assert code == 0, said
    assert f"1 bad rows of {path} left out; `pregao data check` lists them" in said
    assert "R_10_ticks.csv" not in said


def test_a_config_says_what_is_made_of_whom(tmp_path: Path) -> None:
    data, out = recordings(tmp_path / "data"), tmp_path / "out"
    config = tmp_path / "floor.yaml"
    config.write_text(
        "symbols:\n  - {symbol: R_25, interval: 600.0, every: 3, costs: {slippage: 1.0e-3}}\n"
        f"features:\n  columns: [{', '.join(FEATURES.columns)}]\n"
        "labels: {kind: barrier, horizon: 7}\n"
    )
    code, said = pregao("features", "build", config, "--data", data, "--out", out)
    assert code == 0, said
    (card,) = (Matrix(path.parent).card for path in out.glob("*/*/meta.json"))
    assert (card.symbol, card.every, card.horizon) == ("R_25", 3, 7)
    assert card.names == FEATURES.columns
    assert card.recipe["costs"]["slippage"] == 1e-3
    code, said = pregao(
        "features", "build", config, "--data", data, "--out", out, "--columns", "rsi_fourteen"
    )
    assert code == 1
    assert "columns: no column 'rsi_fourteen'; did you mean" in said
    config.write_text("symbols: [{symbol: R_75, interval: 600.0}]")
    code, said = pregao("features", "build", config, "--data", data, "--out", out)
    assert code == 1
    assert "has R_10, R_25, of which none is in the config" in said


def test_a_store_with_a_book_needs_its_step(tmp_path: Path) -> None:
    store, out = tmp_path / "store", tmp_path / "out"
    for one in (ticks_of(START, 150, 8 * SECOND), trades_of(START, 300, 4 * SECOND),
                book_of(START, 200, 6 * SECOND)):  # fmt: skip
        TickStore(store).append(one, live=True)
    asked = ("features", "build", "--data", store, "--out", out, "--columns", "imbalance_5")
    code, said = pregao(*asked)
    assert code == 1
    assert "need the price step of X" in said
    config = tmp_path / "floor.yaml"
    config.write_text("symbols: [{symbol: X, interval: 8.0, every: 1, tick: 0.1}]")
    code, said = pregao(*asked[:2], config, *asked[2:])
    assert code == 0, said
    assert "149 decisions, 1 columns" in said
    # A store's place may be told as a filesystem's URI; it is the same store.
    code, said = pregao(*asked[:2], config, "--data", store.as_uri(), *asked[4:])
    assert code == 0, said
    assert "X cached: 149 decisions" in said


class Fatal(Stored):
    """A store whose reader is killed, once."""

    mark: str

    def day(self, day: int) -> Day:
        """Return a day, at the second attempt."""
        if not os.path.exists(self.mark):
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().day(day)


def test_tasks_write_the_same_bytes(tmp_path: Path, ray_cluster: Any) -> None:
    """Of ticks, and of trades, book and peer; a killed worker changes nothing."""
    store = TickStore(tmp_path / "store")
    for series in (ticks_of(START, 2500, 480 * SECOND, gaps=(180, 700)),
                   trades_of(START, 3000, 400 * SECOND), book_of(START, 2000, 600 * SECOND),
                   ticks_of(START, 2500, 480 * SECOND, symbol="P", seed=4)):  # fmt: skip
        store.append(series, live=True)
    beside = Recipe(features=BESIDE, labels=LabelConfig(horizon=200), every=2)
    for made in (recipe("barrier", horizon=400), beside):
        choice = Choice(tick="0.1")
        source = Stored(store.root, "X", made.features, choice)
        here = build_matrix(source, made, tmp_path / "here").matrix
        there = build_matrix(source, made, tmp_path / "tasks", in_tasks).matrix
        fatal = Fatal(store.root, "X", made.features, choice)
        fatal.mark = str(tmp_path / made.labels.kind)
        killed = build_matrix(fatal, made, tmp_path / "killed", in_tasks).matrix
        assert os.path.exists(fatal.mark)
        assert here.card.decisions > 500
        for other in (there, killed):
            other.verify()
            assert other.card.digest == here.card.digest
            for file in here.folder.glob("*.npy"):
                assert file.read_bytes() == (other.folder / file.name).read_bytes(), file.name


def test_what_goes_wrong_in_a_task_is_told(tmp_path: Path, ray_cluster: Any) -> None:
    store = TickStore(tmp_path / "store")
    store.append(ticks_of(START, 400, 600 * SECOND), live=True)
    made = recipe("direction")
    (file,) = (tmp_path / "store").glob("X/ticks/2024-10-05.parquet")
    source = Stored(store.root, "X", made.features)
    counts = source.counts()
    file.write_bytes(b"torn")
    source.counts = lambda: counts  # type: ignore[method-assign]
    with pytest.raises(DataError, match=r"2024-10-05\.parquet can't be read"):
        build_matrix(source, made, tmp_path / "out", in_tasks)
    assert [path.name for path in (tmp_path / "out" / "X").iterdir()] == [".lock"]
