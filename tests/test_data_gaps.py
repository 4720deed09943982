"""``pregao data gaps --fill`` where the venue has what is missing, in part or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from market.events import SECOND
from market.store import TickStore
from tests.data_commands import pregao
from tests.test_data_venues import exchange


def test_a_hole_that_the_venue_has_too_stays_one(tmp_path: Path) -> None:
    faults = [{"kind": "lost", "symbol": "1HZ75V", "tick": 100, "count": 4}]
    settings = {"port": 0, "seed": 7, "speed": 200.0, "symbols": ["1HZ75V"], "faults": faults}
    store = TickStore(tmp_path / "live")
    config = tmp_path / "collect.yaml"
    with exchange(tmp_path / "exchange.yaml", deriv=settings) as url:
        wanted = {"venue": {"endpoint": url}, "symbols": ["1HZ75V"], "kinds": ["ticks"]}
        config.write_text(yaml.safe_dump({"store": store.root, "deriv": wanted}))
        get = ("data", "download", "deriv", "1HZ75V", "--config", config)
        while "1HZ75V" not in store.symbols() or len(store.read("1HZ75V")) < 400:
            # The exchange's time begins with April; the fault comes 100 s later.
            code, said = pregao(*get, "--from", "2026-03-31T23:58", "--to", "2026-04-01T00:10")
            assert code == 0, said
        before = store.read("1HZ75V")
        assert len(store.holes("1HZ75V")) == 1
        # Beside it one of ours, which the venue can fill.
        cut = TickStore(tmp_path / "cut")
        cut.append(before.slice(0, 20))
        cut.append(before.slice(30, len(before)))
        code, said = pregao("data", "gaps", "--fill", "--config", config, "--store", cut.root)
    assert code == 1
    assert "10 rows fetched, 1 of 2 holes filled, 1 not filled: deriv has no more there" in said
    filled = cut.read("1HZ75V")
    assert np.array_equal(filled.times, before.times)
    assert np.array_equal(filled.fresh, before.fresh)
    [hole] = cut.holes("1HZ75V")
    assert hole.end - hole.start == 5 * SECOND
