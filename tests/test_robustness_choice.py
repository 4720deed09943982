"""Choice: plateaus and peaks, worthless variants and one that is worth something."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from market.errors import DataError
from tests.robustness_cases import following, rerunner, traded, walk
from trading.record import Record
from trading.robustness.aligned import aligned
from trading.robustness.overfitting import overfitting
from trading.robustness.sensitivity import flatness, sensitivity
from trading.robustness.variation import Variation
from trading.robustness.whole import Plan, examine
from validation.pbo import overfitting as pbo_of


@pytest.fixture(scope="module")
def base():
    tape, signal = walk(1201, 3)
    return traded(tape, np.sign(signal))


def earning(base, returns):
    """The record of a run that earned these."""
    worth = 1000.0 * np.cumprod(np.concatenate(([1.0], 1.0 + returns)))
    return Record("made", {"A": replace(base, equity=worth)})


def test_returns_are_over_spans_that_all_share(base):
    steps = np.full(1200, 1e-4)
    later = replace(base, times=base.times + (base.times[-1] - base.times[0]) // 2)
    runs = {"one": earning(base, steps), "two": earning(later, steps)}
    edges, returns = aligned(runs, 100)
    assert edges[0] == later.times[0]
    assert edges[-1] == base.times[-1]
    assert returns.shape == (100, 2)
    assert returns == pytest.approx(1.0001**6 - 1.0, rel=1e-6)
    jump = earning(base, np.r_[np.zeros(599), 0.1, np.zeros(600)])  # known from the 600th on
    uneven = aligned({"jump": jump}, 7)[1][:, 0]
    assert uneven.tolist() == pytest.approx([0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0])
    late = replace(base, times=base.times + 1)
    short = aligned({"jump": jump, "late": earning(late, np.zeros(1200))}, 1200)[1][:, 0]
    assert np.flatnonzero(short).tolist() == [599]
    gone = earning(base, np.r_[np.full(600, -1e-3), -1.0, np.full(599, 0.5)])
    lost = aligned({"gone": gone}, 1200)[1]
    assert (lost[601:] == 0.0).all()
    assert lost.min() == -1.0
    apart = replace(base, times=base.times + 10 * (base.times[-1] - base.times[0]))
    with pytest.raises(DataError, match="the runs one, far share no time"):
        aligned({"one": runs["one"], "far": earning(apart, steps)})


def test_a_plateau_is_told_from_a_peak(base):
    rng = np.random.default_rng(1)
    noise = rng.normal(0.0, 1e-3, 1200)

    def made(shape):
        return lambda variation: earning(
            base, noise + shape(variation.parameters["a"], variation.parameters["b"])
        )

    grid = {"a": (1.0, 2.0, 3.0), "b": (10.0, 20.0, 30.0, 40.0)}
    plateau, runs = sensitivity(made(lambda a, b: 4e-4 - 1e-6 * b), grid)
    peak, _ = sensitivity(made(lambda a, b: 4e-4 * (a == 2 and b == 30)), grid)
    assert plateau.flatness == 1.0
    assert plateau.best == (0, 0)
    assert peak.best == (1, 2)
    assert peak.flatness < 0.3
    assert len(runs) == plateau.trials == 12
    assert "a=2 b=30" in runs
    assert np.array(peak.sharpe).shape == (3, 4)
    assert peak.pnl[1][2] == pytest.approx(runs["a=2 b=30"].figures()["pnl"], rel=0.2)
    json.dumps(peak.as_dict(), allow_nan=False)


def test_the_more_was_tried_the_less_the_best_is_worth(base):
    rng = np.random.default_rng(2)
    noise = {float(k): rng.normal(1e-5, 1e-3, 1200) for k in range(12)}

    def rerun(variation):
        return earning(base, noise[variation.parameters["a"]])

    few, _ = sensitivity(rerun, {"a": (0.0, 1.0)})
    many, runs = sensitivity(rerun, {"a": tuple(noise)})
    more, _ = sensitivity(rerun, {"a": tuple(noise)}, tried=200)
    assert (few.trials, many.trials, more.trials) == (2, 12, 212)
    assert more.deflated < many.deflated
    assert overfitting(runs, tried=200).trials == 212
    assert overfitting(runs, tried=200).deflated == pytest.approx(more.deflated)


def test_flatness_by_hand():
    figures = np.array([[1.0, 0.9, 0.1], [0.7, 0.85, 0.0]])
    assert flatness(figures, (0, 0)) == pytest.approx(2 / 3)
    assert flatness(figures, (0, 0), band=0.4) == 1.0
    assert math.isnan(flatness(np.array([[1.0]]), (0, 0)))
    assert math.isnan(flatness(-figures, (0, 0)))


def test_worthless_variants_are_told_from_one_that_earns(base):
    rng = np.random.default_rng(5)
    worthless = {f"v{k}": earning(base, rng.normal(0.0, 1e-3, 1200)) for k in range(8)}
    noise = overfitting(worthless)
    real = overfitting(worthless | {"real": earning(base, rng.normal(3e-4, 1e-3, 1200))})
    assert real.best == "real"
    assert real.pbo < 0.05 < 0.2 < noise.pbo
    assert real.deflated > 0.99 > noise.deflated
    assert real.degradation < 0.3 < noise.degradation
    assert real.years < real.years_needed or real.sharpe > 5.0
    edges, returns = aligned(worthless)
    known = pbo_of(returns, 10)
    yearly = math.sqrt(len(returns) / noise.years)
    assert noise.pbo == known.pbo
    assert noise.mean_inside == pytest.approx(yearly * known.inside.mean())
    assert len(noise.inside) == len(noise.outside) == 252
    assert noise.years == pytest.approx((edges[-1] - edges[0]) / 3.15576e16)
    assert 7.0 < noise.independent <= 8.0
    json.dumps(noise.as_dict(), allow_nan=False)


def test_what_can_not_be_judged_is_refused(base):
    one = earning(base, np.full(1200, 1e-4))
    with pytest.raises(DataError, match="two variants at least, there are 1"):
        overfitting({"one": one})
    with pytest.raises(DataError, match="30 returns are too few for 10 blocks of four"):
        overfitting({"one": one, "two": one}, spans=30)
    with pytest.raises(ValueError, match="grid must be of one parameter or two, was of 3"):
        sensitivity(lambda _: one, {"a": (1.0,), "b": (1.0,), "c": (1.0,)})
    with pytest.raises(ValueError, match="a must hold rising values"):
        sensitivity(lambda _: one, {"a": (2.0, 1.0)})


def test_all_of_it_about_one_run():
    tapes = {"A": walk(200, 1)[0], "B": walk(200, 2, "B")[0]}

    def rule(tape, lookback=5.0, _=0.0):
        return following(tape, int(lookback))

    rerun = rerunner(tapes, rule)
    record = rerun(Variation())
    plan = Plan(
        samples=50, markets=2, costs=(1.0, 2.0), slippage=(1.0,), moments=1,
        parameters={"lookback": (3.0, 5.0)},
    )  # fmt: skip
    said = []
    found = examine(
        record,
        np.random.default_rng(0),
        rerun=rerun,
        tapes=tapes,
        plan=plan,
        tell=said.append,
    )
    assert found.trades is not None
    assert found.shuffled is not None
    assert found.markets is not None
    assert found.shocks is not None
    assert len(found.shocks.cells) == 2
    assert found.stress is not None
    assert found.stress.base.pnl == found.shocks.cells[0].pnl.value
    assert [one.parameters for one in found.sensitivity] == [("lookback",)]
    assert found.overfitting is not None
    assert found.attribution is not None
    assert found.missing == ()
    assert "scenarios" in said
    assert not [call for call in rerun.calls[1:] if call == Variation()], "not run twice"
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["name"] == "toy"
    idle = Record("idle", {"A": traded(tapes["A"], np.zeros(200))})
    bare = examine(idle, np.random.default_rng(0))
    assert bare.shocks is None
    assert bare.trades is None
    assert bare.missing[0].startswith("trades drawn again: idle: no trade to draw from")
