"""Walk-forward trading: what is tested was never learnt from, and is traded as it would be live."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace as replace_struct

from features.config import FeatureConfig
from features.dataset import build
from features.labels import LabelConfig
from market.beside import Beside
from market.errors import ConfigError, DataError
from market.execution import Costs
from market.instruments import Instrument
from market.predictable import Planted
from market.tape import Tape
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.runtime import EnsembleRuntime
from risk.config import BreakerConfig, RiskConfig
from trading.desk import DeskSpec
from trading.unseen import known
from trading.walkforward import (
    VOTE,
    Columns,
    Market,
    columns_of,
    in_thirds,
    joined,
    judged,
    page,
    steps_of,
    traded,
    variants,
)
from trading.walkforward.judging import evidence_of, whither
from trading.walkforward.tables import table, warnings
from validation.adversarial import AdversarialConfig
from validation.gate import GateConfig
from validation.splits import WalkForwardConfig

EVERY, HORIZON, COST = 2, 2, 1e-5
FEATURES = FeatureConfig(
    columns=("volatility_8", "momentum_1", "momentum_4", "channel_place_8", "day_sin", "day_cos"),
    volatility=8.0,
)
LABELS = LabelConfig(horizon=HORIZON)
ENSEMBLE = EnsembleConfig.model_validate(
    {
        "members": ["logistic", {"kind": "lgbm", "trees": 12, "min_leaf": 30, "window": 3}],
        "folds": 2,
        "embargo": 8,
        "selection": None,
    }
)
OPEN = BreakerConfig(daily_loss=0.9, drawdown=0.95)
GATE = GateConfig(block=20, shifts=99, samples=200)


def recording(n=4400, ic=0.6, seed=1, hole=0):
    prices = Planted(ic, 0.95, 1.0, 6).prices(1e4, n, np.random.default_rng(seed))
    times = 1_775_001_600_000_000_000 + 1_000_000_000 * np.arange(n)
    tape = Tape.of_ticks("R_75", times, prices)
    if hole:
        tape.times[hole:] += 900_000_000_000
        tape.fresh[hole] = True
    return tape


def market_of(tape):
    dataset, _ = known(build(tape, FEATURES, LABELS, EVERY), 0.3)
    return Market(tape, Beside(), dataset, LABELS)


def desk(model, **changed):
    costs = Costs(commission=COST, half_spread=0.0)
    return DeskSpec(
        **{
            "instrument": Instrument(symbol="R_75", interval=1.0, costs=costs),
            "policy": "follow",
            "every": EVERY,
            "capital": 1000.0,
            "features": FEATURES,
            "risk": RiskConfig(max_notional=1e6, lease_seconds=3600, symbol=OPEN, portfolio=OPEN),
            "model": model,
            "trained_policy": Path(),
            "journal": "",
            "source": Path(),
            "seed": 1,
            "follow": 0.05,
        }
        | changed
    )


def fitted_on(market, step):
    learnt = market.dataset.slice(step.start, step.stop)
    return fit_ensemble(learnt, ENSEMBLE, 1, lambda stage, share: None)


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """Two steps of a market with an edge: the market, its steps, folders and runs by variant."""
    folder = tmp_path_factory.mktemp("steps")
    market = market_of(recording(hole=2500))
    steps = steps_of(market.dataset, in_thirds(len(market.dataset), 2))
    models, runs = {}, {}
    for step in steps:
        for one in variants(fitted_on(market, step)):
            models[one.name, step.number] = one.save(folder)
            spec = desk(models[one.name, step.number])
            runs.setdefault(one.name, []).append(traded(market, spec, step))
    return market, steps, models, runs


HONEST = Columns((), "none of 6 columns knows the future", False, 0.5, "as spans usually are")


def outcome_of(runs, trials=4, columns=HONEST):
    whole = {name: joined(parts) for name, parts in runs.items()}
    thirds = {1: (1e-9, 1.0), 2: (1e-9, 1.0)}
    known_sharpes = np.array([np.nan])
    overlap = HORIZON / EVERY
    return judged("R_75", whole, thirds, overlap, GATE, trials, known_sharpes, columns, 1)


def test_every_variant_decides_on_all_that_is_tested_with_what_the_runtime_says(walked):
    market, steps, models, runs = walked
    assert list(runs) == ["logistic", "lgbm", VOTE, "the stack"]
    for name, parts in runs.items():
        for step, run in zip(steps, parts, strict=True):
            tested = slice(step.first, step.last + 1)
            runtime = EnsembleRuntime.load(models[name, step.number], market.dataset.schema)
            # What a trader sees that begins early enough, and no earlier, for the first decision.
            lead = desk(models[name, step.number]).lead + 1
            begin = market.dataset.rows[step.first] + 1 - -(-lead // EVERY) * EVERY
            seen = build(market.tape.slice(begin, len(market.tape)), FEATURES, LABELS, EVERY)
            at = np.searchsorted(seen.times, market.dataset.times[tested])
            said = np.full((len(market.dataset), 3), np.nan)
            said[tested] = runtime.predict_rows(seen.X, seen.fresh)[0][at]
            spoken = np.isfinite(said[tested, 0])
            np.testing.assert_array_equal(run.times, market.dataset.times[tested][spoken])
            np.testing.assert_array_equal(run.labels, market.dataset.label[tested][spoken])
            np.testing.assert_allclose(run.probabilities, said[tested][spoken], atol=1e-6)
            assert (run.step == step.number).all()
    assert not np.isfinite(said[steps[0].first : steps[0].last + 1]).all()  # the hole was met


def test_nothing_tested_or_later_has_a_say_in_what_was_fitted():
    tape = recording(n=2600)
    market = market_of(tape)
    (step,) = steps_of(market.dataset, in_thirds(len(market.dataset), 1, 0.6))
    values = tape.values.copy()
    values[market.dataset.rows[step.first] :, :4] *= 1.7
    other = market_of(Tape(tape.symbol, tape.bars, tape.times, values, tape.fresh))
    assert fitted_on(market, step).card == fitted_on(other, step).card
    # Of the decision before the first one learnt from no more, something would have changed.
    label_end = market.dataset.rows[step.stop] + HORIZON
    assert market.dataset.rows[step.stop - 1] + HORIZON < market.dataset.rows[step.first]
    assert label_end >= market.dataset.rows[step.first]


def test_nothing_of_the_holdout_or_the_next_step_has_a_say_in_a_run(walked):
    market, steps, models, runs = walked
    step, name = steps[0], "the stack"
    values = market.tape.values.copy()
    values[market.dataset.rows[step.last] + 2 :, :4] *= 1.5
    changed = Tape("R_75", market.tape.bars, market.tape.times, values, market.tape.fresh)
    again = traded(replace(market, tape=changed), desk(models[name, 1]), step)
    for field in ("times", "returns", "exposures", "probabilities", "labels"):
        np.testing.assert_array_equal(getattr(again, field), getattr(runs[name][0], field))


def test_costs_are_paid_and_the_last_position_is_closed(walked):
    market, steps, models, runs = walked
    free = Instrument(symbol="R_75", interval=1.0)
    for step in steps:
        name = "the stack"
        paid = runs[name][step.number - 1]
        gross = traded(market, desk(models[name, step.number], instrument=free), step)
        np.testing.assert_array_equal(gross.probabilities, paid.probabilities)
        moved = np.abs(np.diff(paid.exposures, prepend=0.0, append=0.0)).sum()
        lost = np.log1p(gross.returns).sum() - np.log1p(paid.returns).sum()
        assert moved > 10.0
        assert lost == pytest.approx(COST * moved, rel=0.02)
        assert paid.costs == pytest.approx(COST * moved, rel=0.1)
        assert gross.costs == 0.0
        # Orders are filled a tick later, when a part of what was foreseen has come already.
        given = np.log1p(gross.exposures * np.expm1(gross.market)).sum()
        assert 0.0 < np.log1p(gross.returns).sum() < given


def test_an_edge_is_found_and_a_market_without_one_gives_none(walked, tmp_path):
    *_, runs = walked
    found = outcome_of(runs)
    best = found.ensemble
    assert best.gain.low > 0.0
    assert best.direction.low > 0.0
    assert best.performance.total.low > 0.0
    market = market_of(recording(ic=0.0, seed=3))
    steps = steps_of(market.dataset, in_thirds(len(market.dataset), 2))
    null = {}
    for step in steps:
        for one in variants(fitted_on(market, step)):
            run = traded(market, desk(one.save(tmp_path), follow=0.02), step)
            null.setdefault(one.name, []).append(run)
    for one in outcome_of(null).variants:
        assert one.direction.low < 0.0 or one.direction.gain == 0.0
        assert one.performance.total.value < 0.02
        assert not one.verdict.promoted


def test_the_gain_is_that_of_the_move_and_of_its_direction(walked):
    *_, runs = walked
    run = joined(runs["lgbm"])
    labels, said = run.labels[run.known], run.probabilities[run.known]
    evidence = evidence_of(run, 1)
    flat = said[:, 1]
    move = -np.log(np.where(labels == 1, flat, 1.0 - flat))
    np.testing.assert_allclose(move + whither(said, labels), evidence.log_loss, atol=1e-9)
    found = next(one for one in outcome_of(runs).variants if one.name == "lgbm")
    own, base = whither(said, labels).mean(), whither(run.base[run.known], labels).mean()
    assert found.direction.gain == pytest.approx(base - own)


def test_trials_make_the_verdict_harder(walked):
    *_, runs = walked
    few, many = outcome_of(runs, 4).ensemble.verdict, outcome_of(runs, 4000).ensemble.verdict
    assert few.figures["deflated_sharpe"] > many.figures["deflated_sharpe"]
    assert many.figures["trials"] == 4000


def test_tables_and_page_tell_every_variant(walked):
    from rich.console import Console

    *_, runs = walked
    outcome = outcome_of(runs)
    console = Console(width=100)
    with console.capture() as shot:
        console.print(table(outcome))
    shown, written = shot.get(), page.page(outcome)
    for name in runs:
        assert f"\n {name} " in shown or f"\n{name} " in shown
        assert f"<td>{name}</td>" in written
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 100
    assert written.count("data:image/svg+xml") == 4
    parts = runs["the stack"]
    assert outcome.held == pytest.approx(np.exp(sum(one.market.sum() for one in parts)) - 1.0)
    plain = outcome.as_dict()
    assert [one["name"] for one in plain["variants"]] == list(runs)
    assert plain["variants"][0]["performance"]["total"]["value"] == pytest.approx(
        np.prod(1.0 + joined(runs["logistic"]).returns) - 1.0
    )


def test_a_column_that_knows_the_future_is_told_before_any_figure(walked):
    market, steps, _, runs = walked
    config = AdversarialConfig(trees=5, gap=5)
    honest = columns_of(market.dataset, steps[-1], 1, config)
    assert (honest.leaking, honest.suspicious) == ((), False)
    assert warnings(outcome_of(runs, columns=replace_struct(honest, shifted=False))) == []
    # Noise, but for the next decision's move, and a column of which the last test is another's.
    X = np.random.default_rng(1).normal(size=market.dataset.X.shape)
    X[:-1, 4] += 1e4 * np.diff(np.log(market.dataset.price))
    X[steps[-1].first :, 5] += 4.0
    found = columns_of(replace(market.dataset, X=X), steps[-1], 1, config)
    assert found.leaking == ("day_sin",)
    assert found.shifted
    assert "day_cos" in found.shift.split("told by ")[1]
    outcome = outcome_of(runs, columns=found)
    first, second = warnings(outcome)
    assert first.startswith("[bold red]SUSPICIOUS[/] day_sin: correlation ")
    assert second.startswith("[yellow]note[/] the test is unlike its training: ")
    assert '<p class="bad">Columns that know the future: day_sin: corr' in page.page(outcome)
    assert outcome.as_dict()["columns"]["leaking"] == ["day_sin"]


def test_what_is_too_short_to_look_at_is_said_to_be(walked):
    market, *_, runs = walked
    short = market.dataset.slice(0, 300)
    found = columns_of(short, steps_of(short, in_thirds(300, 2))[-1], 1)
    assert (found.leaking, found.shifted) == (None, None)
    said = warnings(outcome_of(runs, columns=found))
    assert [one.split(":")[1].strip() for one in said] == ["not looked for", "not told"]
    assert outcome_of(runs, columns=found).as_dict()["columns"]["auc"] is None


def test_steps_that_overlap_or_leave_nothing_to_learn_from_are_refused():
    dataset = market_of(recording(n=800)).dataset
    twice = WalkForwardConfig(unit="decisions", train=100, test=50, step=20)
    with pytest.raises(ConfigError, match="step must be at least test"):
        steps_of(dataset, twice)
    near = WalkForwardConfig(unit="decisions", train=10, test=5, step=5, embargo=15)
    for step in steps_of(dataset, near):
        assert 1 <= step.stop - step.start <= 2
        last = dataset.rows[step.stop - 1]
        assert last + HORIZON + near.embargo < dataset.rows[step.first]
    with pytest.raises(DataError, match=r"nothing to (learn from|train on)"):
        steps_of(dataset, near.model_copy(update={"embargo": 18}))
