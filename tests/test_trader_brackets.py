"""The trader with brackets, limits of its policy, and everything that execution can do."""

import numpy as np
import pytest

from envs.observation import OBSERVATION
from envs.spec import FeatureUse
from market.errors import SchemaMismatch
from tests import toys
from tests.toys import EVERYTHING, Dealer, leased, run
from trading import recovery
from trading.journal import MemoryJournal
from trading.paper import PaperBroker

HOUR = 3_600_000_000_000
PLACES = {part.name: k for k, part in enumerate(OBSERVATION)}


def tape(events=400, bars=False):
    made = toys.tape(events, seed=9)
    return toys.as_bars(made) if bars else made


def fills_of(journal, reasons=()):
    told = [entry for entry in journal.entries(toys.SYMBOL) if entry.kind == "fill"]
    return [entry for entry in told if not reasons or any(r in str(entry.payload) for r in reasons)]


class TestBrackets:
    @pytest.mark.parametrize("bars", [False, True], ids=["ticks", "bars"])
    def test_they_are_met_and_what_is_seen_of_them_is_where_they_are(self, bars):
        journal = MemoryJournal()
        trader, seen = leased(journal, policy=Dealer()), 0
        for event in tape(bars=bars).events():
            made = trader.on_event(event, event.time)
            if made is None or not trader.status().stop:
                continue
            held = trader._holdings
            assert (held.stop, held.target) == trader.broker.levels
            price, volatility = made.price, made.volatility
            for name, level in (("to_stop", held.stop), ("to_target", held.target)):
                wanted = min(3.0, 0.1 * abs(level / price - 1.0) / volatility)
                assert made.observation[PLACES[name]] == pytest.approx(wanted, rel=1e-5)
            side = np.sign(trader.account.units)
            assert (price - held.stop) * side > 0.0 or bars
            seen += 1
        assert seen > 50
        assert len(fills_of(journal, ['"stop"'])) > 2
        assert len(fills_of(journal, ['"target"'])) > 2
        assert trader.account.trades > 20

    def test_the_decision_tells_its_bracket(self):
        decisions = run(leased(policy=Dealer()), tape().events())
        entered = [made for made in decisions if made.order and made.units == 0.0]
        table = Dealer().spec.table
        for made in entered:
            assert made.loss == pytest.approx(table[made.action, 2] * made.volatility)
            assert made.profit == pytest.approx(table[made.action, 3] * made.volatility)
        assert {made.loss > 0.0 for made in entered} == {True}
        assert len(entered) > 20


class TestRules:
    def test_a_position_is_closed_when_it_has_been_held_long_enough(self):
        decisions = run(leased(policy=Dealer(max_hold=4)), tape().events())
        run_of, longest = 0, 0
        for made in decisions:
            run_of = run_of + 1 if made.units else 0
            longest = max(longest, run_of)
        assert longest == 5  # the fifth decision sees it and closes
        assert max(made.observation[PLACES["held"]] for made in decisions) == pytest.approx(4 / 54)

    def test_no_more_positions_than_allowed_are_opened_within_an_hour(self):
        decisions = run(leased(policy=Dealer(trades_per_hour=3)), tape(2000).events())
        opened = [made.time // HOUR for made in decisions if made.order and made.units == 0.0]
        _, counts = np.unique(opened, return_counts=True)
        assert counts.max() == 3
        assert len(counts) >= 2
        left = {round(3 * made.observation[PLACES["trades_left"]]) for made in decisions}
        assert left == {0, 1, 2, 3}

    def test_features_of_the_spec_are_seen_scaled(self):
        uses = (
            FeatureUse(name="momentum_4", centre=0.5, scale=2.0),
            FeatureUse(name="run", scale=1.0),
        )
        trader = leased(policy=Dealer(features=uses))
        decisions = run(trader, tape(60).events())
        names = toys.FeatureEngine(toys.FEATURES).names
        row = trader.status().window[-1]
        shown = decisions[-1].observation[len(OBSERVATION) :]
        assert shown[0] == pytest.approx((row[names.index("momentum_4")] - 0.5) / 2.0)
        assert shown[1] == pytest.approx(np.clip(row[names.index("run")], -5, 5))

    def test_a_feature_that_is_not_computed_is_refused(self):
        with pytest.raises(SchemaMismatch, match="sees momentum_99, which the features lack"):
            leased(policy=Dealer(features=(FeatureUse(name="momentum_99"),)))


class TestRestart:
    @pytest.mark.parametrize("bars", [False, True], ids=["ticks", "bars"])
    @pytest.mark.parametrize("every", [1, 3])
    def test_cut_anywhere_it_goes_on_bit_for_bit(self, every, bars):
        events = list(tape(260, bars=bars).events())
        policy = Dealer(max_hold=9, trades_per_hour=40)

        def trader(journal):
            return leased(journal, every=every, policy=policy, costs=EVERYTHING)

        whole, blobs = MemoryJournal(), {}
        one, decisions = trader(whole), []
        for k, event in enumerate(events):
            blobs[k] = one.snapshot()
            made = one.on_event(event, event.time)
            decisions += [(k, made)] if made else []
        kinds = {why for why in ("stop", "target", "funding") if fills_of(whole, [f'"{why}"'])}
        assert kinds == {"stop", "target", "funding"}
        for cut in range(40, 260, 23):
            part = trader(MemoryJournal())
            part.restore(blobs[cut])
            for working in part.working:
                part.broker.submit(working.order)
            assert part.snapshot() == blobs[cut]
            rest = [(k, part.on_event(event, event.time)) for k, event in enumerate(events)
                    if k >= cut]  # fmt: skip
            assert [(k, made) for k, made in rest if made] == [
                (k, made) for k, made in decisions if k >= cut
            ]
            assert part.snapshot() == one.snapshot()

    def test_a_start_without_its_features_keeps_position_and_levels(self):
        journal = MemoryJournal()
        trader = leased(journal, policy=Dealer())
        recovery.start(trader)
        for event in tape().events():
            trader.on_event(event, event.time)
            if trader.status().stop and trader.time > tape().times[60]:
                break
        trader.save()
        changed = toys.FEATURES.model_copy(update={"volatility": 5.0})
        again = toys.trader(journal, features=changed, policy=Dealer())
        made = recovery.start(again)
        assert made.cold
        assert again.status().stop == trader.status().stop
        assert isinstance(again.broker, PaperBroker)
        assert again.broker.levels == trader.broker.levels
