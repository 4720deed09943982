"""What every column there is must stand, whatever market it sees; nobody has to list a new one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.audit.watched import Watched, watch
from features.batch import compute
from features.catalogue import EVERY, FAMILIES, SETS, find
from features.engine import FeatureEngine
from features.seednames import ALIASES
from market.beside import Beside
from market.events import Bar, BookUpdate, FeedGap, MarketEvent, Tick, Trade
from market.tape import VOLUME, Tape
from tests.column_cases import BARS, CASES, CONFIG, market, of, scaled, told, uneven
from tests.test_seednames import THEIRS

FOUND = CONFIG.found
NAMES = [one.name for one in FOUND]


@cache
def watched(case: str) -> Watched:
    return watch(CONFIG, *CASES[case]())


@pytest.mark.parametrize("case", CASES)
def test_columns_are_finite_or_unknown_and_within_their_range(case: str) -> None:
    seen = watched(case)
    assert [NAMES[i] for i in np.flatnonzero(seen.infinite.any(axis=0))] == []
    for one, values in zip(FOUND, seen.values.T, strict=True):
        known = values[np.isfinite(values)]
        assert known.min(initial=one.column.high) >= one.column.low, one.name
        assert known.max(initial=one.column.low) <= one.column.high, one.name


@pytest.mark.parametrize("case", CASES)
def test_columns_are_known_from_their_warm_up_on(case: str) -> None:
    tape, _ = CASES[case]()
    seen = watched(case)
    for one, values in zip(FOUND, seen.values.T, strict=True):
        warm = seen.counts[one.of.stream] >= one.warmup
        known = np.isfinite(values)
        assert not known[~warm].any(), one.name
        assert known[warm & seen.complete(one.of, tape)].all(), one.name


@pytest.mark.parametrize("case", CASES)
def test_batch_is_streaming(case: str) -> None:
    assert compute(CONFIG, *CASES[case]()).tobytes() == watched(case).values.tobytes()


def test_nothing_is_said_of_what_is_unknown() -> None:
    for case, needs in (
        ("unknown volume", {"volume", "sides", "trades"}),
        ("single", {"peer"}),
    ):
        for one, values in zip(FOUND, watched(case).values.T, strict=True):
            if one.of.need in needs and one.of.stream == "prices":
                assert np.isnan(values).all(), one.name


def test_the_market_as_it_is_makes_every_column_move() -> None:
    """Or the other tests say nothing of it."""
    still = {
        name
        for name, values in zip(NAMES, watched("as it is").values.T, strict=True)
        if len(np.unique(values[np.isfinite(values)])) < 2
    }
    assert still == set()


@pytest.mark.parametrize(("factor", "tick"), [(2.0**-7, "0.000078125"), (123.45, "1.2345")])
def test_the_unit_of_price_does_not_matter_where_that_is_said(factor: float, tick: str) -> None:
    one = uneven(market())
    plain, other = compute(CONFIG, *one), compute(CONFIG, *scaled(one, factor, tick))
    for one, here, there in zip(FOUND, plain.T, other.T, strict=True):
        if not one.column.scale_free:
            continue
        if factor == 2.0**-7:
            assert here.tobytes() == there.tobytes(), one.name
        size = float(np.nanmedian(np.abs(here)))
        np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9 * size, err_msg=one.name)


def test_it_matters_where_that_is_said() -> None:
    tape, beside = market()
    values = tape.values.copy()
    values[:, VOLUME:] *= 3.0
    dear = compute(CONFIG, *scaled((tape, beside), 2.0, "0.02"))
    much = compute(CONFIG, of(tape, values), beside)
    plain = compute(CONFIG, tape, beside)
    for i, one in enumerate(FOUND):
        if not one.column.scale_free:
            same = [
                np.allclose(plain[:, i], other[:, i], rtol=1e-9, equal_nan=True)
                for other in (dear, much)
            ]
            assert not all(same), one.name


def merged(tape: Tape, beside: Beside) -> list[MarketEvent]:
    return list(beside.events(tape))


def streamed(engine: FeatureEngine, events: list[MarketEvent]) -> np.ndarray:
    """The columns after each of A's bars."""
    rows = []
    for event in events:
        engine.update(event)
        if isinstance(event, Bar | Tick) and event.symbol == "A":
            rows.append(engine.values.copy())
    return np.array(rows)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 50),
    case=st.sampled_from(["as it is", "gaps", "volume known now and then", "no bids"]),
    cuts=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4),
)
def test_a_restart_anywhere_goes_on_bit_for_bit(seed: int, case: str, cuts: list[float]) -> None:
    tape, beside = CASES[case]()
    start = 7 * seed
    tape = tape.slice(0, start + 150)
    events = merged(tape, beside.until(int(tape.times[-1])))
    places = sorted(int(cut * len(events)) for cut in cuts)
    engine = FeatureEngine(CONFIG, beside.tick)
    rows = []
    for begin, end in zip([0, *places], [*places, len(events)], strict=True):
        revived = FeatureEngine(CONFIG, beside.tick)
        revived.restore(engine.snapshot())
        assert revived.values.tobytes() == engine.values.tobytes()
        assert revived.snapshot() == engine.snapshot()
        engine = revived
        rows += list(streamed(engine, events[begin:end]))
    whole = streamed(FeatureEngine(CONFIG, beside.tick), events)
    assert np.array(rows).tobytes() == whole.tobytes()


