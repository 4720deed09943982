"""The search: it finds what is there, knows what it fooled itself by, and forgets nothing."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console

from features.config import FeatureConfig
from features.labels import LabelConfig
from market.errors import ConfigError, DataError, StateError
from market.execution import Costs
from market.tape import Tape
from models.config import EnsembleConfig
from models.members.catalogue import KINDS
from models.search.asking import propose
from models.search.book import Book, Outcome, Row
from models.search.config import SearchConfig
from models.search.leaderboard import leaderboard, worth
from models.search.material import Material
from models.search.objective import series
from models.search.proposal import Proposal
from models.search.ranges import DEFAULT, corners, settings_of
from models.search.search import combinations
from tests.model_data import dataset, slow
from tests.search_cases import BASE, SEARCH, TREES, Count, plain, searched


def planted_product(m=1500, seed=1):
    """Return a dataset whose label is the sign of two columns' product: no line tells it."""
    data, rng = dataset(m, seed=seed), np.random.default_rng([seed, 5])
    told = data.X[:, 0] * data.X[:, 1] + 0.7 * rng.normal(size=m)
    label = np.digitize(told, np.quantile(told, [1 / 3, 2 / 3])).astype(np.int8)
    return replace(data, label=np.where(data.label < 0, -1, label).astype(np.int8))


def test_the_family_that_can_tell_is_found(tmp_path):
    search = SearchConfig(
        members=("logistic", "lgbm"), settings={"lgbm": TREES}, trials=9, startup=3, outer=1
    )
    count = Count()
    found = searched(tmp_path, search, planted_product(), count)
    assert "lgbm" in [member["kind"] for member in found.best.proposal.members]
    of = {row.proposal.kind: row.outcome.score for row in found.rows[:2]}
    assert of["lgbm"] > 50.0 > 10.0 > abs(of["logistic"])
    (step,) = found.steps
    assert step.worth.low > 0.0  # it holds behind what was searched on
    assert found.trials == len(count.what) == 18
    assert all("score" in one or "folds" in one for one in count.figures.values())
    assert "sharpe" in count.figures[found.best.registered]
    assert "lgbm.leaves" in count.figures[found.rows[1].registered]
    console = Console(width=200, record=True, quiet=True)
    console.print(leaderboard("R_75", search, found), worth(search, found.steps))


def unrelated(seed, sets=7):
    """Return sets of columns that have nothing to do with the labels, nor with each other."""
    data, rng = dataset(600, seed=seed), np.random.default_rng([seed, 3])
    one, names = Material.alone(data), tuple(f"slow_{i}" for i in range(12))
    made = (replace(data, X=slow(600, 12, 0.9, rng), names=names) for _ in range(sets))
    return Material(tuple(made), one.labels * sets, one.costs)


@pytest.mark.soak
def test_on_noise_the_best_looks_good_inside_and_is_nothing_behind(tmp_path):
    # Before costs, seven models of nothing: the best of them earns, until it is judged behind.
    search = SearchConfig(
        members=("lgbm",),
        settings={"lgbm": {"trees": 30, "min_leaf": 10, "learning_rate": 0.1}},
        columns=[(f"momentum_{2**i}",) for i in range(7)],
        objective="traded",
        trials=7,
        startup=7,
        outer=1,
        first=0.6,
    )
    found = [searched(tmp_path / str(seed), search, unrelated(seed)) for seed in range(5)]
    inner = [one.steps[0].best.outcome.score for one in found]
    behind = [one.steps[0].worth.score for one in found]
    assert min(inner) >= 0.0
    assert np.mean(inner) > 0.02
    assert np.mean(behind) < np.std(behind, ddof=1) / np.sqrt(len(behind))


@pytest.mark.parametrize("at", [1, 9])
def test_a_search_that_broke_off_ends_as_it_would_have(tmp_path, at):
    whole, left = plain(searched(tmp_path / "whole")), at

    class Crash(BaseException):
        """Stands for ``kill -9``."""

    def fuse(name, search):
        nonlocal left
        left -= 1
        if not left:
            raise Crash

    count = Count()
    with pytest.raises(Crash):
        searched(tmp_path, count=count, watch=fuse)
    book = tmp_path / "own" / "final.jsonl"
    if book.exists():  # a line that was cut short is none
        book.write_bytes(book.read_bytes() + b'{"spent":1.0,"row":{"numb')
    assert plain(searched(tmp_path, count=count)) == whole
    assert len(count.what) == len(whole[0])  # a trial that is done again isn't another one
    again = Count()
    assert plain(searched(tmp_path, count=again)) == whole
    assert again.what == []  # nothing is left to do


def test_a_trial_is_counted_before_it_begins(tmp_path):
    count, seen = Count(), []

    def watch(name, search):
        seen.append(len(search.book.rows) <= len(count.what))

    searched(tmp_path, count=count, watch=watch)
    assert all(seen)
    assert sorted(count.figures) == list(range(1, SEARCH.trials + 1))


