"""The engine on ticks and bars alone: batch, gaps, snapshots, what it refuses, what it shows.

What every column must stand is in test_columns.py; other streams are in test_features_merged.py.
"""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.batch import compute, compute_rows
from features.catalogue import find
from features.config import FeatureConfig
from features.engine import FeatureEngine
from features.layout import lay
from features.scale import LIMIT
from market.errors import ConfigError, DataError, SchemaMismatch
from market.events import Bar, BookUpdate, FeedGap, Tick, Trade
from market.tape import Tape

SMALL = FeatureConfig(
    columns=("momentum_1", "momentum_16", "channel_place_8", "trend_32", "direction_16", "rsi_14")
)


def walk(n: int, seed: int, gaps: tuple[int, ...] = (), bars: bool = False) -> Tape:
    rng = np.random.default_rng(seed)
    close = np.round(1000.0 * np.exp(np.cumsum(rng.standard_t(3, n) * 1e-4)), 3)
    times = 1_775_000_000_000_000_000 + np.cumsum(rng.integers(1, 5, n)) * 1_000_000_000
    fresh = np.zeros(n, np.bool_)
    fresh[list(gaps)] = True
    if not bars:
        tape = Tape.of_ticks("X", times, close)
        return Tape("X", False, tape.times, tape.values, fresh)
    open_ = np.roll(close, 1)
    high = np.maximum(open_, close) * 1.0003
    low = np.minimum(open_, close) * 0.9998
    values = np.column_stack([open_, high, low, close, rng.lognormal(1.0, 1.0, n)])
    return Tape("X", True, times, values, fresh)


def stream(config: FeatureConfig, tape: Tape) -> np.ndarray:
    engine = FeatureEngine(config)
    rows = []
    for event in tape.events():
        engine.update(event)
        if not isinstance(event, FeedGap):
            rows.append(engine.values.copy())
    return np.array(rows)


@pytest.mark.parametrize("bars", [False, True])
def test_streaming_equals_batch_bit_for_bit(bars: bool) -> None:
    tape = walk(4000, 3, gaps=(1500, 1510, 3000), bars=bars)
    config = FeatureConfig()
    assert stream(config, tape).tobytes() == compute(config, tape).tobytes()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    gaps=st.sets(st.integers(1, 119), max_size=4),
    cut=st.integers(0, 119),
    bars=st.booleans(),
)
def test_restart_anywhere_goes_on_bit_for_bit(
    seed: int, gaps: set[int], cut: int, bars: bool
) -> None:
    tape = walk(120, seed, tuple(sorted(gaps)), bars)
    engine = FeatureEngine(SMALL)
    for event in tape.slice(0, cut).events():
        engine.update(event)
    revived = FeatureEngine(SMALL)
    revived.restore(engine.snapshot())
    assert revived.values.tobytes() == engine.values.tobytes()
    assert revived.warm == engine.warm
    for event in tape.slice(cut, 120).events():
        engine.update(event)
        revived.update(event)
        assert revived.values.tobytes() == engine.values.tobytes()
        assert revived.snapshot() == engine.snapshot()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), now=st.integers(1, 299), factor=st.floats(0.2, 5.0))
def test_the_future_changes_nothing_before_it(seed: int, now: int, factor: float) -> None:
    tape = walk(300, seed)
    other = tape.values.copy()
    other[now:] *= factor
    changed = Tape("X", False, tape.times, other, tape.fresh)
    before, after = compute(SMALL, tape), compute(SMALL, changed)
    assert before[:now].tobytes() == after[:now].tobytes()


def test_after_a_gap_nothing_of_before_remains() -> None:
    tape = walk(1200, 7, gaps=(600,))
    whole = compute(FeatureConfig(), tape)
    alone = compute(FeatureConfig(), tape.slice(600, 1200))
    assert whole[600:].tobytes() == alone.tobytes()
    engine = FeatureEngine(FeatureConfig())
    for event in tape.slice(0, 600).events():
        engine.update(event)
    assert engine.warm
    engine.update(FeedGap("X", 2, 1))
    assert not engine.warm
    assert np.isnan(engine.values).all()
    assert np.isnan(engine.volatility)


@pytest.mark.parametrize("start", [0, 500])
def test_a_dead_price_gives_bounded_columns(start: int) -> None:
    tape = walk(20_000, 11)
    values = tape.values.copy()
    values[start:, :4] = values[start, 0]
    columns = compute(FeatureConfig(), Tape("X", False, tape.times, values, tape.fresh))
    warm = columns[FeatureConfig().warmup :]
    assert np.isfinite(warm).all()
    assert np.abs(warm).max() <= LIMIT


