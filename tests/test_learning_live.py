"""Learning while it trades: what the trader predicts, scores and learns, and in which order."""

import json
from functools import cache

import msgspec
import numpy as np
import pytest

from features.dataset import build
from features.engine import FeatureEngine
from features.labels import LabelConfig
from market.errors import ConfigError, StateError
from market.execution import Costs
from market.tape import Tape
from models.combination.card import PoolCard
from models.config import EnsembleConfig
from models.drift import ColumnDriftConfig, ColumnShift, DriftConfig
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from models.members.config import LgbmConfig
from models.online import Adaptation, OnlineConfig, RecentConfig
from models.prediction import Prediction
from models.runtime import EnsembleRuntime
from policies.baselines import Follow
from risk.lease import Lease
from tests.floor_data import CAPITAL, COSTS, EVERY, LABELS, instrument
from tests.toys import FEATURES
from trading.drift import of_columns
from trading.journal import MemoryJournal
from trading.learning import Learning, prior
from trading.paper import PaperBroker
from trading.state import decode
from trading.trader import Trader

LEARNS = OnlineConfig(
    weights=RecentConfig(half_life=200.0, base=0.5), drift=DriftConfig(clock=1, delta=0.01)
)
COLUMNS = ColumnDriftConfig(window=80, every=20)
EVENTS = 700


def remembering(n, memory, seed, turn=None):
    """Return ticks whose moves remember, and from event ``turn`` on the other way round."""
    rng, moves = np.random.default_rng(seed), np.zeros(n)
    noise = rng.normal(0.0, 1e-4, n)
    for i in range(1, n):
        now = memory if turn is None or i < turn else -memory
        moves[i] = now * moves[i - 1] + noise[i]
    times = 2_000_000_000 * (1_000 + np.arange(n, dtype=np.int64))
    return Tape.of_ticks("R_75", times, 1_000.0 * np.exp(np.cumsum(moves)))