def test_time_ends_a_search_and_the_best_so_far_is_the_answer(tmp_path):
    ticks = iter(range(10_000))
    slow = SEARCH.model_copy(update={"seconds": 40.0, "trials": 1000})
    found = searched(tmp_path, slow, now=lambda: float(next(ticks)))
    assert 2 <= len(found.rows) < 20
    assert found.best.outcome is not None
    hasty = SEARCH.model_copy(update={"seconds": 1e-9, "outer": 1})
    found = searched(tmp_path / "hasty", hasty, now=lambda: float(next(ticks)))
    assert [len(found.rows), found.steps[0].trials] == [1, 1]  # no answer would be none


def test_poor_trials_are_given_up_and_the_sampler_is_told(tmp_path):
    search = SEARCH.model_copy(update={"trials": 16, "startup": 4, "keep": 0.3})
    found = searched(tmp_path, search)
    given_up = [row for row in found.rows if row.state == "pruned"]
    assert given_up
    for row in given_up:
        before = [one.folds for one in found.rows[: row.number]]
        rivals = [folds[len(row.folds) - 1] for folds in before if len(folds) >= len(row.folds)]
        assert len(row.folds) < BASE.folds
        assert row.folds[-1] < np.quantile(rivals, 0.7)
    assert found.best.state == "done"


def test_nothing_of_the_hold_out_is_looked_at():
    rng, n = np.random.default_rng(4), 1600
    prices = 100.0 * np.exp(1e-3 * np.cumsum(rng.normal(size=n)))
    times = 1_700_000_000_000_000_000 + 2_000_000_000 * np.arange(n)
    labels = (LabelConfig(horizon=5), LabelConfig(horizon=40))

    def material(prices):
        made = Material.of(
            Tape.of_ticks("R_75", times, prices), [FeatureConfig()], labels, 2, Costs()
        )
        late = made.between(300, n)  # as columns that warm up later
        return Material(made.datasets + late.datasets, made.labels + late.labels, made.costs)

    whole = material(prices)
    known = whole.known(0.3)
    cut = min(int(one.rows[round(0.7 * len(one))]) for one in whole.datasets)
    other = prices.copy()
    other[cut:] *= np.linspace(1.0, 2.0, n - cut)
    same = material(other).known(0.3)
    for columns in range(2):
        for number in range(2):
            one, twin = known.dataset(columns, number), same.dataset(columns, number)
            assert one.rows[-1] + 40 < cut  # the longest labels end before it, whichever is taken
            assert one.horizon == labels[number].horizon
            for name in ("X", "label", "label_end", "rows", "fill", "volatility"):
                np.testing.assert_array_equal(getattr(one, name), getattr(twin, name))
    assert (known.dataset(0, 0).label != known.dataset(0, 1).label).any()
    with pytest.raises(DataError, match=r"R_75: no decision from event 10 to 20 .* 40 events"):
        whole.between(10, 20)


def test_labels_of_any_horizon_are_judged_alike():
    # A slow column tells ten times as much of ten returns as of one, and in ten times the time.
    data = dataset(4000, ic=0.25, rho=0.98)
    rates = []
    for horizon in (1, 10):
        one = dataset(4000, ic=0.25, rho=0.98, horizon=horizon)
        told = np.flatnonzero(one.label >= 0)
        drift = 0.25 * data.X[:, 0] * horizon**0.5
        proba = np.stack([_below(-0.43 - drift), np.zeros(4000), 1.0 - _below(0.43 - drift)], 1)
        proba[:, 1] = 1.0 - proba.sum(axis=1)
        base = np.broadcast_to([1 / 3, 1 / 3, 1 / 3], proba.shape)
        rates.append(series(one, told, proba, base, Costs())["information"].mean())
    assert 0.5 < rates[1] / rates[0] < 2.0  # by decision they are ten times as far apart


def _below(values):
    from scipy.special import ndtr

    return ndtr(values)


def test_direction_is_the_part_of_the_information_about_up_or_down():
    data = dataset(500, ic=0.3)
    told, rng = np.flatnonzero(data.label >= 0), np.random.default_rng(1)
    proba, base = rng.dirichlet((3, 3, 3), 500), np.broadcast_to([0.3, 0.4, 0.3], (500, 3))
    found = series(data, told, proba, base, Costs())
    flat = np.stack([proba[:, 0] + proba[:, 2], proba[:, 1]], 1)
    moved = (data.label[told] == 1).astype(int)
    rest = 1000.0 * np.log(flat[told, moved] / np.array([0.6, 0.4])[moved])
    np.testing.assert_allclose(found["information"], found["direction"] + rest)


