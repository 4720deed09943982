"""The trainer without Ray: what it fits is what was asked for, and nothing of the hold-out."""

import numpy as np

from actors.config import FloorConfig
from actors.trainer import TrainerShell
from market.beside import Beside
from market.predictable import Planted
from market.tape import Tape
from models.card import read

FLOOR = {
    "symbols": [{"symbol": "R_75", "interval": 1.0, "every": 1}],
    "features": {"columns": ["core"]},
    "labels": {"horizon": 1},
    "ensemble": {
        "members": [{"kind": "lgbm", "trees": 10}],
        "folds": 2,
        "selection": {"columns": 4, "shifts": 4},
    },
}


def market(n=2500):
    prices = Planted(0.4, 0.75, 1.0, 6).prices(1e4, n, np.random.default_rng(1))
    times = 1_775_001_600_000_000_000 + 1_000_000_000 * np.arange(n)
    return Tape.of_ticks("R_75", times, prices)


def learnt(folder, tape, **ensemble):
    told = FLOOR | {"folder": folder, "ensemble": FLOOR["ensemble"] | ensemble}
    return TrainerShell(FloorConfig.model_validate(told)).fit(tape, Beside())


def test_it_tells_which_columns_were_chosen(tmp_path):
    one = learnt(tmp_path, market())
    card, _ = read(one.folder)
    assert one.columns == card.told
    assert one.columns.startswith("4 of 28 columns, stability ")
    assert "momentum_1" in card.columns
    assert card.end <= one.unseen


def test_no_price_of_the_holdout_has_a_say_made_up_markets_or_not(tmp_path):
    tape = market()
    for augment in (None, {"method": "bootstrap", "span": 50}):
        one = learnt(tmp_path / "one", tape, augment=augment)
        values = tape.values.copy()
        late = tape.times > one.unseen
        values[late, :4] = np.linspace(9e3, 2e4, int(late.sum()))[:, None]
        other = Tape(tape.symbol, tape.bars, tape.times, values, tape.fresh)
        twin = learnt(tmp_path / "twin", other, augment=augment)
        assert read(twin.folder)[0] == read(one.folder)[0]