def holed(seed=3):
    """Return a tape on which there is much to learn, with a hole in the middle."""
    tape = remembering(EVENTS, -0.5, seed)
    tape.times[EVENTS // 2 :] += 600_000_000_000
    tape.fresh[EVENTS // 2] = True
    return tape


def barred(ticks):
    """Return bars around ticks that open apart from where the one before closed."""
    values = ticks.values.copy()
    values[1:, 0] = ticks.close[:-1] * (1.0 + 1e-4 * np.resize([1.0, -1.0, 0.5], len(ticks) - 1))
    values[:, 1] = np.maximum(values[:, 0], ticks.close) * 1.00002
    values[:, 2] = np.minimum(values[:, 0], ticks.close) * 0.99998
    values[:, 4] = 10.0
    return Tape(ticks.symbol, True, ticks.times, values, ticks.fresh)


@cache
def fitted():
    """Two members on a market that trends, with what learning needs to know of it."""
    tape = remembering(1_600, 0.7, 9)
    members = (LgbmConfig(trees=12, min_leaf=20), LgbmConfig(name="lags", trees=4, window=3))
    config = EnsembleConfig(members=members, folds=2, embargo=8, column_drift=COLUMNS)
    dataset = build(tape, FEATURES, LABELS, EVERY, COSTS)
    recorded = Recorded(tape, FEATURES, LABELS, EVERY, COSTS)
    return fit_ensemble(dataset, config, 1, lambda *_: None, recorded)


def card(online=LEARNS, columns=None, **changed):
    """Return the card with other settings: the same models."""
    own = fitted().card
    found = {
        name: one and one.model_dump(mode="json")
        for name, one in {"online": online, "column_drift": columns}.items()
    }
    return msgspec.structs.replace(own, settings=own.settings | found, **changed).sealed()


def trader(made, journal=None, costs=COSTS, learning=True):
    one = instrument().model_copy(update={"costs": costs})
    made = Trader(
        one,
        FeatureEngine(FEATURES),
        EnsembleRuntime(made, fitted().models),
        Follow(enter=0.05),
        PaperBroker(one),
        journal or MemoryJournal(),
        EVERY,
        CAPITAL,
        Learning.of(made, costs) if learning else None,
    )
    made.take(Lease("R_75", 1, 2 * CAPITAL, 1 << 62))
    return made


def run(one, events):
    return [made for event in events if (made := one.on_event(event, event.time))]


LABELLED = {
    "direction": LABELS,
    "barrier": LabelConfig(kind="barrier", horizon=6),
    "highlow": LabelConfig(kind="highlow", names=("high_002_5", "low_002_5"), rule="first"),
}


@pytest.mark.parametrize("kind", LABELLED)
def test_what_is_said_was_learnt_from_outcomes_known_by_then_and_no_others(kind):
    """Every probability again, from the batch: its labels, its ensemble, each at its end."""
    labels, tape = LABELLED[kind], holed()
    if kind != "direction":  # whose label knows no highs and lows
        tape = barred(tape)
    made = card(labels=labels.model_dump(mode="json"), horizon=labels.horizon)
    one = trader(made)
    decisions = run(one, tape.events())[:-1]  # the last has no event to be filled on

    dataset = build(tape, FEATURES, labels, EVERY, COSTS)
    runtime = EnsembleRuntime(made, fitted().models)
    assert runtime.window == 3
    own = Adaptation(LEARNS, prior(made.combination, 2), 1, labels.horizon / EVERY)
    assert np.bincount(dataset.label[dataset.label >= 0], minlength=3).min() > 20
    at = {int(moment): row for row, moment in enumerate(dataset.times)}
    waiting, scored = [], 0
    for decision in decisions:
        row = at[decision.time]
        event = dataset.rows[row]
        known = [i for i in waiting if dataset.label[i] >= 0 and dataset.label_end[i] <= event]
        for i in sorted(known, key=lambda i: (dataset.label_end[i], i)):
            waiting.remove(i)
            scored += own.settle(int(dataset.times[i]), int(dataset.label[i])) is not None
        said = runtime.predict(dataset.X[row - 2 : row + 1].astype(np.float32))
        expected = own.predict(
            decision.time, np.array(said.probabilities), np.array(said.members), said.regime
        )
        assert decision.probabilities == tuple(expected.tolist()), f"decision {row}"
        waiting.append(row)
    assert scored > 200
    assert abs(scored - one.status().learnt.settled) <= labels.horizon
    plain = trader(made, learning=False)
    apart = [
        abs(a.probabilities[2] - b.probabilities[2])
        for a, b in zip(decisions, run(plain, tape.events()), strict=False)
    ]
    assert apart[-1] > 0.02, "nothing was learnt"


def test_the_future_changes_nothing():
    tape, cut = holed(), 500
    changed = tape.values.copy()
    changed[cut:, :4] *= 1.5
    other = Tape(tape.symbol, tape.bars, tape.times, changed, tape.fresh)
    made = card(columns=COLUMNS)
    one, two = trader(made), trader(made)
    assert run(one, tape.slice(0, cut).events()) == run(two, other.slice(0, cut).events())
    assert one.snapshot() == two.snapshot()
    head = list(tape.slice(cut, EVENTS).events())
    other_head = list(other.slice(cut, EVENTS).events())
    assert run(one, head)[-1].probabilities != run(two, other_head)[-1].probabilities


@pytest.mark.parametrize("cut", [41, 303, EVENTS // 2, EVENTS // 2 + 1, 655])
def test_restored_in_mid_stream_it_goes_on_bit_for_bit(cut):
    tape, made = holed(), card(columns=COLUMNS)
    whole = trader(made)
    run(whole, tape.slice(0, cut).events())
    part = trader(made)
    part.restore(whole.snapshot())
    for working in part.working:
        part.broker.submit(working.order)
    assert part.snapshot() == whole.snapshot()
    assert part.status().learnt == whole.status().learnt or cut < 60
    rest = list(tape.slice(cut, EVENTS).events())
    assert run(part, rest) == run(whole, rest)
    assert part.snapshot() == whole.snapshot()
    assert part.status().learnt.settled > 50


def test_switched_off_nothing_is_remembered_and_alarms_alone_change_no_word():
    tape, off = holed(), card(online=None)
    assert Learning.of(off, COSTS) is None
    plain = trader(off)
    decisions = run(plain, tape.events())
    assert decode(plain.snapshot(), "R_75").learning == b""
    assert plain.status().learnt is None
    listening = trader(card(OnlineConfig(weights=None, recalibration=None), COLUMNS))
    heard = run(listening, tape.events())
    assert listening.status().learnt.settled > 200
    same = {"model": "", "price": 0.0}
    assert [msgspec.structs.replace(one, **same) for one in heard] == [
        msgspec.structs.replace(one, **same) for one in decisions
    ]


def test_a_market_that_turns_is_told_once_known_and_what_to_do():
    turn = 900
    tape = remembering(2_000, 0.7, 21, turn)
    journal = MemoryJournal()
    one = trader(card(columns=COLUMNS), journal)
    decisions = run(one, tape.events())
    told = [json.loads(entry.payload) for entry in journal.entries("R_75") if entry.kind == "drift"]
    by = {kind: [drift for drift in told if drift["of"] == kind] for kind in ("rise", "columns")}
    turned = int(tape.times[turn])
    assert min(drift["time"] for drift in told) > turned, "told before it happened"
    rise = by["rise"][0]
    assert rise["time"] < tape.times[turn + 500]
    assert rise["figures"]["after"] > rise["figures"]["before"] + 0.05
    assert "pregao train" in rise["text"]
    assert by["columns"][0]["time"] < tape.times[turn + 500]
    learnt = one.status().learnt
    assert learnt.alarms == len(told)
    assert (learnt.rises, learnt.columns) == (len(by["rise"]), len(by["columns"]))
    assert learnt.told == told[-1]["text"]
    assert set(learnt.drifted) <= set(fitted().card.names)
    assert learnt.drifted
    # What it says is better by then than what the ensemble says by itself, which is told as such.
    dataset = build(tape, FEATURES, LABELS, EVERY, COSTS)
    label = dict(zip(dataset.times.tolist(), dataset.label.tolist(), strict=True))
    late = [made for made in decisions[-200:] if label.get(made.time, -1) >= 0]
    loss = -np.mean([np.log(made.probabilities[label[made.time]]) for made in late])
    assert loss < learnt.loss - 0.1


def test_another_model_or_other_costs_start_learning_anew_and_keep_the_window():
    tape, made = holed(), card(columns=COLUMNS)
    one = trader(made)
    run(one, tape.events())
    blob = one.snapshot()
    for other in (trader(card(columns=COLUMNS, seed=7)), trader(made, costs=Costs())):
        other.restore(blob)
        status = other.status()
        assert status.learnt.settled == status.learnt.alarms == 0
        assert status.window == one.status().window
        assert status.equity == one.status().equity


def test_where_it_abstains_nothing_is_corrected_and_nothing_waits():
    learning = Learning(card(), COSTS)
    for event in remembering(3, 0.0, 1).events():
        learning.event(event, fresh=False)
    said = Prediction(0.3, 0.4, 0.3, 0.0, ((0.1, 0.2, 0.7),) * 2)
    before = learning.snapshot()
    silent = msgspec.structs.replace(said, abstained=True)
    assert learning.correct(silent, event.time, 1e-4) is silent
    assert learning.snapshot() == before
    assert learning.correct(said, event.time, 1e-4).probabilities != said.probabilities
    assert learning.snapshot() != before


def test_what_a_card_lacks_is_named_and_a_damaged_memory_refused():
    with pytest.raises(ConfigError, match="needs the settings of its labels, which model"):
        Learning(card(labels=None), COSTS)
    with pytest.raises(ConfigError, match="needs how columns looked in training"):
        Learning(card(columns=COLUMNS, reference=None), COSTS)
    with pytest.raises(StateError, match="what was learnt can't be read"):
        Learning(card(), COSTS).restored(b"\x93")


def test_members_without_a_weight_can_win_some_and_regimes_count_by_their_frequency():
    combination = fitted().card.combination
    none = msgspec.structs.replace(combination, pools=(PoolCard((0.0, 0.0), (0.1, 0.0, 0.0)),))
    assert prior(none, 2) == (0.5, 0.5)
    lone = msgspec.structs.replace(combination, pools=(PoolCard((1.0, 0.0)),))
    assert prior(lone, 2) == (0.75, 0.25)


def test_many_columns_are_told_by_the_furthest_and_all_in_figures():
    shifts = tuple(ColumnShift(f"c{i}", 0.3 + i, 0.1, 0.0, 0.0) for i in range(5))
    drift = of_columns(7, shifts)
    assert drift.text.startswith("c4 (PSI 4.30), c3 (PSI 3.30), c2 (PSI 2.30) and 2 more")
    assert len(drift.figures) == 5
