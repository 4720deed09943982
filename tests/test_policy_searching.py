"""A search of training settings: drawn alike each time, given up by rank, and gone on with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.policy_searching import parted
from envs.planted import planted
from market.errors import ConfigError, DataError
from policies.searching import Book, PolicySearch, Range, Row, drawn, proposal, told
from policies.training import Training

TWO = PolicySearch(rungs=2, reduction=2.0, trials=4)


def row(number, rung, score, state="on"):
    return Row(number, number + 1, rung, 100, score, score - 1, score + 1, state)


def test_trials_differ_and_are_drawn_alike_each_time():
    search = PolicySearch()
    made = [drawn(search, 7, number) for number in range(8)]
    assert made[0] == {}
    assert made == [drawn(search, 7, number) for number in range(8)]
    assert len({told(one) for one in made}) == 8
    assert drawn(search, 8, 1) != made[1]
    for one in made:
        training = proposal(Training(), one)
        assert 3e-4 <= training.rate <= 5e-3


@given(st.integers(1, 50), st.integers(51, 500), st.booleans(), st.integers(0, 2**32))
def test_a_range_is_kept(low, high, log, seed):
    value = Range(low=low, high=high, log=log).draw(np.random.default_rng(seed))
    assert isinstance(value, int)
    assert low <= value <= high


def test_what_can_not_be_set_is_refused():
    with pytest.raises(ConfigError, match=r"space\.gama: "):
        proposal(Training(), {"gama": 0.9})
    with pytest.raises(ConfigError, match=r"space\.gamma: .*less than 1"):
        proposal(Training(), {"gamma": 1.5})
    with pytest.raises(ConfigError, match=r"curriculum\.until: training has no curriculum"):
        proposal(Training(), {"curriculum.until": 0.3})
    with pytest.raises(ConfigError, match=r"nothing\.at\.all: training has no nothing"):
        proposal(Training(), {"nothing.at.all": 1})
    with pytest.raises(ValueError, match="low must be below high"):
        Range(low=2, high=1)


def test_the_worse_half_is_given_up_at_a_rung(tmp_path):
    book = Book(tmp_path / "book.jsonl", TWO)
    assert book.judged(0, 0, -1.0) == "on", "the first has nobody to be compared with"
    book.add(row(0, 0, -1.0))
    assert book.judged(1, 0, -2.0) == "pruned"
    book.add(row(1, 0, -2.0, "pruned"))
    assert book.judged(2, 0, 0.0) == "on"
    assert book.judged(2, 1, -9.0) == "done"


def test_a_book_that_broke_off_goes_on(tmp_path):
    path = tmp_path / "book.jsonl"
    book = Book(path, TWO)
    for one in (row(0, -1, 0.0, "counted"), row(0, 0, 1.0), row(0, 1, 2.0, "done"), row(1, 0, 0.5)):
        book.add(one)
    with path.open("ab") as file:
        file.write(b'{"number": 1, "trial"')
    again = Book(path, TWO)
    assert again.rows == book.rows
    assert (again.ended(0), again.ended(1), again.ended(2)) == (True, False, False)
    assert (again.trial(0), again.trial(3), again.last(1).rung) == (1, 0, 0)
    assert again.best == row(0, 1, 2.0, "done")
    again.add(row(1, 1, 3.0, "done"))
    assert Book(path, TWO).best.number == 1


def test_what_judges_is_later_with_a_gap():
    tape = planted(1000, 0.2, 0.9, 0.5, np.random.default_rng(0))
    learnt, later = parted(tape, 0.25, 12)
    assert len(learnt) == 750
    np.testing.assert_array_equal(later.times, tape.times[762:])
    with pytest.raises(DataError, match="1000 decisions are too few"):
        parted(tape, 0.25, 249)


def test_a_rung_that_is_played_again_is_judged_once(tmp_path):
    """Tune starts a trial whose process died again from where it first began."""
    from policies.rllib.search import Task, _Asker

    asked = PolicySearch(trials=1, rungs=3)
    tape = planted(100, 0.6, 0.9, 0.2, np.random.default_rng(0))
    task = Task(asked, Training(), *parted(tape, 0.3, 1), 5, tmp_path)
    book = Book(tmp_path / "book.jsonl", asked)
    asker = _Asker(task, book, lambda number: 7, lambda one: None)
    assert asker.suggest("a") == {"number": 0, "rung": 0}
    told = {"rung": 0, "steps": 9, "score": 0.1, "low": 0.0, "high": 0.2}
    assert asker.judged("a", told)
    rows = list(book.rows)
    assert asker.judged("a", told | {"steps": 90, "score": 0.9})
    assert book.rows == rows
    assert asker.judged("a", told | {"rung": 1})
    assert len(book.rows) == len(rows) + 1


def test_trials_in_tune_end_in_the_book_and_are_not_done_again(tmp_path, ray_cluster):
    from policies.rllib.search import Task, search

    tape = planted(1200, 0.6, 0.9, 0.2, np.random.default_rng(0))
    asked = PolicySearch(
        trials=3, rungs=2, reduction=2.0, workers=1, validation=0.3,
        space={"rate": Range(low=1e-3, high=1e-2, log=True), "gamma": (0.5, 2.0)},
    )  # fmt: skip
    small = Training(
        steps=4096, envs=16, fragment=32, minibatch=256, epochs=2, hidden=(16,), checkpoint=0.0
    )
    task = Task(asked, small, *parted(tape, 0.3, 1), 5, tmp_path)
    counted, seen = [], []

    def count(number):
        counted.append(number)
        return 10 + number

    assert {drawn(asked, 5, number).get("gamma") for number in (1, 2)} == {0.5, 2.0}
    book = Book(tmp_path / "book.jsonl", asked)
    search(task, book, count, lambda one: seen.append(len(one.rows)))
    assert counted == [0, 1, 2]
    (bad,) = (one for one in book.rows if one.state == "failed")
    assert "gamma" in bad.reason
    best = book.best
    assert best.steps >= 4096
    assert best.low < best.score < best.high
    assert best.trial == 10 + best.number
    rows = list(book.rows)
    search(task, Book(tmp_path / "book.jsonl", asked), count, lambda one: None)
    assert counted == [0, 1, 2]
    assert Book(tmp_path / "book.jsonl", asked).rows == rows
