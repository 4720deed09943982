"""Markets of the simulator: seeded, picklable, and true to what they say of themselves."""

from __future__ import annotations

import pickle
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from envs.markets.generated import LAWS, Generated
from envs.markets.orderflow import OrderFlow
from envs.markets.port import Market
from envs.markets.replay import Replay
from features.batch import compute
from features.config import FeatureConfig
from market.book import Book
from market.clustered import Garch, Switching
from market.errors import ConfigError, DataError
from market.predictable import Walk
from market.processes import YEAR
from market.tape import Tape

GARCH = {"sigma": 0.75, "decimals": 6}
PARAMETERS = {
    "gbm": GARCH,
    "garch": GARCH,
    "jump": GARCH,
    "crash_boom": {"every": 300, "sign": 1, "decimals": 3},
    "step": {"step": 0.1, "decimals": 1},
    "switching": {"sigmas": (0.2, 1.0), "mean_length": 100.0, "decimals": 6},
    "ou": {"level": 1e4, "half_life": 60.0, "sigma": 0.5, "decimals": 4},
    "regimes": {"drift": 1e-5, "mean_length": 60.0, "sigma": 0.5, "decimals": 4},
    "planted": {"ic": 0.2, "sigma": 0.5, "decimals": 4},
}
RECORDED = Generated.index("R_75").tape(400, np.random.default_rng(1))
MARKETS: dict[str, Market] = {
    **{kind: Generated.named(kind, **given) for kind, given in PARAMETERS.items()},
    "bars": Generated.index("BOOM500", per_bar=5),
    "flow": OrderFlow("FLOW"),
    "replay": Replay(RECORDED, since=int(RECORDED.times[20])),
    "bootstrap": Replay(RECORDED, block=10),
}


def same(one: Tape, other: Tape) -> bool:
    return np.array_equal(one.times, other.times) and np.array_equal(
        one.values, other.values, equal_nan=True
    )


@pytest.mark.parametrize("name", MARKETS)
def test_a_market_is_its_generators_and_travels(name: str) -> None:
    market = MARKETS[name]
    assert isinstance(market, Market)
    tape = market.tape(100, np.random.default_rng(3))
    assert len(tape) == 100
    assert tape.symbol == market.symbol
    sent = pickle.loads(pickle.dumps(market))
    assert same(tape, sent.tape(100, np.random.default_rng(3)))
    assert not same(tape, market.tape(100, np.random.default_rng(4)))
    with pytest.raises(ValueError, match="n must be"):
        market.tape(1, np.random.default_rng(3))


def test_every_law_has_a_name() -> None:
    assert set(PARAMETERS) == set(LAWS)
    with pytest.raises(ConfigError, match="no law is called 'brown'; there are gbm, "):
        Generated.named("brown")
    with pytest.raises(ConfigError, match="the law gbm has the parameters sigma, interval"):
        Generated.named("gbm", drift=1.0)


def test_garch_is_the_textbooks_recursion_over_the_seams_of_its_pieces() -> None:
    law = Garch(0.9, 60.0, 9, alpha=0.1, beta=0.85)
    walk = Walk(law, 100.0, np.random.default_rng(2))
    drawn = np.concatenate([walk.prices(n) for n in (1, 0, 40, 9)])
    noise = np.random.default_rng(2)
    z = np.concatenate([noise.standard_normal(n) for n in (1, 0, 40, 9)])
    usual = variance = 0.9**2 * 60.0 / YEAR
    price = 100.0
    for shock, got in zip(z, drawn, strict=True):
        move = sqrt(variance) * shock
        price *= np.exp(move - variance / 2)
        variance = 0.05 * usual + 0.1 * move**2 + 0.85 * variance
        assert got == pytest.approx(price, rel=1e-9)


