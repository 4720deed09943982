"""Trades, the order book and a peer beside a tape: batch equals streaming, whatever comes."""

from __future__ import annotations

import numpy as np
import pytest

from features.batch import compute, compute_rows
from features.config import FeatureConfig
from features.engine import FeatureEngine
from features.layout import State
from market.beside import Beside
from market.errors import ConfigError
from market.events import SECOND, BookUpdate, FeedGap, MarketEvent, Tick, Trade
from market.series import Series
from market.tape import Tape

START = 1_775_000_000 * SECOND
CONFIG = FeatureConfig(
    columns=(
        "momentum_4", "rsi_14", "imbalance_5", "order_flow_imbalance_16", "microprice_distance",
        "trade_imbalance_32", "trade_run", "effective_spread", "peer_correlation_64",
        "peer_return_1",
    ),
    peer="BTC",
)  # fmt: skip
N = 600


def tape(seed: int, symbol: str, gaps: tuple[int, ...] = ()) -> Tape:
    rng = np.random.default_rng(seed)
    times = START + np.cumsum(rng.integers(1, 4, N)) * SECOND
    made = Tape.of_ticks(symbol, times, 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, N))))
    made.fresh[list(gaps)] = True
    return made


def trades(seed: int, end: int, gaps: tuple[int, ...] = ()) -> Series:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(START, end, 3 * N))
    price = np.round(100.0 + rng.normal(0.0, 0.5, 3 * N), 2)
    fresh = np.zeros(3 * N, np.bool_)
    fresh[list(gaps)] = True
    size, side = rng.lognormal(0.0, 1.0, 3 * N), rng.choice([-1, 1], 3 * N)
    return Series.trades("ETH", times, np.arange(3 * N), price, size, side, fresh)


