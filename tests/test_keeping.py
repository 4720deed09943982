"""What is kept of a fit: only what is missing is done, and nothing of another fit is taken."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.errors import DataError
from models.combination.config import VoteConfig
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.fitting import keeping
from models.fitting.keeping import kept, prune
from models.fitting.study import FitError, Said, Study, Task, serial
from models.members.config import LgbmConfig, LogisticConfig
from models.regime.config import ThresholdConfig
from tests.model_data import dataset, silent

QUICK = EnsembleConfig(
    members=(LgbmConfig(trees=10, min_leaf=40), LogisticConfig()), folds=3, embargo=8
)
CODE = "c" * 64
PIECES = 2 * 4  # two members, three folds and the whole


class Counting:
    """Does tasks in turn, and remembers which; breaks off after so many."""

    def __init__(self, most=10**9):
        self.did, self.most = [], most

    def __call__(self, study, tasks):
        for number, result in serial(study, tasks):
            if tasks[number].member >= 0:
                if len(self.did) == self.most:
                    raise KeyboardInterrupt
                self.did.append((tasks[number].fold, tasks[number].member))
            yield number, result


@pytest.fixture(scope="module")
def data():
    return dataset(700, ic=0.4)


@pytest.fixture(scope="module")
def whole(data):
    return fit_ensemble(data, QUICK, 1, silent)


def again(folder, data, config=QUICK, seed=1, code=CODE, most=10**9):
    """Fit with what is kept; return the ensemble and the pieces that had to be done."""
    counting = Counting(most)
    return fit_ensemble(
        data, config, seed, silent, runner=kept(folder, counting, code)
    ), counting.did


@pytest.mark.parametrize("most", [0, 1, 4, 6, 7])
def test_a_fit_that_broke_off_goes_on_where_it_was(tmp_path, data, whole, most):
    with pytest.raises(KeyboardInterrupt):
        again(tmp_path, data, most=most)
    assert len(list(tmp_path.glob("*"))) == most
    fitted, did = again(tmp_path, data)
    assert len(did) == PIECES - most
    assert fitted.card == whole.card
    assert fitted.models == whole.models
    np.testing.assert_array_equal(fitted.oof, whole.oof)
    twin, did = again(tmp_path, data)
    assert did == []
    assert twin.card == whole.card


def test_progress_reaches_one_whatever_was_kept(tmp_path, data):
    for _ in range(2):
        shares = []
        runner = kept(tmp_path, serial, CODE)
        fit_ensemble(data, QUICK, 1, lambda what, share: shares.append(share), runner=runner)  # noqa: B023
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert len(shares) == PIECES + 4  # the choices of columns


def test_another_combination_does_nothing_twice(tmp_path, data):
    again(tmp_path, data)
    other = QUICK.model_copy(
        update={
            "combination": VoteConfig(),
            "calibration": "vector",
            "regime": ThresholdConfig(column="slow_1"),
        }
    )
    fitted, did = again(tmp_path, data, other)
    assert did == []
    assert fitted.card == fit_ensemble(data, other, 1, silent).card


def test_one_member_more_is_the_only_one_fitted(tmp_path, data):
    again(tmp_path, data)
    more = (LogisticConfig(name="strict", C=0.001), *QUICK.members)
    fitted, did = again(tmp_path, data, QUICK.model_copy(update={"members": more}))
    assert did == [(0, 0), (1, 0), (2, 0), (-1, 0)]
    assert [one.name for one in fitted.card.members] == ["strict", "lgbm", "logistic"]


@pytest.mark.parametrize(
    "changed",
    [
        {"config": QUICK.model_copy(update={"weights": "equal"})},
        {"config": QUICK.model_copy(update={"embargo": 9})},
        {"config": QUICK.model_copy(update={"stop_share": 0.2})},
        {
            "config": QUICK.model_copy(
                update={"members": (LgbmConfig(trees=11), LogisticConfig(C=2.0))}
            )
        },
        {"seed": 2},
        {"code": "d" * 64},
        {"X": 1},
        {"label": 1},
    ],
)
def test_what_was_made_otherwise_is_not_taken(tmp_path, data, changed):
    again(tmp_path, data)
    other = data
    if "X" in changed:
        X = data.X.copy()
        X[350, 2] += 1e-9
        other = replace(data, X=X)
    if "label" in changed:
        label = data.label.copy()
        label[350] = (label[350] + 1) % 3
        other = replace(data, label=label)
    told = {key: value for key, value in changed.items() if key not in ("X", "label")}
    _, did = again(tmp_path, other, **told)
    assert len(did) == PIECES


def test_a_wider_window_among_the_members_changes_what_all_learn_from(tmp_path, data):
    again(tmp_path, data)
    wide = (*QUICK.members, LogisticConfig(name="wide", window=5))
    _, did = again(tmp_path, data, QUICK.model_copy(update={"members": wide}))
    assert len(did) == PIECES + 4  # the first four decisions are no full window any more


def test_no_bit_of_a_piece_may_differ(tmp_path):
    path = tmp_path / "one.piece"
    keeping._write(path, Said(3, np.random.default_rng(1).random((4, 3)), b"model"))
    sound = path.read_bytes()
    for at in range(8 * len(sound)):
        damaged = bytearray(sound)
        damaged[at // 8] ^= 1 << at % 8
        path.write_bytes(damaged)
        assert keeping._read(path) is None, at


@settings(
    max_examples=8,
    deadline=None,  # a busy disk is no fault
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(where=st.floats(0.0, 1.0, exclude_max=True), cut=st.booleans(), bit=st.integers(0, 7))
def test_a_damaged_piece_counts_as_absent(tmp_path, data, where, cut, bit):
    study = Study(data, QUICK, 1).prepared()
    did = []

    def counting(one, tasks):
        did.extend(tasks)
        return serial(one, tasks)

    task = Task(1, 1)
    ((_, first),) = kept(tmp_path, counting, CODE)(study, [task])
    (path,) = tmp_path.glob("*.piece")
    sound = path.read_bytes()
    at = int(where * len(sound))
    damaged = bytearray(sound[:at] if cut else sound)
    if not cut:
        damaged[at] ^= 1 << bit
    path.write_bytes(damaged)
    did.clear()
    ((_, second),) = kept(tmp_path, counting, CODE)(study, [task])
    assert did == [task]
    np.testing.assert_array_equal(second.proba, first.proba)
    assert path.read_bytes() == sound


def test_the_longest_unused_pieces_go_first(tmp_path, data):
    again(tmp_path, data)
    old = sorted(tmp_path.glob("*.piece"))
    for age, path in enumerate(old):
        os.utime(path, ns=(age, age))
    (tmp_path / "torn.piece-123").write_bytes(b"x" * 100)
    os.utime(tmp_path / "torn.piece-123", ns=(0, 0))
    size = sum(path.stat().st_size for path in old)
    assert prune(tmp_path, size + 100) == 0
    assert prune(tmp_path, size) == 1  # the half that a crash left
    assert not list(tmp_path.glob("*.piece-*"))
    assert prune(tmp_path, size - 1) == 1
    assert sorted(tmp_path.glob("*.piece")) == old[1:]
    _, did = again(tmp_path, data)
    assert len(did) == 1
    for path in old[1:]:
        assert path.stat().st_mtime_ns > 10**15  # used, so no longer the oldest
    assert prune(tmp_path, 0) == len(old)
    assert prune(tmp_path / "absent") == 0


class Breaking(Study):
    """One member of it breaks in the second fold."""

    error: Exception

    def _perform(self, task):
        if (task.fold, task.member) == (1, 0):
            raise self.error
        return super()._perform(task)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ValueError("k < 1"), FitError, "R_75, lgbm, fold 2 of 3: ValueError: k < 1; mend it or"),
        (DataError("too few rows"), DataError, "^R_75, lgbm, fold 2 of 3: too few rows$"),
    ],
)
def test_a_piece_that_breaks_names_member_and_fold(data, error, kind, message):
    study = Breaking(data, QUICK, 1)
    vars(study)["error"] = error
    with pytest.raises(kind, match=message):
        list(serial(study, [Task(0, 0), Task(1, 0)]))