def test_two_engines_share_nothing_and_values_are_read_only() -> None:
    one, other = FeatureEngine(SMALL), FeatureEngine(SMALL)
    for event in walk(50, 1).events():
        one.update(event)
    assert one.warm
    assert not other.warm
    with pytest.raises(ValueError, match="read-only"):
        one.values[0] = 1.0


def test_chosen_rows_equal_all_rows() -> None:
    tape = walk(900, 13, gaps=(400,))
    rows = np.array([350, 399, 400, 705, 899])
    columns, volatility = compute_rows(SMALL, tape, rows)
    assert columns.tobytes() == compute(SMALL, tape)[rows].tobytes()
    assert np.isnan(volatility).tolist() == [False, False, True, False, False]
    assert compute_rows(SMALL, tape, rows[:0])[0].shape == (0, columns.shape[1])
    for wrong in (rows[::-1], np.array([5, 5]), np.array([-1, 5]), np.array([5, 900])):
        with pytest.raises(ValueError, match="rows must increase and be below 900"):
            compute_rows(SMALL, tape, wrong)


def test_volatility_of_engine_and_batch_agree() -> None:
    tape = walk(200, 17)
    engine = FeatureEngine(SMALL)
    for event in tape.events():
        engine.update(event)
    assert engine.volatility == compute_rows(SMALL, tape, np.array([199]))[1][0]


def test_schema_stands_for_columns_and_config() -> None:
    assert FeatureEngine(SMALL).schema == FeatureEngine(SMALL).schema
    assert FeatureEngine(SMALL).schema != FeatureEngine(FeatureConfig()).schema
    twin = SMALL.model_copy(update={"volatility": 13.0})
    assert FeatureEngine(twin).names == FeatureEngine(SMALL).names
    assert FeatureEngine(twin).schema != FeatureEngine(SMALL).schema
    turned = FeatureConfig(columns=SMALL.columns[::-1])
    assert FeatureEngine(turned).schema != FeatureEngine(SMALL).schema
    named = FeatureConfig(columns=(*SMALL.columns[:-1], "close_RSI_14"))
    assert FeatureEngine(named).schema == FeatureEngine(SMALL).schema


def test_foreign_snapshots_are_refused() -> None:
    engine = FeatureEngine(SMALL)
    with pytest.raises(SchemaMismatch, match="use the configuration it was taken with"):
        engine.restore(FeatureEngine(FeatureConfig()).snapshot())
    with pytest.raises(SchemaMismatch, match="start from history"):
        engine.restore(b"\x01nonsense")
    with pytest.raises(SchemaMismatch):
        engine.restore(engine.snapshot()[:-8])


def test_a_snapshot_with_one_wrong_bit_is_refused() -> None:
    engine = FeatureEngine(SMALL)
    for event in walk(50, 1).events():
        engine.update(event)
    before = engine.snapshot()
    last = len(before)
    for place in (*range(60), *range(60, last - 60, 97), *range(last - 60, last)):
        for bit in range(8):
            damaged = bytearray(before)
            damaged[place] ^= 1 << bit
            with pytest.raises(SchemaMismatch):
                engine.restore(bytes(damaged))
    assert engine.snapshot() == before


