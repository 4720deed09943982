"""Datasets of any size: however a recording is cut, the matrix is that of the whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import building
from features.building import build_matrix, pieces, work
from features.config import FeatureConfig
from features.dataset import Dataset, build
from features.decisions import ARRAYS, Carry, Recipe
from features.labels import LabelConfig
from features.sourcecode import code_of
from features.sources import Choice, Day, Files, Stored
from market.beside import Beside
from market.dayfiles import DAY
from market.errors import ConfigError, DataError, StateError, UnknownSymbol
from market.events import SECOND
from market.execution import Costs
from market.series import Series
from market.store import TickStore
from market.tape import Tape
from tests.datasets import BESIDE, bars_of, book_of, recipe, ticks_of, trades_of

START = 20_000 * DAY


def same(found: Dataset, wanted: Dataset) -> None:
    """Assert that two datasets are equal in every byte."""
    assert (found.names, found.schema, found.every) == (wanted.names, wanted.schema, wanted.every)
    for name in ARRAYS:
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert ours.dtype == theirs.dtype == np.dtype(ARRAYS[name]), name
        assert ours.tobytes() == theirs.tobytes(), name


def stored(folder: Path, *series: Series) -> Path:
    """Put series into a store."""
    for one in series:
        TickStore(folder).append(one, live=True)
    return folder


@pytest.mark.parametrize("kind", ["direction", "barrier", "highlow"])
def test_a_store_of_many_days_gives_what_memory_does(tmp_path: Path, kind: str) -> None:
    """Holes lie in the middle of days, at their first event, and in neighbouring events."""
    ticks = ticks_of(START, 900, SECOND * 900, gaps=(96, 97, 300, 420), seed=3)
    made = recipe(kind)
    root = stored(tmp_path / "store", ticks)
    built = build_matrix(Stored(root, "X", made.features), made, tmp_path / "m")
    assert not built.cached
    wanted = build(ticks.tape(), made.features, made.labels, made.every, made.costs)
    same(built.matrix.dataset(), wanted)
    assert wanted.fresh.sum() == 4, "one gap's events are too few to warm up"
    assert len(np.unique(wanted.times // DAY)) > 5
    assert (np.diff(wanted.label_end // 96) > 0).any()


def test_a_days_end_is_no_end(tmp_path: Path) -> None:
    """A day's last decisions are filled and settled on the days behind it, empty ones skipped."""
    one = ticks_of(START, 40, SECOND)
    other = ticks_of(START + 3 * DAY, 40, SECOND, seed=9)
    whole = Series.joined((one, other))
    made = recipe("direction", horizon=11, every=1)
    root = stored(tmp_path / "store", whole)
    matrix = build_matrix(Stored(root, "X", made.features), made, tmp_path / "m").matrix
    data = matrix.dataset()
    same(data, build(whole.tape(), made.features, made.labels, 1, made.costs))
    last = np.flatnonzero(data.rows == 39)[0]
    assert data.fill[last] == whole.columns["price"][40]
    assert data.label_end[last] == 39 + 11


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 299), max_size=5, unique=True),
    gaps=st.lists(st.integers(0, 299), max_size=5, unique=True),
    longest=st.integers(1, 120),
    every=st.integers(1, 7),
    horizon=st.integers(1, 40),
    kind=st.sampled_from(["direction", "barrier"]),
    bars=st.booleans(),
)
def test_any_cut_gives_the_same(
    cuts: list[int],
    gaps: list[int],
    longest: int,
    every: int,
    horizon: int,
    kind: str,
    bars: bool,
) -> None:
    made = recipe(kind, horizon=horizon, every=every)
    series = (bars_of if bars else ticks_of)(START, 300, 60 * SECOND, gaps=tuple(gaps), seed=1)
    tape = series.tape()
    edges = [0, *sorted(cuts), 300]
    parts = [tape.slice(a, b) for a, b in pairwise(edges)]
    assembled = _assembled(made, [Day(part, Beside()) for part in parts], longest)
    try:
        wanted = build(tape, made.features, made.labels, every, made.costs)
    except DataError:
        assert not len(assembled["rows"])
        return
    for name in ARRAYS:
        assert assembled[name].tobytes() == getattr(wanted, name).tobytes(), name


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 1199), max_size=4, unique=True),
    longest=st.integers(1, 150),
    seed=st.integers(0, 5),
)
def test_what_is_beside_the_tape_is_cut_with_it(cuts: list[int], longest: int, seed: int) -> None:
    """Trades, book and peer, whose times meet those of the ticks and of the cuts."""
    made = Recipe(features=BESIDE, labels=LabelConfig(horizon=5), every=2)
    ticks = ticks_of(START, 150, 8 * SECOND, gaps=(70,), seed=seed)
    trades = trades_of(START, 300, 4 * SECOND, gaps=(120,), seed=seed)
    book = book_of(START, 200, 6 * SECOND, gaps=(90,), seed=seed)
    peer = ticks_of(START, 240, 5 * SECOND, gaps=(5,), seed=seed + 9, symbol="P").tape()
    whole = Beside(trades, book, "0.1", peer)
    wanted = build(ticks.tape(), made.features, made.labels, made.every, beside=whole)
    edges = [START, *(START + cut * SECOND for cut in sorted(cuts)), START + 1500 * SECOND]
    days = []
    for low, high in pairwise(edges):
        tape, their = (_between(one, low, high).tape() for one in (ticks, Series.of_tape(peer, 0)))
        beside = Beside(_between(trades, low, high), _between(book, low, high), "0.1", their)
        days.append(Day(tape, beside))
    assembled = _assembled(made, days, longest)
    for name in ARRAYS:
        assert assembled[name].tobytes() == getattr(wanted, name).tobytes(), name


