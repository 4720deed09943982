"""A symbol whose desk can't be opened says why, and a floor that waits for it gives up."""

import time

import pytest

from actors.config import FloorConfig, SymbolConfig
from actors.floor import MOST_FAILURES, opened
from market.errors import FloorError
from trading.desk import DeskSpec


def _often(reason):
    return f"failed {MOST_FAILURES} times" in reason


def test_a_symbol_that_fails_again_and_again_ends_the_wait(ray_cluster, tmp_path):
    symbol = SymbolConfig(symbol="R_75", interval=2.0, policy="flat")
    config = FloorConfig(symbols=(symbol,), folder=tmp_path)
    spec = DeskSpec(
        instrument=symbol.instrument,
        policy="flat",
        every=5,
        capital=1000.0,
        features=config.features,
        risk=config.risk,
        model=tmp_path / "absent",
        trained_policy=tmp_path / "absent.onnx",
        journal=f"sqlite:///{tmp_path / 'R_75.db'}",
        source=tmp_path / "R_75.csv",
        seed=1,
    )
    with opened(config, [spec], "replay") as floor:
        deadline = time.monotonic() + 60.0
        while not floor.state().risk.reasons or not _often(floor.state().risk.reasons[0]):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with pytest.raises(FloorError, match=rf"R_75 has failed {MOST_FAILURES} times.*train"):
            floor.check()
        (reason,) = floor.state().risk.reasons
        assert reason.startswith(f"R_75 failed {MOST_FAILURES} times, last: StateError: ")