def test_garch_clusters_around_its_long_run_volatility_and_switching_around_its_levels() -> None:
    rng = np.random.default_rng(5)
    moves = np.diff(np.log(Garch(0.75, 1.0, 9).prices(1e4, 300_000, rng)))
    usual = 0.75 * sqrt(1.0 / YEAR)
    assert moves.std() == pytest.approx(usual, rel=0.05)
    squares = moves**2 - np.mean(moves**2)
    assert (squares[1:] @ squares[:-1]) / (squares @ squares) > 0.1
    assert abs(moves.mean()) < 4 * usual / sqrt(300_000)
    law = Switching((0.2, 1.0), 500.0, 1.0, 9)
    moves = np.diff(np.log(law.prices(1e4, 300_000, rng)))
    levels = np.abs(moves).reshape(-1, 1)[: 300_000 // 100 * 100 - 100].reshape(-1, 100).mean(1)
    near = sqrt(2 / np.pi) * np.array([[0.2], [1.0]]) * sqrt(1.0 / YEAR)
    assert (np.abs(levels / near - 1.0).min(0) < 0.3).mean() > 0.8
    assert (levels > near.mean()).mean() == pytest.approx(0.5, abs=0.1)


@pytest.fixture(scope="module")
def flown():
    return OrderFlow("FLOW", information=0.6).flown(4000.0, np.random.default_rng(7))


def test_the_imbalance_tells_what_it_is_said_to_tell(flown) -> None:
    hit = flown.traded != 0
    seen, way = flown.imbalance[hit], flown.traded[hit]
    slope = (seen @ way) / (seen @ seen)
    assert slope == pytest.approx(0.6, abs=4 / sqrt(seen @ seen))
    # Five a second: three of their own, and each makes .4 others.
    assert hit.sum() / 4000.0 == pytest.approx(5.0, rel=0.05)
    blind = OrderFlow("FLOW", information=0.0).flown(2000.0, np.random.default_rng(7))
    hit = blind.traded != 0
    seen, way = blind.imbalance[hit], blind.traded[hit]
    assert abs((seen @ way) / (seen @ seen)) < 4 / sqrt(seen @ seen)


def test_a_book_rebuilt_from_the_flow_is_the_flows(flown) -> None:
    beside = flown.beside()
    assert beside.book is not None
    book = Book("FLOW", "0.01")
    told = beside.book.slice(0, 6000).events()
    book.update(next(told))  # type: ignore[arg-type]
    tops = flown.events[:, 4:].tolist()
    for update, (bid, ask, *best) in zip(told, tops, strict=False):
        assert (book.bid_size, book.ask_size) == (bid, ask)
        book.update(update)  # type: ignore[arg-type]
        assert not book.crossed
        assert [round(book.best_bid * 100), round(book.best_ask * 100)] == best


def test_bars_hold_the_middle_and_what_was_traded(flown) -> None:
    bars, step = flown.bars(2.0), 2_000_000_000
    assert len(bars) == 2000
    assert bars.values[:, 5].sum() == (flown.traded != 0).sum()
    for row in (0, 1, 777, 1999):
        inside = (flown.times > bars.times[row] - step) & (flown.times <= bars.times[row])
        middle = flown.middle[inside]
        open_, high, low, close, volume, _, bought = bars.values[row]
        assert open_ == (bars.close[row - 1] if row else open_)
        assert (high, low) == (max(open_, *middle), min(open_, *middle))
        assert close == middle[-1]
        assert volume == np.abs(flown.traded[inside]).sum()
        assert bought == (flown.traded[inside] > 0).sum()


def test_columns_of_book_and_trades_can_be_made_of_it(flown) -> None:
    tape = flown.bars(1.0).slice(0, 200)
    config = FeatureConfig(columns=("imbalance_5", "flow_imbalance_16"))
    columns = compute(config, tape, flown.beside().until(int(tape.times[-1])))
    known = np.isfinite(columns).all(axis=1)
    assert known[-50:].all()


def test_a_replay_keeps_to_its_dates_and_a_bootstrap_to_its_returns() -> None:
    first, last = int(RECORDED.times[100]), int(RECORDED.times[200])
    market = Replay(RECORDED, first, last)
    drawn = [market.tape(10, np.random.default_rng(seed)) for seed in range(300)]
    assert min(int(one.times[0]) for one in drawn) == first
    assert max(int(one.times[-1]) for one in drawn) == int(RECORDED.times[199])
    made = replace(market, block=5).tape(100, np.random.default_rng(1))
    moves = np.log(made.close[1:] / made.close[:-1])
    told = np.log(RECORDED.close[101:200] / RECORDED.close[100:199])
    # Each move is one that happened, and most are followed by the one that followed it then.
    which = np.abs(moves[:, None] - told[None, :]).argmin(1)
    np.testing.assert_allclose(moves, told[which], rtol=1e-9, atol=1e-15)
    assert 0.6 < (np.diff(which) == 1).mean() < 0.95
    with pytest.raises(DataError, match="R_75: 0 events from 9 to 10; the recording goes from"):
        Replay(RECORDED, 9, 10)
