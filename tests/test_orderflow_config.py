"""Settings of a floor whose columns need more than prices: what can't be had, and the remedy."""

from pathlib import Path

import pytest
import yaml

from actors.config import FloorConfig
from market.config import load
from market.errors import ConfigError
from serve.settings import FileConfig

ROOT = Path(__file__).resolve().parents[1]
ONE = {"symbol": "ETHUSDT", "venue": "binance", "interval": 60.0}
LIVE = {"exchange": {"deriv": None, "binance": {}}}


def problem(tmp_path, **keys):
    path = tmp_path / "floor.yaml"
    path.write_text(yaml.safe_dump({"symbols": [ONE]} | keys))
    with pytest.raises(ConfigError) as raised:
        load(path, FloorConfig)
    return str(raised.value)


def test_the_example_is_right_and_its_peer_has_columns_of_its_own():
    config = load(ROOT / "configs" / "orderflow.yaml", FileConfig).floor
    assert config.features_of("ETHUSDT").streams == {"prices", "trades", "peer"}
    assert config.features_of("BTCUSDT").streams == {"prices"}


def test_a_symbol_is_no_peer_of_itself(tmp_path):
    said = problem(tmp_path, features={"columns": ["core", "peer"], "peer": "ETHUSDT"})
    assert (
        "features.peer: ETHUSDT can't be compared with itself; give the symbol `features`" in said
    )


def test_a_peer_must_be_named(tmp_path):
    said = problem(tmp_path, features={"columns": ["core", "peer"]})
    assert "features.peer: is missing" in said


def test_made_up_markets_have_prices_alone(tmp_path):
    features = {"columns": ["core", "peer"], "peer": "BTCUSDT"}
    said = problem(tmp_path, features=features, ensemble={"augment": {"method": "jitter"}})
    assert "ensemble.augment: made-up markets hold no peer, of which columns of ETHUSDT" in said
    own = [ONE | {"features": {"columns": ["core"]}}]
    path = tmp_path / "floor.yaml"
    path.write_text(yaml.safe_dump({"symbols": own, "ensemble": {"augment": {}}}))
    assert load(path, FloorConfig).ensemble.augment is not None


def test_a_book_needs_its_price_step(tmp_path):
    said = problem(tmp_path, features={"columns": ["core", "imbalance_5"]})
    assert "symbols.ETHUSDT.tick: is missing" in said
    one = ONE | {"tick": "-1"}
    assert "must be positive and finite" in problem(tmp_path, symbols=[one])


def test_a_recorded_book_is_right(tmp_path):
    symbols = [ONE | {"tick": 0.01, "features": {"columns": ["core", "book"]}}]
    path = tmp_path / "floor.yaml"
    path.write_text(yaml.safe_dump({"symbols": symbols}))
    config = load(path, FloorConfig)
    assert config.symbol("ETHUSDT").instrument.tick == "0.01"
    assert "book" in config.features_of("ETHUSDT").streams


@pytest.mark.parametrize(
    ("symbol", "columns", "lost"),
    [
        (ONE | {"tick": "0.01"}, ["core", "imbalance_5"], "no history of book of ETHUSDT"),
        (
            {"symbol": "R_75", "interval": 2.0},
            ["core", "trade_run"],
            "no history of trades of R_75",
        ),
    ],
)
def test_what_a_venue_can_t_tell_of_the_past_can_t_be_learnt_from_it(
    tmp_path, symbol, columns, lost
):
    said = problem(tmp_path, symbols=[symbol], features={"columns": columns}, **LIVE)
    assert "features.columns" in said
    assert lost in said
    assert columns[1] in said
    assert "pregao data collect" in said