def _between(series: Series, low: int, high: int) -> Series:
    first, stop = np.searchsorted(series.times, (low, high)).tolist()
    return series.slice(first, stop)


def _assembled(made: Recipe, days: list[Day], longest: int) -> dict[str, np.ndarray]:
    """Make the decisions of days one piece at a time and join them."""
    carry, arrays = Carry.of(made), []
    counts = {number: len(day.tape) for number, day in enumerate(days)}
    for piece in pieces(counts, made.labels.horizon, longest):
        decisions, carry = work(made, piece, carry, *(days[day] for day in piece.days))
        arrays.append(decisions.arrays)
    return {name: np.concatenate([one[name] for one in arrays]) for name in ARRAYS}


def test_columns_of_trades_book_and_peer_from_a_store(tmp_path: Path) -> None:
    """A day without a tick, or without a trade, is a day all the same."""
    made = Recipe(features=BESIDE, labels=LabelConfig(horizon=5), every=2)
    whole = [
        Series.joined((make(START, n, step * SECOND), make(START + days * DAY, n, step * SECOND)))
        for make, n, step, days in (
            (ticks_of, 150, 8, 4), (trades_of, 300, 4, 2), (book_of, 200, 6, 1),
        )
    ]  # fmt: skip
    ticks, trades, book = whole
    peer = ticks_of(START, 500, 600 * SECOND, seed=4, symbol="P")
    root = stored(tmp_path / "store", *whole, peer)
    source = Stored(root, "X", made.features, Choice(tick="0.1"))
    matrix = build_matrix(source, made, tmp_path / "m").matrix
    beside = Beside(trades, book, "0.1", peer.tape())
    tape = ticks.tape()
    same(matrix.dataset(), build(tape, made.features, made.labels, made.every, beside=beside))

    held = {"X.one": whole, "P.one": [peer]}
    for name in held:
        (tmp_path / name).write_bytes(b"1")
    paths = [tmp_path / name for name in held]
    files = Files(paths, lambda path: held[path.name], "X", made.features, Choice(tick="0.1"))
    same(build_matrix(files, made, tmp_path / "f").matrix.dataset(), matrix.dataset())