@settings(max_examples=8, deadline=None)
@given(now=st.integers(1, BARS - 1), factor=st.floats(0.2, 5.0), seed=st.integers(0, 9))
def test_the_future_changes_nothing_before_it(now: int, factor: float, seed: int) -> None:
    tape, beside = market()
    rng = np.random.default_rng(seed)
    values = tape.values.copy()
    values[now:, :VOLUME] *= factor
    values[now:, VOLUME:] = rng.permutation(values[now:, VOLUME:])
    assert beside.trades
    assert beside.book
    assert beside.peer
    last = tape.times[now - 1]
    size, level = beside.trades.columns["size"].copy(), beside.book.columns["size"].copy()
    size[beside.trades.times > last] *= factor
    level[beside.book.times > last] *= factor
    other = beside.peer.values.copy()
    other[beside.peer.times > last] *= factor
    changed = Beside(
        told(beside.trades, size=size), told(beside.book, size=level), beside.tick,
        of(beside.peer, other),
    )  # fmt: skip
    before, after = compute(CONFIG, tape, beside), compute(CONFIG, of(tape, values), changed)
    assert before[:now].tobytes() == after[:now].tobytes()
    assert before.tobytes() != after.tobytes()


@pytest.mark.parametrize("bar", [1, 77, 300])
def test_after_gaps_in_all_streams_nothing_of_before_remains(bar: int) -> None:
    tape, beside = market()
    time = int(tape.times[bar])
    events = merged(tape, beside)
    before = [event for event in events if event.time <= time]
    after = [event for event in events if event.time > time]
    engine, fresh = FeatureEngine(CONFIG, beside.tick), FeatureEngine(CONFIG, beside.tick)
    streamed(engine, before)
    assert not np.isnan(engine.values).all()
    for symbol, stream in (("A", "prices"), ("A", "trades"), ("A", "book"), ("B", "prices")):
        engine.update(FeedGap(symbol, time + 1, time, stream))
    fresh.update(FeedGap("B", time + 1, time))
    assert np.isnan(engine.values).all()
    assert streamed(engine, after).tobytes() == streamed(fresh, after).tobytes()


def test_ticks_of_one_time_are_taken() -> None:
    engine = FeatureEngine(CONFIG, "0.01")
    for i in range(600):
        engine.update(Tick("A", 10**18, 100.0 + i % 5))
        assert not np.isinf(engine.raw).any()
    prices = [one.of.stream == "prices" and one.of.need in ("price", "range") for one in FOUND]
    assert np.isfinite(engine.values[np.array(prices)]).all()


def test_a_book_that_is_empty_says_nothing() -> None:
    engine = FeatureEngine(CONFIG, "0.01")
    engine.update(BookUpdate("A", 1, 1, 1, (), (), -1, True))
    for i in range(300):
        engine.update(BookUpdate("A", 2 + i, 2 + i, 2 + i, (), ()))
        engine.update(Trade("A", 2 + i, 100.0, 1.0, 1))
        engine.update(Tick("A", 2 + i, 100.0))
        assert not np.isinf(engine.raw).any()
    for one, value in zip(FOUND, engine.values, strict=True):
        if one.of.need == "book" and one.of.stream == "trades":
            assert np.isnan(value), one.name


# What is written of them.


def test_every_column_is_documented() -> None:
    for family in FAMILIES:
        assert family.source.strip()
        for column in family.columns:
            assert column.formula.strip(), column.name
            assert column.unit.strip(), column.name
            assert column.low < column.high, column.name
            assert re.fullmatch(r"[a-z][a-z0-9_]*(_\{[a-z]\})*", column.name), column.name
            assert re.findall(r"\{(\w+)\}", column.name) == list(family.fields), column.name
        assert len(family.least) in (0, len(family.fields))
        for args in family.instances:
            assert family.warmup(args) >= 1
            assert len(args) == len(family.fields)


def test_names_are_unique_and_stand_for_themselves() -> None:
    assert len(set(EVERY)) == len(EVERY)
    templates = [column.name for family in FAMILIES for column in family.columns]
    assert len(set(templates)) == len(templates)
    for one in FOUND:
        assert find(one.name) == one
        assert one.of.names(one.args)[one.place] == one.name
        fitting = [name for name in templates if _pattern(name).fullmatch(one.name)]
        assert fitting == [one.column.name], one.name


def test_sets_hold_columns_free_of_scale_but_one() -> None:
    for name, columns in SETS.items():
        assert len(set(columns)) == len(columns) > 0
        assert all(find(column).column.scale_free == (name != "raw") for column in columns)
    assert set().union(*SETS.values()) <= set(EVERY)
    assert len(EVERY) > 120


@pytest.mark.parametrize("name", [*THEIRS.split(), *ALIASES])
def test_names_of_the_users_own_configs_are_columns(name: str) -> None:
    assert find(name).name == find(find(name).name).name


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", r"\\d+", template))


def test_every_column_has_a_reference() -> None:
    """In a test file a dictionary or a call names it, with its numbers or a place for them."""
    here = Path(__file__).parent
    not_one = {"test_columns.py", "test_features_cli.py", "test_features_audit.py"}
    text = "\n".join(
        path.read_text() for path in here.glob("test_*.py") if path.name not in not_one
    )
    # Some name both sides at once.
    text += "".join(text.replace("{side}", side) for side in ("bid", "ask"))
    without = []
    for family in FAMILIES:
        for column in family.columns:
            numbers = re.sub(r"\\\{\w\\\}", r"(\\{\\w+\\}|\\d+)", re.escape(column.name))
            if not re.search(rf"[\"']{numbers}[\"']", text):
                without.append(column.name)
    assert without == []