def test_what_is_traded_pays_its_costs():
    data = dataset(400, ic=0.0)
    told = np.arange(399)
    proba = np.tile([0.1, 0.2, 0.7], (400, 1))
    base = np.full((400, 3), 1 / 3)
    none = series(data, told, proba, base, Costs())["traded"].sum() / 1000.0
    paid = series(data, told, proba, base, Costs(commission=1e-5))["traded"].sum() / 1000.0
    assert none == pytest.approx(np.log(data.fill[398] / data.fill[0]))  # long all the time
    assert paid == pytest.approx(none - 1e-5, rel=1e-6)  # and bought once
    dear = series(data, told, proba, base, Costs(commission=1.0e-2))["traded"]
    assert not dear.any()  # no move expected is worth it
    assert not series(data, told, base, base, Costs())["traded"].any()  # nothing is said


def test_combinations_are_of_each_familys_best():
    def row(number, kind, score, **settings):
        proposal = Proposal(({"kind": kind, **settings},), selection=number % 2)
        outcome = Outcome(score, score, score, {})
        return Row(number, proposal, {"kind": kind}, number, "done", [], outcome)

    rows = [
        row(0, "lgbm", 2.0),
        row(1, "logistic", 3.0, C=0.1),
        row(2, "lgbm", 1.0),
        row(3, "svm", 0.5),
    ]
    search = SearchConfig(members=("lgbm", "logistic", "svm"), together=3)
    told = [
        (one.combination, [m["kind"] for m in one.members]) for one in combinations(search, rows)
    ]
    assert told[:2] == [("stack", ["logistic", "lgbm"]), ("vote", ["logistic", "lgbm"])]
    assert told[2] == ("stack", ["logistic", "lgbm", "svm"])
    assert {one.selection for one in combinations(search, rows)} == {1}  # the best one's columns
    config = combinations(search, rows)[3].ensemble(EnsembleConfig(), search)
    assert config.combination.kind == "vote"
    assert config.members[0].C == 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_every_family_has_a_space_around_its_defaults(kind):
    search = SearchConfig(members=(kind,))
    fields = settings_of(kind).model_fields
    assert set(DEFAULT[kind]) <= set(fields)
    for name, setting in DEFAULT[kind].items():
        for value in corners(setting):
            settings_of(kind).model_validate({name: value})
    first, params = propose(search, [], 0, 1)
    own = settings_of(kind).model_validate(first.members[0])
    assert own == settings_of(kind)()
    assert params["kind"] == kind
    others = [propose(search, [], number, 1)[0] for number in range(1, 6)]
    for one in others:
        one.ensemble(EnsembleConfig(), search)
    assert len({str(one.members) for one in others}) == 5


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"members": ["lgmb"]}, r"no member is a lgmb; there are .*lgbm"),
        ({"settings": {"gru": {"hidden": 4}}, "members": ["lgbm"]}, r"settings.gru: is not sea"),
        ({"settings": {"lgbm": {"leafs": 4}}}, r"settings.lgbm: no setting 'leafs'; there are"),
        ({"settings": {"lgbm": {"leaves": [1, 4]}}}, r"settings.lgbm.leaves: .* was 1"),
        ({"settings": {"lgbm": {"leaves": {"low": 2.5, "high": 4}}}}, r"must be whole numbers"),
        ({"settings": {"lgbm": {"l2": {"low": 4, "high": 1}}}}, r"low must be below high \(1\)"),
        ({"selection": [10, 10]}, r"must not name anything twice"),
    ],
)
def test_a_space_that_can_not_be_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        SearchConfig.model_validate(given)


def test_settings_that_do_not_go_together_fail_alone(tmp_path):
    settings = {"technical": {}, "logistic": {}}
    search = SearchConfig(members=("technical", "logistic"), settings=settings, trials=4, outer=0)
    found = searched(tmp_path, search)
    failed = [row for row in found.rows if row.state == "failed"]
    assert "technical takes" in failed[0].reason
    assert found.best.proposal.kind == "logistic"
    with pytest.raises(DataError, match=r"none of 3 trials could be judged; the first: R_75"):
        searched(tmp_path / "none", SearchConfig(members=("technical",), trials=3, outer=0))
    wrong = Proposal(({"kind": "lstm", "hidden": 16, "heads": 3},))
    with pytest.raises(ConfigError, match="hidden must be a multiple of heads"):
        wrong.ensemble(EnsembleConfig(), SearchConfig())


def test_a_book_that_is_damaged_is_refused(tmp_path):
    path = tmp_path / "book.jsonl"
    path.write_text('{"spent":1.0}\nnonsense\n')
    with pytest.raises(StateError, match=r"book.jsonl:2: no trial .* delete the file"):
        Book(path)


def test_a_book_that_lost_lines_is_refused(tmp_path):
    book = Book(tmp_path / "book.jsonl")
    for number in range(3):
        row = Row(number, Proposal(({"kind": "lgbm"},)), {"kind": "lgbm"}, number)
        book.begin(row, float(number))
    lines = book.path.read_bytes().splitlines(keepends=True)
    assert len(Book(book.path).rows) == 3
    book.path.write_bytes(b"".join(lines[::2]))
    with pytest.raises(StateError, match=r"book.jsonl:2: trial 2 follows on 1 trials.*delete"):
        Book(book.path)
