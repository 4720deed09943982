"""Seeded strategies: what they say becomes a floor, or is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from actors.config import FloorConfig
from actors.strategy import StrategyConfig, read
from actors.strategy.algorithms import ALIASES, AlgorithmConfig
from features.dataset import build
from market.config import load
from market.errors import ConfigError
from market.rows import KINDS as ROWS
from market.series import Series
from market.store import TickStore
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.members.catalogue import KINDS, make
from serve.settings import FileConfig
from tests.indicator_tapes import bars
from tests.model_data import silent

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
PLAIN = {
    "symbol": "BTCUSDT",
    "freq": "5m",
    "labels": ["high_030_4", "low_030_4"],
    "train_features": ["close_SMA_3", "close_RSI_14"],
    "algorithms": [{"name": "logreg", "algo": "sklearn_logreg", "train": {"C": 0.5}}],
}


def written(folder, text=None, **keys):
    path = folder / "mine.jsonc"
    path.write_text(json.dumps(PLAIN | keys, indent=2) if text is None else text)
    return path


def refused(path):
    with pytest.raises(ConfigError) as raised:
        read(path, FileConfig)
    return str(raised.value)


def member(algo, **train):
    return AlgorithmConfig(name="a", algo=algo, train=train).member


def test_the_conservative_strategy_is_the_floor_it_describes():
    floor, notes = read(CONFIGS / "btcusdt_5m.jsonc", FileConfig)
    one = floor.symbols[0]
    assert (one.symbol, one.interval, one.every, one.venue) == ("BTCUSDT", 300.0, 1, "binance")
    assert one.costs.side(1.0) == pytest.approx(1.05e-3)
    assert (floor.labels.kind, floor.labels.horizon) == ("highlow", 4)
    assert floor.labels.names == ("high_030_4", "low_030_4")
    assert [c.name for c in floor.features.found] == [
        "sma_3", "sma_6", "sma_12", "rsi_14", "atr_14", "spread_pct_3", "volatility_regime_256"
    ]  # fmt: skip
    logistic, lgbm, forest = floor.ensemble.members
    assert (logistic.kind, logistic.name, logistic.C, logistic.max_iter) == (
        "logistic", "logreg", 1.0, 1000
    )  # fmt: skip
    assert (lgbm.kind, lgbm.leaves, lgbm.learning_rate, lgbm.trees) == ("lgbm", 31, 0.05, 300)
    assert (forest.kind, forest.trees, forest.depth) == ("forest", 100, 6)
    assert floor.folder == Path("var/btcusdt_5m").absolute()
    said = "\n".join(notes)
    for key in (
        "cloud",
        "deployment",
        "data_folder",
        "costs",
        "labels",
        "num_leaves",
        "close_SMA_3",
    ):
        assert key in said, key


def test_order_flow_without_a_book_is_left_out_by_name_and_automl_is_a_search():
    floor, notes = read(CONFIGS / "sol_5m_orderflow.jsonc", FileConfig)
    assert floor.features.columns == ("sma_3", "rsi_14", "volatility_regime_256")
    assert floor.ensemble.members == EnsembleConfig().members
    (left,) = (note for note in notes if "LEFT OUT" in note)
    asked = load(CONFIGS / "sol_5m_orderflow.jsonc", StrategyConfig).train_features
    for name in asked[:9]:
        assert name in left, name
    assert not any(name in left for name in ("sma_3", "rsi_14", "volatility_regime"))
    assert "no recorded book and trades of SOLUSDT" in left
    said = "\n".join(notes)
    assert "sol_5m_orderflow.jsonc --data FOLDER --minutes 60" in said
    assert "budget_hours 1" in said
    assert "optimization_objective is not used" in said
    assert "orderbook_pattern, depths, freq not used" in said


def test_order_flow_is_kept_where_the_store_has_it(tmp_path):
    times = np.arange(1, 4, dtype=np.int64) * 1_000_000_000
    store = TickStore(tmp_path / "store")
    for kind in ("trades", "book"):
        ones = {name: np.ones(3, dtype) for name, dtype in ROWS[kind].items()}
        store.append(Series("SOLUSDT", kind, 0, times, ones, np.zeros(3, bool)))
    path = written(
        tmp_path, symbol="SOLUSDT", train_features=["imbalance_5", "effective_spread"], tick="0.01"
    )
    floor, notes = read(path, FileConfig, tmp_path / "store")
    assert floor.features.streams == {"prices", "trades", "book"}
    assert not any("LEFT OUT" in note for note in notes)
    assert "tick: is missing; columns of the order book need" in _raised(
        written(tmp_path, symbol="SOLUSDT", train_features=["imbalance_5"]), tmp_path / "store"
    )
    other = written(
        tmp_path, symbol="BTCUSDT", train_features=["imbalance_5", "close"], tick="0.01"
    )
    floor, notes = read(other, FileConfig, tmp_path / "store")
    assert floor.features.columns == ("close",)


def _raised(path, data):
    with pytest.raises(ConfigError) as raised:
        read(path, FileConfig, data)
    return str(raised.value)


def test_no_column_left_is_an_error(tmp_path):
    said = refused(written(tmp_path, train_features=["imbalance_5", "bid_pressure"]))
    assert "train_features: no column is left: imbalance_5, bid_pressure are LEFT OUT" in said
    assert "pregao data collect" in said


def test_patterns_and_folders_open_nothing(tmp_path, monkeypatch):
    """Whatever a file names, it alone is read; and --data, where it is given."""
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "SOLUSDT_orderbook_1.parquet").write_text("no parquet")
    config = {"orderbook_pattern": f"{secret}/*.parquet", "freq": "5T"}
    path = written(
        tmp_path,
        data_folder=str(secret),
        data_sources=[{"folder": "../elsewhere", "file": "*"}],
        feature_sets=[{"generator": "gen_features_orderflow", "config": config}],
    )
    opened = []
    import io

    real = io.open

    def watching(file, *rest, **named):
        opened.append(str(file))
        return real(file, *rest, **named)

    monkeypatch.setattr(io, "open", watching)
    monkeypatch.setattr("builtins.open", watching)
    read(path, FileConfig)
    monkeypatch.undo()
    assert [one for one in opened if "elsewhere" in one] == []
    assert any(one == str(path) for one in opened)


@pytest.mark.parametrize(("algo", "kind"), ALIASES.items())
def test_every_name_of_an_algorithm_is_a_member(algo, kind):
    assert kind in KINDS
    assert member(algo) == EnsembleConfig(members=[{"kind": kind, "name": "a"}]).members[0]


@pytest.mark.parametrize(
    ("algo", "theirs", "ours"),
    [
        ("gb", {"num_boost_round": 50, "reg_lambda": 2.0}, {"trees": 50, "l2": 2.0}),
        (
            "lgbm",
            {"min_child_samples": 7, "colsample_bytree": 0.5},
            {"min_leaf": 7, "feature_share": 0.5},
        ),
        (
            "xgb",
            {"eta": 0.1, "max_depth": 3, "subsample": 0.5},
            {"learning_rate": 0.1, "depth": 3, "row_share": 0.5},
        ),
        (
            "rf",
            {"n_estimators": 9, "min_samples_leaf": 5, "max_features": "sqrt"},
            {"trees": 9, "min_leaf": 5},
        ),
        ("rf", {"max_depth": None, "max_features": 0.5}, {"feature_share": 0.5}),
        (
            "nn",
            {"layers": [29], "n_epochs": 10, "bs": 64},
            {"hidden": (29,), "epochs": 10, "batch": 64},
        ),
        ("nn", {"layers": 8}, {"hidden": (8,)}),
        ("gru", {"units": 32, "sequence_length": 30}, {"hidden": 32, "window": 30}),
        (
            "lstm",
            {"hidden_size": 32, "num_layers": 2, "dropout": 0.3},
            {"hidden": 32, "layers": 2, "dropout": 0.3},
        ),
        ("svc", {"C": 0.1, "gamma": "scale", "probability": True}, {"C": 0.1}),
        ("lc", {"C": 3, "solver": "saga", "n_jobs": 4, "class_weight": "balanced"}, {"C": 3.0}),
        ("lgbm", {"leaves": 5, "trees": 6}, {"leaves": 5, "trees": 6}),
    ],
)
def test_settings_are_ours_under_their_names_and_each_other_is_told(algo, theirs, ours):
    one = AlgorithmConfig(name="a", algo=algo, train=theirs)
    plain = EnsembleConfig(members=[{"kind": ALIASES[algo], "name": "a"}]).members[0]
    assert one.member == plain.model_copy(update=ours)
    said = " ".join(one.notes)
    for key in theirs:
        assert key in ours or f"train.{key} is" in said, key


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"simbol": "5m"}, "simbol: unknown key; did you mean 'symbol'?"),
        ({"freq": "5 weeks"}, "freq: must be like 5m, 5T or 5min, or of s, h, d; was '5 weeks'"),
        ({"venue": "yahoo"}, "venue: must be binance; other venues' floors are written in YAML"),
        ({"labels": ["high_3_4"]}, "must be like high_030_4"),
        ({"labels": ["high_030_4", "high_040_4"]}, "one of high and one of low, or either alone"),
        ({"train_features": ["close_WMA_6"]}, "TA-Lib's WMA is none; those that are: ADX"),
        ({"train_features": ["rsi_fourteen"]}, "no column 'rsi_fourteen'; did you mean"),
        (
            {"train_features": ["peer"]},
            "compare with another symbol, of which a strategy knows none",
        ),
        ({"tick": "0.01x"}, "tick: a price step must be positive and finite, was 0.01x"),
        ({"algorithms": []}, "algorithms: must be one at least, was []"),
        ({"label_sets": []}, "label_sets: unknown key; did you mean 'labels'?"),
        (
            {"feature_sets": [{"generator": "mine:columns"}]},
            "called 'mine:columns'; there are gen_features_orderflow",
        ),
        (
            {"feature_sets": [{"generator": "talib", "config": {"freq": "1T"}}]},
            "config.freq: must be freq, 5m, was 1T",
        ),
        (
            {"feature_sets": [{"generator": "talib", "column_prefix": "x"}]},
            "columns here have no prefixes",
        ),
        (
            {"algorithms": [{"name": "A-b", "algo": "gb"}, {"name": "a_b", "algo": "nn"}]},
            "two are called a_b; give each its own `name`",
        ),
        (
            {"algorithms": [{"name": "é" * 40, "algo": "gb"}]},
            "must be of a-z, 0-9 and _, at most 32",
        ),
    ],
)
def test_what_is_unknown_is_told_with_what_there_is(tmp_path, keys, said):
    whole = refused(written(tmp_path, **keys))
    assert said in whole
    assert "mine.jsonc:" in whole


@pytest.mark.parametrize(
    ("algo", "keys", "said"),
    [
        ("prophet", {}, "no algorithm is called 'prophet'; there are automl, cnn, forest, gb"),
        (
            "gb",
            {"train": {"leafs": 3}},
            "train.leafs: no setting of gb; there are alpha, boosting_ty",
        ),
        ("gb", {"train": {"num_leaves": 1}}, "train: leaves: input should be greater than or"),
        ("gb", {"train": {"num_leaves": 4, "leaves": 5}}, "train.leaves: leaves is given twice"),
        ("lstm", {"train": {"hidden": 7}}, "train: lstm: hidden must be a multiple of heads (2)"),
        ("gb", {"params": {"is_regression": True}}, "params.is_regression: must be false"),
        ("gb", {"params": {"lenght": 3}}, "params.lenght: unknown key; known keys: is_scale"),
        ("vertex_automl", {"train": {"budget_hours": 0}}, "train.budget_hours: must be a number"),
        ("vertex_automl", {"train": {"hours": 1}}, "train.hours: unknown key; known keys: budget"),
    ],
)
def test_an_unknown_algorithm_or_setting_is_told_with_what_there_is(tmp_path, algo, keys, said):
    whole = refused(written(tmp_path, algorithms=[{"name": "a", "algo": algo} | keys]))
    assert said in whole
    assert "mine.jsonc:" in whole
    assert "algorithms.0: " in whole
    assert "faults" not in whole


def test_a_fault_is_told_with_the_line_it_stands_on(tmp_path):
    text = json.dumps(PLAIN, indent=2).replace(
        '"freq"', '// a comment\n\n\t/* and\n another */ "freq"'
    )
    line = 1 + text[: text.index('"5m"')].count("\n")
    assert f"mine.jsonc:{line}: freq:" in refused(written(tmp_path, text.replace("5m", "5x")))
    broken = text.replace('"freq":', '"freq"')
    assert f"mine.jsonc:{line}: not valid JSON" in refused(written(tmp_path, broken))
    twice = text.replace('"freq"', '"symbol"')
    assert "the key 'symbol' stands twice; keep one" in refused(written(tmp_path, twice))


def test_every_idle_key_is_told(tmp_path):
    from actors.strategy.config import IDLE

    _, notes = read(written(tmp_path, **dict.fromkeys(IDLE, 1)), FileConfig)
    for key in IDLE:
        assert any(note.startswith(f"{key} is not used: ") for note in notes), key
    assert not any("is not used" in note for note in read(written(tmp_path), FileConfig)[1])


def test_other_members_beside_a_search_are_trained(tmp_path):
    algorithms = [*PLAIN["algorithms"], {"name": "auto", "algo": "vertex_automl"}]
    floor, notes = read(written(tmp_path, algorithms=algorithms), FileConfig)
    assert [one.name for one in floor.ensemble.members] == ["logreg"]
    assert any("auto: vertex_automl is `pregao search" in note for note in notes)


def test_a_strategy_is_fitted_as_any_floor_is():
    floor, _ = read(CONFIGS / "btcusdt_5m.jsonc", FileConfig)
    made = build(bars(1000, 4, 0), floor.features, floor.labels, 1, floor.symbols[0].costs)
    fitted = fit_ensemble(made, floor.ensemble, floor.seed, silent)
    assert [one.name for one in fitted.card.members] == ["logreg", "lgbm", "forest"]
    assert np.isfinite(fitted.metrics["log_loss"])


def test_rules_are_given_their_columns(tmp_path):
    path = written(tmp_path, algorithms=[{"name": "rules", "algo": "technical"}])
    floor, notes = read(path, FileConfig)
    (rules,) = make(floor.ensemble.members)
    assert set(rules.columns) < {one.name for one in floor.features.found}
    assert floor.features.columns.count("rsi_14") == 1
    assert sum("are added, for technical" in note for note in notes) == 1


@pytest.mark.parametrize("name", ["vote_hybrid", "vote_four", "switch_volatility"])
def test_members_of_the_votes_have_their_columns(name):
    floor = load(CONFIGS / f"{name}.yaml", FileConfig)
    known = {one.name for one in floor.features.found}
    rules = [one for one in floor.ensemble.members if one.kind == "technical"]
    assert {column for one in make(rules) for column in one.columns} <= known
    assert floor.ensemble.regime is None or floor.ensemble.regime.column in known


def test_costs_of_ones_own_are_taken(tmp_path):
    floor, notes = read(written(tmp_path, costs={"commission": 2e-4}), FileConfig)
    assert floor.symbols[0].costs.side(1.0) == pytest.approx(2e-4)
    assert not any(note.startswith("costs") for note in notes)


def test_a_floor_is_read_as_ever_in_json_too(tmp_path):
    floor, notes = read(CONFIGS / "replay.yaml", FileConfig)
    assert (floor, notes) == (load(CONFIGS / "replay.yaml", FileConfig), ())
    path = tmp_path / "floor.json"
    path.write_text('{"symbols": [{"symbol": "R_75", "interval": 2.0}]} // ours')
    assert read(path, FloorConfig)[0].symbols[0].symbol == "R_75"


@pytest.mark.parametrize("name", ["vote_hybrid", "vote_four", "switch_volatility"])
def test_votes_and_switch_are_configs(name):
    ensemble = load(CONFIGS / f"{name}.yaml", FileConfig).ensemble
    how = ensemble.combination
    if name == "switch_volatility":
        assert [next(iter(vote)) for vote in how.votes] == ["lgbm", "xgboost", "logistic"]
        assert ensemble.regime.levels == (0.5, 1.5)
    else:
        wanted = [0.6, 0.2, 0.2] if name == "vote_hybrid" else [0.4, 0.3, 0.2, 0.1]
        assert [how.weights[one.name] for one in ensemble.members] == wanted
        assert ensemble.abstain.confidence == {"vote_hybrid": 0.7, "vote_four": 0.6}[name]
