"""Control problems as environments: gymnasium's rules, published returns, and exams that judge."""

import math

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from onnx import TensorProto, helper

from envs.control import (
    BettingProblem,
    ControlVectorEnv,
    ExecutionProblem,
    SignalProblem,
    StoppingProblem,
)
from policies.baselines import Flat, Follow, Probe
from policies.ranking.control import ControlWorld, betting, execution, play, signal, stopping
from policies.ranking.exam import Mark, score, verdict
from policies.ranking.exams import EXAMS, exam
from policies.ranking.market import LeakedExam, PlantedExam
from policies.ranking.standing import rank
from policies.training import Training

PROBLEMS = (
    SignalProblem(steps=7),
    SignalProblem(steps=7, moves=(), action="zone", dead_zone=0.5),
    StoppingProblem(steps=7),
    BettingProblem(steps=7),
    ExecutionProblem(),
)
IDS = ("discrete", "box", "stopping", "betting", "execution")


@pytest.fixture(params=PROBLEMS, ids=IDS)
def problem(request):
    return request.param


def test_episodes_follow_gymnasiums_rules(problem):
    env = ControlVectorEnv(problem, 5)
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    env.action_space.seed(0)
    seen, _ = env.reset(seed=3)
    done = np.zeros(5, bool)
    ends = 0
    for _ in range(40):
        assert seen.dtype == np.float32
        assert env.observation_space.contains(seen)
        seen, rewards, terminated, truncated, info = env.step(env.action_space.sample())
        assert np.isfinite(rewards).all()
        assert info == {}
        assert not (terminated & truncated).any()
        assert (rewards[done] == 0.0).all(), "the step after an end only begins anew"
        assert not (terminated | truncated)[done].any()
        done = terminated | truncated
        ends += done.sum()
    assert ends >= 5 * 40 // (problem.steps + 1) - 5


def test_a_seed_makes_an_episode_and_lanes_do_not_mix(problem):
    def played(n, noise):
        env = ControlVectorEnv(problem, n)
        env.action_space.seed(1)
        seen = [env.reset(seed=5, options={"noise": noise})[0][0]]
        actions = np.asarray(env.single_action_space.sample())
        for _ in range(problem.steps - 1):
            now, rewards, *_ = env.step(np.stack([actions] * n))
            seen.append(np.append(now[0], rewards[0]))
        return seen

    rng = np.random.default_rng(0)
    noise = problem.draw(rng, 3, problem.warm + problem.steps)
    env = ControlVectorEnv(problem, 3)
    env.single_action_space.seed(1)
    one = ControlVectorEnv(problem, 3)
    for made in (env, one):
        made.action_space.seed(1)
    first, again = env.reset(seed=5)[0], one.reset(seed=5)[0]
    np.testing.assert_array_equal(first, again)
    for _ in range(2 * problem.steps):
        chosen = env.action_space.sample()
        np.testing.assert_array_equal(env.step(chosen)[0], one.step(chosen)[0])
    wide = ControlVectorEnv(problem, 3)
    alone = ControlVectorEnv(problem, 1)
    seen, lone = (
        wide.reset(options={"noise": noise})[0],
        alone.reset(options={"noise": noise[:1]})[0],
    )
    wide.action_space.seed(2)
    for _ in range(problem.steps):
        np.testing.assert_array_equal(seen[0], lone[0])
        chosen = wide.action_space.sample()
        seen, paid, *_ = wide.step(chosen)
        lone, also, *_ = alone.step(chosen[:1])
        assert paid[0] == also[0]


def test_actions_and_noise_out_of_place_are_refused(problem):
    env = ControlVectorEnv(problem, 2)
    env.reset(seed=0)
    before = env.state
    wrong = np.full(env.action_space.shape, np.nan if "float" in str(env.action_space) else 99)
    with pytest.raises(ValueError, match="actions must be 2 of"):
        env.step(wrong)
    np.testing.assert_array_equal(env.state, before)
    with pytest.raises(ValueError, match=r"noise must be float64\[2, "):
        env.reset(options={"noise": np.zeros((2, 1))})


