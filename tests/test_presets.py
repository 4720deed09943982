"""Costs by the venue's name, and costs measured on what was recorded."""

import gzip
import re
from itertools import islice

import numpy as np
import pytest

from market.config import load
from market.contracts import contract_of
from market.errors import ConfigError, DataError
from market.execution import Costs, Impact, Latency, preset
from market.execution.presets import PRESETS
from market.instruments import Instrument
from market.tape import Tape
from venues.simulated.binance.config import BinanceExchangeConfig

DERIV = {"deriv_synthetic", "deriv_multiplier"}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_costs(name):
    costs = preset(name, **({"symbol": "R_75"} if name in DERIV else {}))
    assert 0.0 < costs.side(5000.0) < 0.01
    assert costs.terms(1.0)[0] == costs.commission


def test_they_are_the_numbers_known_elsewhere():
    wdo = contract_of("WDO").costs(5000.0)
    assert preset("b3_wdo") == wdo
    fees = BinanceExchangeConfig.model_fields
    for name, kind in (("binance_spot", "spot_fees"), ("binance_usdm", "usdm_fees")):
        assert preset(name).commission == float(fees[kind].default.taker)
        assert preset(name).maker == float(fees[kind].default.maker)
    deal = preset("deriv_multiplier", symbol="R_75", multiplier=100)
    assert deal.commission == 1.5e-4
    assert deal.margin.stop_out == pytest.approx(0.01 - 3e-4)
    assert preset("deriv_synthetic", symbol="CRASH500").half_spread == pytest.approx(0.945e-4)


def test_a_config_names_one_and_changes_it(tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text(
        "symbol: BTCUSDT\ninterval: 60\n"
        "costs: {preset: binance_usdm, half_spread: 1.0e-5, funding: null}\n"
    )
    costs = load(path, Instrument).costs
    assert (costs.commission, costs.maker, costs.half_spread) == (5e-4, 2e-4, 1e-5)
    assert costs.funding is None
    assert Costs.model_validate(costs.model_dump()) == costs


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{preset: binance}", "must be one of binance_spot, binance_usdm, b3_wdo, deriv_synth"),
        ("{preset: deriv_multiplier}", "needs the symbol of an index beside it"),
        ("{preset: deriv_multiplier, symbol: R_76}", "did you mean"),
        ("{preset: deriv_multiplier, symbol: R_75, multiplier: 7}", "one of 50, 100, 200"),
        ("{preset: binance_spot, comission: 0}", "did you mean 'commission'"),
    ],
)
def test_a_wrong_one_is_an_error_that_names_the_remedy(tmp_path, written, words):
    path = tmp_path / "one.yaml"
    path.write_text(f"symbol: X\ninterval: 60\ncosts: {written}\n")
    with pytest.raises(ConfigError, match=words):
        load(path, Instrument)


class TestImpact:
    def tape(self, hours, volume=7.0):
        n = hours * 60
        rng = np.random.default_rng(1)
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, n)))
        values = np.repeat(close[:, None], 7, axis=1)
        values[:, 4] = volume
        times = 60_000_000_000 * np.arange(1, n + 1)
        return Tape("X", True, times, values, np.zeros(n, np.bool_))

    def test_it_is_a_days_volatility_and_volume(self):
        found = Impact.of(self.tape(24 * 20), 0.7)
        assert found.volatility == pytest.approx(1e-3 * np.sqrt(1440), rel=0.02)
        assert found.volume == pytest.approx(7.0 * 1440)
        assert found.scale == 0.7 * found.volatility / np.sqrt(found.volume)

    def test_a_hole_is_left_out(self):
        tape = self.tape(48)
        whole = Impact.of(tape)
        times, fresh = tape.times.copy(), tape.fresh.copy()
        times[1000:] += 10**15
        fresh[1000] = True
        holed = Impact.of(Tape("X", True, times, tape.values, fresh))
        assert holed.volatility == pytest.approx(whole.volatility, rel=2e-3)
        assert holed.volume == pytest.approx(whole.volume)

    def test_without_volumes_there_is_none(self):
        with pytest.raises(DataError, match="give volatility and volume yourself"):
            Impact.of(self.tape(1, np.nan))


class TestLatency:
    def test_the_table_has_the_recorded_quantiles(self):
        apart = np.random.default_rng(2).lognormal(np.log(5e7), 0.5, 5000)
        table = Latency.of(apart).table()
        assert table[[0, 64]] == pytest.approx([apart.min(), apart.max()])
        assert table[32] == pytest.approx(np.median(apart))

    def test_clocks_that_disagree_need_the_quickest(self):
        with pytest.raises(ValueError, match="clocks disagree; give least"):
            Latency.of([-5.0, 7.0])
        with pytest.raises(ValueError, match="two or more"):
            Latency.of([1.0])

    def test_recorded_times_give_one(self, data_folder):
        """The recorder's clock was more than a second behind the venue's."""
        apart = []
        with gzip.open(data_folder / "binance_l2_raw" / "usdm_btcusdt_20240808.gz") as lines:
            for line in islice(lines, 3000):
                at, _, text = line.partition(b" ")
                told = re.search(rb'"E":(\d+)', text)
                if told:
                    apart.append(int(at) - 1_000_000 * int(told[1]))
        with pytest.raises(ValueError, match="clocks disagree"):
            Latency.of(apart)
        table = Latency.of(apart, least=0.02).table()
        assert table[0] == 2e7
        assert 2e7 < table[32] < 1e9
