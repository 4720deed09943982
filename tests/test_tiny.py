"""The whole system on 700 ticks, free of Ray. Read it from top to bottom: it is the map.

Each step is one room of the house, in the order in which data flows. What the rooms do in depth,
their own tests show; that the actors do the same as this, ``test_parity.py`` does.
"""

import numpy as np
import pytest

from envs.tape import DecisionTape
from features.dataset import build
from market.events import SECOND
from market.store import TickStore
from market.synthetics import process_for
from market.tape import Tape
from models.fit import fit_ensemble
from policies.baselines import Probe
from policies.evaluate import evaluate
from risk.config import RiskConfig
from risk.lease import LeaseBook
from tests.floor_data import CAPITAL, ENSEMBLE, FEATURES, LABELS, instrument
from trading.backtest import run
from trading.desk import DeskSpec
from trading.holdout import gather
from trading.journal import MemoryJournal
from validation.gate import GateConfig, judge
from validation.splits import chronological

SYMBOL, TICKS, EVERY, HOLDOUT = "R_75", 700, 1, 0.4
LIMIT = 800.0


def test_the_whole_chain(tmp_path):
    # market: a venue's prices become a tape, the tape goes into the tick store, and comes back.
    # These are the ticks of the bundled exchange: a seeded process, two seconds apart.
    prices = process_for(SYMBOL).prices(1_000.0, TICKS, np.random.default_rng(3))
    times = SECOND * (1_775_001_600 + 2 * np.arange(TICKS, dtype=np.int64))
    store = TickStore(tmp_path / "ticks")
    assert store.append(Tape.of_ticks(SYMBOL, times, prices)) == TICKS
    tape = store.tape(SYMBOL)
    assert tape.close.tolist() == prices.tolist()

    # features: every decision's columns, which know nothing later than it, and its label, which
    # does. The latest decisions are put aside: nothing but the gate will ever see their labels.
    dataset = build(tape, FEATURES, LABELS, EVERY)
    split = chronological(dataset.label_end, dataset.rows, 1.0 - HOLDOUT, 0.0)
    known = dataset.slice(0, int(split.train[-1]) + 1)
    unseen = int(dataset.times[split.holdout[0]]) - 1
    assert tape.times[known.label_end.max()] <= unseen
    assert np.isfinite(dataset.X).all()

    # models: two members that are judged, and pooled, by what they say of folds they have not
    # learnt from; kept as ONNX.
    fitted = fit_ensemble(known, ENSEMBLE, 1, lambda stage, share: None)
    model = fitted.save(tmp_path / "model")
    spoken = np.isfinite(fitted.oof).all(axis=1)
    assert spoken.sum() > 350
    np.testing.assert_allclose(fitted.oof[spoken].sum(axis=1), 1.0)

    # envs and policies: the simulator plays these out-of-fold predictions to a policy, with every
    # cost. A baseline needs no training; PPO trains on the same tape (see tests/test_rllib.py).
    # This one turns half a position over every twenty decisions, whatever it is told.
    desk = DeskSpec(
        instrument=instrument(SYMBOL),
        policy="probe",
        every=EVERY,
        capital=CAPITAL,
        features=FEATURES,
        risk=RiskConfig(max_notional=LIMIT, lease_seconds=60.0),
        model=model,
        trained_policy=tmp_path / "none",
        journal="",
        source=tmp_path / "ticks",
        seed=1,
    ).beginning(tape, unseen)
    seen = DecisionTape.of(known, fitted.oof, fitted.oof_disagreement, desk.instrument)
    played = evaluate(Probe(), seen)
    assert len(seen) == spoken.sum()
    assert played.trades > 0
    assert played.fees > 0.0

    # risk and trading: on the hold-out the very trader that runs live. A lease first, or nothing
    # may be held; an intent in the journal first, or nothing is sent.
    journal = MemoryJournal()
    book = LeaseBook(desk.risk, [SYMBOL], first=True)
    result = run([tape.after(desk.warm_from)], lambda _: desk.trader(journal), book)
    sleeve = result.sleeves[SYMBOL]
    assert sleeve.decisions[0].time == tape.times[tape.times > unseen][0]
    sent = [one for one in sleeve.decisions if one.order]
    assert len(sent) == journal.count(SYMBOL, "order") > 10
    assert journal.count(SYMBOL, "fill") in (len(sent), len(sent) - 1)
    # Half of the largest position is 1,000; the lease allows less, and is kept to.
    assert max(abs(one.target * one.price) for one in sent) > 950.0
    assert max(abs(one.allowed * one.price) for one in sent) == pytest.approx(LIMIT)

    # validation: the gate judges what came of it. This market is a martingale, trading it costs
    # money, and a few hundred ticks prove nothing: no edge is the answer.
    evidence = gather(
        sleeve, tape, FEATURES, LABELS, EVERY, np.array(fitted.card.frequencies), trials=1
    )
    assert len(evidence.net_returns) == len(sleeve.decisions)
    assert evidence.costs > 0.0
    verdict = judge(evidence, GateConfig(block=10), np.random.default_rng(1))
    assert not verdict.promoted
    assert verdict.headline == "no edge"
    assert {one.name for one in verdict.checks if not one.passed} >= {"profit"}