def test_the_papers_policies_earn_what_the_paper_says():
    linear = exam("linear")
    noise = linear.noise()
    earned = linear.ideal.money * play(linear.ideal, linear.optimum, noise).mean()
    assert earned == pytest.approx(1269.01, abs=5e-3)
    quadratic = exam("quadratic")
    earned = quadratic.ideal.money * play(quadratic.ideal, quadratic.optimum, noise).mean()
    assert earned == pytest.approx(3410.53, abs=5e-3)
    myopic = signal(
        SignalProblem(moves=(), action="target", linear=0.0, quadratic=1.0), Training(), ""
    )
    # One decision's best: p = 2 risk q + 2 cost (q - q0).
    mark = myopic.mark(lambda seen: (seen[:, :1] + 4.0 * seen[:, 1:]) / 2.6 / 2.0)
    assert mark.earned == pytest.approx(3175.6, abs=0.05)
    assert mark.score == pytest.approx(3175.6 / 3410.53, abs=1e-4)
    markowitz = myopic.mark(lambda seen: seen[:, :1] / 0.6 / 2.0)
    assert markowitz.earned == pytest.approx(1513.9, abs=0.05)


@pytest.mark.parametrize("action", ["delta", "zone"])
def test_the_actions_learnt_with_can_express_the_optimum(action):
    problem = SignalProblem(moves=(), action=action, dead_zone=0.0 if action == "delta" else 0.5)
    posed = signal(problem, Training(), "")

    def band(seen):
        p, q = seen[:, 0].astype(float), problem.scale * seen[:, 1].astype(float)
        low, high = (p - 14 / 15) / (14 / 15), (p + 14 / 15) / (14 / 15)
        if action == "delta":
            return (np.clip(q, low, high) - q)[:, None] / problem.unit
        # The band is wider than the problem's own zone: where it is kept, one aims at where one is.
        aim = np.where(q < low, low + problem.dead_zone, q)
        aim = np.where(q > high, high - problem.dead_zone, aim)
        return aim[:, None] / problem.scale

    assert posed.mark(band).score == pytest.approx(1.0, abs=1e-4)


def test_a_dead_zone_of_a_quarter_costs_next_to_nothing():
    posed = exam("linear")

    def band(seen):
        p, q = seen[:, 0].astype(float), posed.problem.scale * seen[:, 1].astype(float)
        low, high = (p - 14 / 15) / (14 / 15), (p + 14 / 15) / (14 / 15)
        # Begins half a zone beyond the band and ends half a zone within.
        return (np.clip(q, low + 0.125, high - 0.125) - q)[:, None]

    assert posed.mark(band).score > 0.985


def test_selling_what_reverts_is_worth_what_dynamic_programming_says():
    posed = stopping(StoppingProblem(steps=600), Training())
    mark = posed.mark(posed.optimum)
    assert mark.score == 1.0
    # Continuous decisions are worth .40699 less the .28 of selling at once.
    assert 0.110 < mark.best < 0.127
    late = posed.mark(lambda seen: (seen[:, 0] > 3.0).astype(np.int64))
    early = posed.mark(lambda seen: (seen[:, 0] > 1.0).astype(np.int64))
    assert late.score < 0.97
    assert early.score < 0.8


def test_bets_and_sales_have_their_closed_forms_for_optimum():
    bets = betting(BettingProblem(low=0.6, high=0.6, steps=500), Training())
    assert bets.mark(lambda seen: np.full(len(seen), 4)).score == pytest.approx(1.0)
    double = bets.mark(lambda seen: np.full(len(seen), 8))
    assert double.earned < double.best
    sale = execution(ExecutionProblem(), Training())
    mark = sale.mark(lambda seen: np.full(len(seen), 9))
    assert 0.97 < mark.score < 1.001, "45 % of what is left is near the schedule"
    assert mark.flat < mark.best < 0.0
    deviation = 449_368 / 1e6 / math.sqrt(1000)
    objective = -(1_140_715 + 2e-6 * 449_368**2) / 1e6
    assert mark.best == pytest.approx(objective, abs=4 * deviation)


def test_a_planted_market_marks_its_optimum_one_and_idling_nought():
    posed = PlantedExam("p", 0.2, 0.9, 0.5, Training(), judged=20_000)
    assert posed.mark(Flat()).score == 0.0
    best = posed.mark(Follow(0.2, 0.2))
    assert best.score == pytest.approx(1.0, abs=0.01)
    # Three standard errors: 20,000 decisions of such a signal tell about a thousand apart.
    assert best.best == pytest.approx(0.10177, abs=0.012)
    assert posed.mark(Follow(0.05, 0.05)).score < 0.75


