"""Ray Tune runs the trials of a search: the same ones, and after ``kill -9`` as well."""

import os
import signal
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from rich.console import Console

from actors.config import FloorConfig, SymbolConfig
from actors.searching import found_in, written
from features.dataset import build
from market.beside import Beside
from market.config import load
from market.tape import Tape
from models.registry import Registry
from models.search.config import SearchConfig
from models.search.tuning import in_tune
from serve.settings import FileConfig
from tests.search_cases import SEARCH, Count, plain, searched
from trading.unseen import known


@pytest.mark.soak
def test_a_search_that_was_killed_ends_in_tune_as_it_would_have_without(ray_cluster, tmp_path):
    address = ray_cluster.get_runtime_context().gcs_address
    whole = plain(searched(tmp_path / "whole"))
    command = [sys.executable, "-m", "tests.search_cases", address, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": "."}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as killed:
        assert killed.stdout is not None
        for line in killed.stdout:
            if int(line) >= 3:
                break
        killed.send_signal(signal.SIGKILL)
    book = (tmp_path / "own" / "final.jsonl").read_bytes().splitlines()
    numbers = {msgspec.json.decode(line)["row"]["number"] for line in book}
    assert 3 <= len(numbers) < SEARCH.trials
    count = Count()
    one = SEARCH.model_copy(update={"workers": 1})
    rows, *rest = plain(searched(tmp_path, one, count=count, engine=in_tune))
    for row, twin in zip(rows, whole[0], strict=True):
        assert row == twin
    assert rest == list(whole[1:])
    assert len(count.what) == SEARCH.trials - len(numbers)


def test_what_was_found_is_a_configuration_that_trains(ray_cluster, tmp_path):
    rng, n = np.random.default_rng(3), 1800
    moves = rng.normal(size=n)
    for i in range(1, n):
        moves[i] -= 0.5 * moves[i - 1]
    times = 1_700_000_000_000_000_000 + 2_000_000_000 * np.arange(n)
    tape = Tape.of_ticks("R_75", times, 100.0 * np.exp(1e-4 * np.cumsum(moves)))
    config = FileConfig(
        symbols=(SymbolConfig(symbol="R_75", interval=2.0, every=1),), folder=tmp_path
    )
    labels = [{"horizon": 20}, {"horizon": 1}]
    search = SearchConfig(members=("logistic",), trials=3, outer=0, labels=labels)
    with Registry(tmp_path / "registry") as registry:
        found = found_in(config, search, tape, Beside(), "code", registry, Console(quiet=True))
        assert registry.trials("R_75") == 3
        figures = registry.trial_figures("R_75")
        assert all({"score", "logistic.C"} <= set(one.figures) for one in figures)
        assert any("sharpe" in one.figures for one in figures)  # who never trades has none
    back = load(written(config, search, found), FileConfig)
    best = found.best.proposal
    assert back.labels == search.labels[best.labels]
    assert back.features == config.features
    assert back.ensemble == best.ensemble(config.ensemble, search)
    assert isinstance(back.floor, FloorConfig)
    data = build(tape, back.features, back.labels, 1, back.symbols[0].costs)
    assert known(data, back.holdout)[0].names == tuple(one.name for one in back.features.found)