def test_what_is_there_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recipe("direction")
    ticks = ticks_of(START, 400, 600 * SECOND)
    root = stored(tmp_path / "store", ticks.slice(0, 300))
    first = build_matrix(Stored(root, "X", made.features), made, tmp_path / "m")
    with monkeypatch.context() as patch:
        patch.setattr(Stored, "day", None)
        again = build_matrix(Stored(root, "X", made.features), made, tmp_path / "m")
    assert again.cached
    assert again.matrix.card == first.matrix.card

    def key() -> str:
        return building.key_of(made, Stored(root, "X", made.features).stamp())

    keys = {key()}
    stored(root, ticks.slice(300, 301))
    keys.add(key())
    for change in (
        {"every": 3}, {"labels": LabelConfig(horizon=9)}, {"costs": Costs(commission=1e-5)},
        {"features": made.features.model_copy(update={"volatility": 65.0})},
    ):  # fmt: skip
        changed = made.model_copy(update=change)
        keys.add(building.key_of(changed, Stored(root, "X", changed.features).stamp()))
    keys.add(
        building.key_of(made, Stored(root, "X", made.features, Choice(last=START // DAY)).stamp())
    )
    copy = tmp_path / "features"
    copy.mkdir()
    (copy / "one.py").write_text("1")
    monkeypatch.setattr(building.features, "__path__", [str(copy)])
    assert key() in keys, "what runs is what was imported, whatever became of its files"
    for text in ("1", "2"):
        (copy / "one.py").write_text(text)
        monkeypatch.setattr(building, "_CODE", code_of(building.features))
        keys.add(key())
    assert len(keys) == 9


def test_two_builders_of_one_dataset_wait_for_each_other(tmp_path: Path) -> None:
    made = recipe("direction")
    root = stored(tmp_path / "store", ticks_of(START, 600, 600 * SECOND))
    begun = Barrier(2)

    def one(_: int) -> bool:
        source = Stored(root, "X", made.features)
        begun.wait()
        return build_matrix(source, made, tmp_path / "m").cached

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == [False, True]


def test_a_crash_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    made = recipe("direction")
    root = stored(tmp_path / "store", ticks_of(START, 600, 600 * SECOND))
    source, out = Stored(root, "X", made.features), tmp_path / "m"

    def torn(*arguments: object) -> object:
        for number, part in enumerate(building.in_turn(*arguments)):  # type: ignore[arg-type]
            if number == 2:
                raise KeyboardInterrupt
            yield part

    with pytest.raises(KeyboardInterrupt):
        build_matrix(source, made, out, torn)  # type: ignore[arg-type]
    assert [path.name for path in (out / "X").iterdir()] == [".lock"]

    # A killed process cleans nothing up: what it left is no matrix, and is in nobody's way.
    key = building.key_of(made, source.stamp())
    draft = out / "X" / f".{key}.tmp"
    draft.mkdir()
    (draft / "X.npy").write_bytes(b"half")
    built = build_matrix(source, made, out)
    assert not built.cached
    built.matrix.verify()
    assert not draft.exists()


def test_what_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    made = recipe("direction")
    ticks = ticks_of(START, 600, 600 * SECOND)
    root = stored(tmp_path / "store", ticks.slice(0, 500))

    def meanwhile(*arguments: object) -> object:
        yield from building.in_turn(*arguments)  # type: ignore[arg-type]
        stored(root, ticks.slice(500, 600))

    with pytest.raises(DataError, match="changed while it was read; build again"):
        build_matrix(Stored(root, "X", made.features), made, tmp_path / "m", meanwhile)  # type: ignore[arg-type]
    over = Stored(root, "X", made.features, Choice(last=START // DAY + 1))
    assert build_matrix(over, made, tmp_path / "m").matrix.card.events == 288


def test_a_file_that_changed_is_read_again_and_so_is_one_that_is_read_otherwise(
    tmp_path: Path,
) -> None:
    made, path = recipe("direction"), tmp_path / "X.one"
    held = {b"1": ticks_of(START, 300, SECOND), b"2": ticks_of(START, 300, SECOND, seed=7)}

    def source(code: str) -> Files:
        return Files([path], lambda one: [held[one.read_bytes()]], "X", made.features, code=code)

    same_one, out = source("old"), tmp_path / "m"
    for content, series in held.items():
        path.write_bytes(content)
        data = build_matrix(same_one, made, out).matrix.dataset()
        same(data, build(series.tape(), made.features, made.labels, made.every, made.costs))
    assert build_matrix(source("old"), made, out).cached
    assert not build_matrix(source("new"), made, out).cached


@pytest.mark.parametrize("symbol", ["../X", "X/Y", "..", "", ".lock"])
def test_a_symbol_that_is_no_folder_is_refused(tmp_path: Path, symbol: str) -> None:
    made, path = recipe("direction"), tmp_path / "one"
    path.write_bytes(b"1")
    ticks = ticks_of(START, 300, SECOND, symbol=symbol)
    source = Files([path], lambda one: [ticks], symbol, made.features)
    with pytest.raises(DataError, match=r"symbol must be letters, digits, _, - or ., was '"):
        build_matrix(source, made, tmp_path / "m")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    made = recipe("direction")
    root = stored(tmp_path / "store", ticks_of(START, 300, 600 * SECOND))
    source = Stored(root, "X", made.features)
    file = sorted(root.glob("X/ticks/*.parquet"))[0]
    file.with_name(f"{file.stem}.000009.parquet").mkdir()
    with pytest.raises(DataError, match=r"can't be read \(.*; check the path"):
        build_matrix(source, made, tmp_path / "m")


def test_garbage_is_told_with_a_remedy(tmp_path: Path) -> None:
    made = recipe("direction")
    root = stored(tmp_path / "store", ticks_of(START, 300, 600 * SECOND))
    source = Stored(root, "X", made.features)
    folder = tmp_path / "m" / "X" / building.key_of(made, source.stamp())
    folder.mkdir(parents=True)
    with pytest.raises(StateError, match=r"meta.json can't be read .*delete the folder and build"):
        build_matrix(source, made, tmp_path / "m")


def test_what_is_compiled_is_told_before_the_first_event(tmp_path: Path) -> None:
    made, told = recipe("direction"), list[tuple[str, int, int]]()
    root = stored(tmp_path / "store", ticks_of(START, 900, 60 * SECOND))
    build_matrix(
        Stored(root, "X", made.features),
        made,
        tmp_path / "m",
        report=lambda done, of: told.append(("events", done, of)),
        compiling=lambda done, of: told.append(("families", done, of)),
    )
    families = len({one.family for one in made.features.found})
    assert told[: families + 1] == [("families", i, families) for i in range(families + 1)]
    assert told[-1] == ("events", 900, 900)


def test_what_a_recording_lacks_is_told(tmp_path: Path) -> None:
    made = recipe("direction")
    root = stored(tmp_path / "store", ticks_of(START, 6, SECOND), bars_of(START, 20, 60 * SECOND))
    with pytest.raises(DataError, match="several kinds of X; say --kind bars-1m or ticks"):
        Stored(root, "X", made.features)
    with pytest.raises(UnknownSymbol, match="no ticks and no bars of 'Y'"):
        Stored(root, "Y", made.features)
    with pytest.raises(DataError, match="made of the trades of X"):
        Stored(root, "X", BESIDE, Choice("ticks", "0.1"))
    with pytest.raises(DataError, match="6 events with 0 gaps hold no decision on warm features"):
        build_matrix(Stored(root, "X", made.features, Choice("ticks")), made, tmp_path / "m")
    alone = made.model_copy(update={"features": FeatureConfig(columns=("obv_trend_2",))})
    with pytest.raises(DataError, match=r"6 events .* nothing is ever known of obv_trend_2"):
        build_matrix(Stored(root, "X", alone.features, Choice("ticks")), alone, tmp_path / "m")
    stored(root, trades_of(START, 20, SECOND), book_of(START, 20, SECOND))
    with pytest.raises(ConfigError, match=r"tick: .* price step of X"):
        Stored(root, "X", BESIDE, Choice("ticks"))
    nameless = BESIDE.model_copy(update={"peer": ""})
    with pytest.raises(ConfigError, match=r"features\.peer"):
        Stored(root, "X", nameless, Choice("ticks", "0.1"))
    assert isinstance(
        Stored(root, "X", FeatureConfig(), Choice("bars-1m")).day(START // DAY).tape, Tape
    )