def test_without_an_edge_who_trades_fails():
    posed = PlantedExam("p", 0.0, 0.95, 0.3, Training(), judged=3000)
    assert posed.mark(Flat()) == Mark(1.0, 0.0, 0.0, 0.0, 0.0)
    busy = posed.mark(Probe(20))
    assert busy.score == 0.0
    # Half a position turned over each 20 decisions: a whole one's cost.
    assert busy.earned == pytest.approx(-0.3 / 20, rel=0.1)


def test_who_knows_the_future_wins():
    posed = LeakedExam("l", 0.0, 0.95, 0.5, Training(), judged=5000)
    mark = posed.mark(Follow(0.15, 0.15))
    assert mark.score > 0.95
    assert mark.best == pytest.approx(0.3956, abs=0.02)
    assert posed.mark(Follow(0.01, 0.01)).score < mark.score


def test_marks_and_verdicts():
    assert score(1242.03, 1269.01, 0.0) == pytest.approx(0.979, abs=5e-4)
    assert verdict(0.9787) == "pass"
    with pytest.raises(ValueError, match="best must exceed flat, was 0"):
        score(1.0, 0.0, 0.0)
    with pytest.raises(ValueError, match=r"exams must be of linear, .*, was none such"):
        exam("none such")


def test_a_policy_with_a_memory_sits_an_exam(tmp_path):
    """It answers how often it was asked, which nothing but its memory can tell."""
    posed = signal(SignalProblem(moves=(), action="target", bound=1.0, scale=1.0), Training(), "")
    floats = TensorProto.FLOAT
    nodes = [
        helper.make_node("Identity", ["state"], ["action"]),
        helper.make_node("Add", ["state", "one"], ["after"]),
    ]
    one = helper.make_tensor("one", floats, [1, 1], [1.0])
    sees = [
        helper.make_tensor_value_info(name, floats, ["n", width])
        for name, width in (("observation", 2), ("state", 1))
    ]
    says = [helper.make_tensor_value_info(name, floats, ["n", 1]) for name in ("action", "after")]
    graph = helper.make_graph(nodes, "counts", sees, says, [one])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(made, {"schema": posed.world().schema})
    path = tmp_path / "policy.onnx"
    path.write_bytes(made.SerializeToString())
    answers = []

    def once(seen):
        answers.append(len(answers))
        return np.full((len(seen), 1), float(answers[-1]), np.float32)

    assert posed.judge(path) == pytest.approx(posed.mark(once), nan_ok=True)
    assert len(answers) > 2


def test_ranking_tells_seeds_median_and_time(tmp_path):
    class Posed:
        name, about, curriculum = "posed", "a toy", None
        training = Training(steps=5000)

        def world(self):
            return ControlWorld(SignalProblem())

        def judge(self, path):
            return Mark(float(path.read_text()), 1.0, 2.0, 0.0, math.nan)

    def learn(posed, training, seed):
        assert training.steps == 7
        path = tmp_path / str(seed)
        path.write_text(str((0.99, 0.5, 0.981)[seed]))
        return path

    ticks = iter(range(100))
    (found,) = rank(
        [Posed()], learn, range(3), lambda: float(next(ticks)), lambda posed: Training(steps=7)
    )
    assert found.scores == (0.99, 0.5, 0.981)
    assert (found.median, found.verdict) == (0.981, "good")
    assert found.seconds == (1.0, 1.0, 1.0)
    assert found.told()["exposed"] == [None, None, None]


def test_every_exam_can_be_sat():
    assert set(EXAMS) == {
        "linear", "quadratic", "exit", "bets", "execution", "strong", "weak", "none", "leaked",
    }  # fmt: skip
    for name in ("linear", "quadratic", "bets", "execution"):
        posed = exam(name)
        assert posed.name == name
        world = posed.world()
        assert world.make(2).reset(seed=0)[0].shape[0] == 2
        assert world.with_level(1.0) is world
    assert exam("linear").world().with_level(0.25).problem.linear == 1.0