def book(seed: int, end: int, gaps: tuple[int, ...] = (), levels: int = 40) -> Series:
    """Changes before any snapshot, a wide snapshot, changes, and the like again after each gap."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(START, end, 2 * N)).tolist()
    events: list[MarketEvent] = []
    for i, time in enumerate(times):
        if i in gaps:
            events.append(FeedGap("ETH", time, times[i - 1]))
        whole = i == 5 or i - 7 in gaps
        many = levels if whole else int(rng.integers(0, 4))
        away = np.arange(many) if whole else rng.integers(0, levels, many)
        sizes = rng.integers(1 if whole else 0, 9, (2, many)).astype(float).tolist()
        steps = [0.01 * (int(k) + 1) for k in away]
        bids = tuple((round(100.0 - k, 2), x) for k, x in zip(steps, sizes[0], strict=True))
        asks = tuple((round(100.0 + k, 2), x) for k, x in zip(steps, sizes[1], strict=True))
        events.append(BookUpdate("ETH", time, i, i, bids, asks, -1, whole))
    return Series.from_events("ETH", events)


def merged(own: Tape, beside: Beside) -> list[MarketEvent]:
    """Return all events in the order of :class:`Beside`."""
    told: list[tuple[int, int, int, MarketEvent]] = []
    sources = (beside.book, beside.trades, beside.peer, own)
    for place, source in enumerate(sources):
        if source is not None:
            told += [(one.time, place, i, one) for i, one in enumerate(source.events())]
    return [one for *_, one in sorted(told, key=lambda row: row[:3])]


def streamed(own: Tape, beside: Beside, cut: int = -1) -> np.ndarray:
    engine = FeatureEngine(CONFIG, beside.tick)
    rows = []
    for i, event in enumerate(merged(own, beside)):
        if i == cut:
            revived = FeatureEngine(CONFIG, beside.tick)
            revived.restore(engine.snapshot())
            engine = revived
        engine.update(event)
        if event.symbol == own.symbol and not isinstance(event, FeedGap | Trade | BookUpdate):
            rows.append(engine.values.copy())
    return np.array(rows)


def case(gaps: bool, levels: int = 40) -> tuple[Tape, Beside]:
    own = tape(1, "ETH", (250,) if gaps else ())
    end = int(own.times[-1])
    one = Beside(
        trades(2, end, (900,) if gaps else ()),
        book(3, end, (500,) if gaps else (), levels),
        "0.01",
        tape(4, "BTC", (300,) if gaps else ()),
    )
    return own, one


@pytest.mark.parametrize("gaps", [False, True])
def test_batch_equals_streaming_and_a_restart_in_the_middle(gaps: bool) -> None:
    own, beside = case(gaps)
    batch = compute(CONFIG, own, beside)
    assert batch.tobytes() == streamed(own, beside).tobytes()
    known = np.isfinite(batch).all(axis=1)
    assert known.sum() > 50, "the case must say something"
    for cut in (100, 1500, 2500):
        assert streamed(own, beside, cut).tobytes() == batch.tobytes()


def test_a_wide_snapshot_finds_room() -> None:
    own, beside = case(gaps=False, levels=3000)
    assert compute(CONFIG, own, beside).tobytes() == streamed(own, beside).tobytes()


@pytest.mark.parametrize("cuts", [(1,), (300,), (7, 299, 300, 301)])
def test_a_recording_in_parts_equals_the_whole(cuts: tuple[int, ...]) -> None:
    own, beside = case(gaps=True)
    whole = compute(CONFIG, own, beside)
    assert beside.trades
    assert beside.book
    assert beside.peer
    state, parts, before = State.of(CONFIG), [], START - 1
    for start, stop in zip((0, *cuts), (*cuts, N), strict=True):
        part = own.slice(start, stop)
        until = int(part.times[-1])
        cut = []
        for one in (beside.trades, beside.book, beside.peer):
            edge = np.searchsorted(one.times, [before, until], side="right")
            cut.append(one.slice(int(edge[0]), int(edge[1])))
        rows = np.arange(len(part))
        near = Beside(cut[0], cut[1], "0.01", cut[2])
        parts.append(compute_rows(CONFIG, part, rows, near, state)[0])
        before = until
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_columns_without_what_they_are_made_of_are_refused() -> None:
    own, beside = case(gaps=False)
    with pytest.raises(ConfigError, match="need a recording of trades"):
        compute(CONFIG, own, Beside(book=beside.book, tick="0.01", peer=beside.peer))
    with pytest.raises(ConfigError, match="price step"):
        FeatureEngine(CONFIG)
    with pytest.raises(ConfigError, match="need its name"):
        FeatureEngine(FeatureConfig(columns=("peer_return_1",)))


def silenced(stream: str, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's age of a stream that says nothing for 100 s, and what the columns were."""
    own, beside = case(gaps=False)
    series = getattr(beside, stream)
    begin = int(own.times[N // 2])
    kept = [
        event
        for event in series.events()
        if not begin < event.time <= begin + 100 * SECOND or isinstance(event, FeedGap)
    ]
    series = Series.from_events("ETH", kept)
    beside = Beside(**{**vars(beside), stream: series})
    config = CONFIG.model_copy(update={"stale": 30.0})
    batch = compute(config, own, beside)
    engine, rows = FeatureEngine(config, "0.01"), []
    for event in merged(own, beside):
        engine.update(event)
        if event.symbol == "ETH" and not isinstance(event, FeedGap | Trade | BookUpdate):
            rows.append(engine.values.copy())
    assert np.array(rows).tobytes() == batch.tobytes()
    last = np.searchsorted(series.times, own.times, side="right") - 1
    age = (own.times - series.times[np.maximum(last, 0)]) / SECOND
    named = [i for i, name in enumerate(CONFIG.columns) if name in KINDS[kind]]
    return age[N // 2 :], batch[N // 2 :, named]


KINDS = {
    "book": ("imbalance_5", "order_flow_imbalance_16"),
    "trades": ("trade_imbalance_32", "trade_run"),
    "spread": ("effective_spread",),
    "rest": ("momentum_4", "rsi_14", "peer_return_1"),
}


@pytest.mark.parametrize("stream", ["book", "trades"])
def test_what_a_silent_stream_told_long_ago_is_unknown_until_it_tells_again(stream: str) -> None:
    age, columns = silenced(stream, stream)
    assert (age > 30.0).sum() > 10
    assert np.isnan(columns[age > 30.0]).all()
    assert np.isfinite(columns[age <= 30.0]).all()
    assert np.isfinite(silenced(stream, "rest")[1]).all()


def test_the_spread_of_a_trade_takes_no_mid_of_long_ago() -> None:
    age, columns = silenced("book", "spread")
    assert np.isnan(columns[age > 35.0]).all(), "there are trades, but their mid is unknown"
    assert np.isfinite(columns[age < 30.0]).all()


def test_a_book_that_tells_something_in_every_bar_is_never_out_of_date() -> None:
    config = FeatureConfig(columns=("imbalance_5",), stale=30.0)
    hour, engine = 3600 * SECOND, FeatureEngine(config, "0.01")
    sides = ((99.0, 1.0),), ((101.0, 2.0),)
    for i in range(1, 4):
        engine.update(BookUpdate("ETH", i * hour - hour // 2, i, i, *sides, snapshot=True))
        engine.update(Tick("ETH", i * hour, 100.0))
        assert engine.warm == (i > 1), "of the first tick nobody knows how long it took"
    engine.update(Tick("ETH", 4 * hour, 100.0))
    assert not engine.warm