def test_copies_and_pickles_go_on_by_themselves(tmp_path: Path) -> None:
    engine = FeatureEngine(SMALL)
    tape = walk(120, 5)
    for event in tape.slice(0, 60).events():
        engine.update(event)
    (tmp_path / "engine").write_bytes(pickle.dumps(engine))
    twins = [copy.copy(engine), copy.deepcopy(engine), pickle.loads(pickle.dumps(engine))]
    before = engine.values.tobytes()
    for event in tape.slice(60, 120).events():
        for twin in twins:
            twin.update(event)
    assert engine.values.tobytes() == before
    for event in tape.slice(60, 120).events():
        engine.update(event)
    assert {twin.values.tobytes() for twin in twins} == {engine.values.tobytes()}
    # In another process the compiled steps lie elsewhere.
    script = (
        "import pickle, sys; from market.events import Tick; engine = pickle.load(sys.stdin.buffer)"
        "; engine.update(Tick('X', 2 * 10**18, 1000.0)); print(engine.values.tolist())"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        input=(tmp_path / "engine").read_bytes(), cwd=Path(__file__).parents[1],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    here = pickle.loads((tmp_path / "engine").read_bytes())
    here.update(Tick("X", 2 * 10**18, 1000.0))
    assert told.decode().strip() == str(here.values.tolist())


def test_addresses_of_this_process_are_not_shipped() -> None:
    with pytest.raises(TypeError, match="ship the configuration"):
        pickle.dumps(lay(SMALL))


@pytest.mark.parametrize(
    "event",
    [
        Tick("X", 9, float("nan")),
        Tick("X", 9, 0.0),
        Tick("X", 9, float("inf")),
        Bar("X", 9, 1.0, 2.0, -1.0, 1.0),
        Bar("X", 9, 1.0, 1.0, 2.0, 1.0),
        Bar("X", 9, 1.0, 1.0, 1.0, float("nan")),
    ],
)
def test_an_unusable_price_is_refused_and_leaves_no_trace(event: Tick | Bar) -> None:
    engine = FeatureEngine(SMALL)
    for good in walk(50, 1).events():
        engine.update(good)
    before = engine.snapshot()
    with pytest.raises(DataError, match="prices must be positive"):
        engine.update(event)
    assert engine.snapshot() == before


@pytest.mark.parametrize("field", ["volume", "trades", "buy_volume"])
@pytest.mark.parametrize("amount", [-1.0, float("inf"), float("-inf")])
def test_an_impossible_volume_is_refused_and_leaves_no_trace(field: str, amount: float) -> None:
    engine = FeatureEngine(FeatureConfig(columns=("volume_surprise_64", "session_vwap_distance")))
    for good in walk(50, 1, bars=True).events():
        engine.update(good)
    before = engine.snapshot()
    with pytest.raises(DataError, match="volume and trades must be finite and >= 0"):
        engine.update(Bar("X", 9, 1.0, 1.0, 1.0, 1.0, **{field: amount}))
    assert engine.snapshot() == before
    values = np.full((2, 7), 1.0)
    values[1, 4 + ["volume", "trades", "buy_volume"].index(field)] = amount
    with pytest.raises(DataError, match=r"volume and trades .* row 1"):
        Tape("X", True, np.array([1, 2]), values, np.zeros(2, np.bool_))


def test_a_column_is_known_as_soon_as_it_is_warm_whatever_the_others_are() -> None:
    engine = FeatureEngine(SMALL)
    for count, event in enumerate(walk(70, 19).events(), 1):
        engine.update(event)
        warm = [one.warmup <= count for one in SMALL.found]
        assert np.isfinite(engine.values).tolist() == warm
        assert engine.warm == all(warm) == (count >= SMALL.warmup)
        assert np.isfinite(engine.volatility) == engine.warm


def test_what_no_column_is_made_of_changes_nothing() -> None:
    engine = FeatureEngine(SMALL)
    for event in walk(50, 1).events():
        engine.update(event)
    before = engine.snapshot()
    engine.update(Trade("X", 9, 1000.0, 1.0, 1))
    engine.update(BookUpdate("X", 9, 1, 1, ((999.0, 1.0),), ((1001.0, 1.0),), -1, True))
    assert engine.snapshot() == before


def test_what_columns_are_made_of_must_be_said() -> None:
    with pytest.raises(ConfigError, match="price step"):
        FeatureEngine(FeatureConfig(columns=("imbalance_5",)))
    with pytest.raises(ConfigError, match="need its name"):
        FeatureEngine(FeatureConfig(columns=("peer_return_1",)))
    assert FeatureEngine(FeatureConfig(columns=("effective_spread",)), "0.01").streams == {
        "prices", "trades", "book",
    }  # fmt: skip


def test_the_config_knows_its_columns_alone() -> None:
    with pytest.raises(ValueError, match=r"did you mean rsi_\{n\}\?"):
        FeatureConfig(columns=("rsi_fourteen",))
    with pytest.raises(ValueError, match=r"must be 1 to 100000, was 0"):
        FeatureConfig(columns=("rsi_0",))
    with pytest.raises(ValueError, match="at least 1 item"):
        FeatureConfig(columns=())
    twice = FeatureConfig(columns=("rsi_14", "close_RSI_14", "rsi_14"))
    assert [one.name for one in twice.found] == ["rsi_14"]
    padded = FeatureConfig(columns=("rsi_14", "rsi_014", "close_RSI_0014"))
    assert [one.name for one in padded.found] == ["rsi_14"]
    for strange in ("rsi_\u0661\u0664", "rsi_" + "9" * 5000):
        with pytest.raises(ConfigError, match="no column"):
            find(strange)
