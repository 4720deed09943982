"""Desks are only used again on what they were learnt from."""

import pytest

from actors import desks
from actors.config import FloorConfig, SymbolConfig
from market.errors import StateError
from market.store import TickStore
from tests import toys


def test_a_store_that_grew_is_another_recording(tmp_path):
    tape = toys.tape(200)
    store = TickStore(tmp_path / "ticks")
    store.append(tape.slice(0, 100))
    config = FloorConfig(symbols=(SymbolConfig(symbol=toys.SYMBOL, interval=2.0),), folder=tmp_path)
    files = {toys.SYMBOL: tmp_path / "ticks"}
    desks.save(config, files, [])
    assert desks.load(config, files) == []
    store.append(tape.slice(100, 200))
    with pytest.raises(StateError, match="learnt from other settings or recordings"):
        desks.load(config, files)
