"""How networks are trained: the loop, its loss, its loader."""

import itertools

import numpy as np
import pytest
import torch

from market.errors import ConfigError, DataError
from models.member import frequencies, log_loss
from models.members.catalogue import make
from models.nets.config import GruConfig, MlpConfig
from models.nets.loading import Windows, epoch
from models.nets.losses import focal_loss, minimiser, posterior
from models.nets.scaling import CLIP, Scaling
from models.nets.training import rates, sealed
from models.windows import batches

QUICK = {"window": 2, "epochs": 8, "learning_rate": 0.02, "batch": 64, "device": "cpu"}


def planted(m=1500, seed=1, wrong=0.0):
    """Return rows whose first column gives the label, some of them a wrong one."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(m, 3)).astype(np.float32)
    labels = np.digitize(rows[:, 0], [-0.43, 0.43]).astype(np.int64)
    other = rng.random(m) < wrong
    labels[other] = rng.integers(0, 3, other.sum())
    ends = np.arange(1, m)
    return rows, labels, *np.split(ends, [m // 2, 3 * m // 4])


def fit(config, rows, labels, train, stop, seed=1, **more):
    (member,) = make([config])
    return member.fit(rows, labels, train, stop, seed, **more)


def test_loaded_windows_are_the_windows():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(50, 3)).astype(np.float32)
    for window in (1, 4, 50):
        ends = rng.permutation(np.arange(window - 1, 50))
        mine = Windows(rows, window).batches(ends, 7)
        for one, other in itertools.zip_longest(mine, batches(rows, ends, window, 7)):
            np.testing.assert_array_equal(one.numpy(), other)
    assert list(Windows(rows, 60).batches(np.empty(0, np.int64), 7)) == []


def test_loader_holds_the_rows_and_nothing_else():
    rows = np.zeros((1000, 5), np.float32)
    windows = Windows(rows, 100)
    held = windows._flat.untyped_storage()
    assert (held.data_ptr(), held.nbytes()) == (rows.ctypes.data, rows.nbytes)
    rows[200] = 1.0  # seen through the view
    batch = windows[torch.tensor([200, 199])]
    assert batch.sum(dim=(1, 2)).tolist() == [5.0, 0.0]
    assert batch.is_contiguous()
    assert batch.untyped_storage().nbytes() == 2 * 100 * 5 * 4


def test_an_epoch_is_even_in_time():
    draw = torch.Generator().manual_seed(1)
    ends = torch.arange(100, 1100)
    assert sorted(epoch(ends, 1000, draw).tolist()) == ends.tolist()
    drawn = [epoch(ends, 30, draw) for _ in range(300)]
    for one in drawn[:5]:
        stretch = ((one - 100) * 30).div(1000, rounding_mode="floor")
        assert len(one) == 30
        assert np.abs(np.sort(stretch) - np.arange(30)).max() <= 1
        assert (one.diff() < 0).any()  # shuffled
    assert len(set(torch.cat(drawn).tolist())) > 990  # each has its turn


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_and_its_slope_are_the_published_ones(gamma):
    rng = np.random.default_rng(1)
    logits = torch.tensor(rng.normal(0, 2, (40, 3)), requires_grad=True)
    truth = torch.tensor(rng.integers(0, 3, 40))
    loss = focal_loss(logits, truth, gamma)
    loss.sum().backward()
    p = torch.softmax(logits.detach(), 1).numpy()
    pt = p[np.arange(40), truth]
    np.testing.assert_allclose(loss.detach(), -((1 - pt) ** gamma) * np.log(pt))
    # Lin et al., appendix B, for three classes.
    factor = (1 - pt) ** gamma * (1 - gamma * pt * np.log(pt) / (1 - pt))
    slope = (p - np.eye(3)[truth]) * factor[:, None]
    np.testing.assert_allclose(logits.grad, slope, atol=1e-12)


def test_focal_loss_of_what_is_certain_has_a_slope():
    logits = torch.tensor([[60.0, 0.0, 0.0]], requires_grad=True)
    for truth in (0, 1):
        focal_loss(logits, torch.tensor([truth]), 0.5).sum().backward()
        assert torch.isfinite(logits.grad).all()
    assert torch.isfinite(posterior(logits.detach(), 0.5)).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_probabilities_are_found_again_behind_the_focal_loss(gamma):
    for frequency in ([0.2, 0.5, 0.3], [0.01, 0.01, 0.98], [0.05, 0.9, 0.05]):
        wanted = np.array(frequency)
        outputs = minimiser(wanted, gamma)
        assert outputs.sum() == pytest.approx(1.0, abs=1e-9)
        logits = torch.tensor(np.log(outputs))[None].requires_grad_()
        np.testing.assert_allclose(posterior(logits.detach(), gamma)[0], wanted, atol=1e-9)
        cost = sum(
            share * focal_loss(logits, torch.tensor([i]), gamma).sum()
            for i, share in enumerate(frequency)
        )
        cost.backward()  # the expected loss is least there
        np.testing.assert_allclose(logits.grad, 0.0, atol=1e-9)


def test_a_network_trained_by_focal_loss_says_how_often_it_happens():
    rng = np.random.default_rng(1)
    rows = rng.choice([-1.0, 1.0], (3000, 2)).astype(np.float32)
    often = np.array([0.75, 0.15, 0.1])
    labels = rng.choice(3, 3000, p=often)
    labels = np.where(rows[:, 0] > 0.0, labels, 2 - labels)
    ends = np.arange(1, 3000)
    config = MlpConfig(**{**QUICK, "epochs": 16}, focal=2.0, dropout=0.0)
    fitted = fit(config, rows, labels, ends[:2000], ends[2000:])
    said = fitted.predict_proba(rows, ends)
    up = rows[ends, 0] > 0.0
    np.testing.assert_allclose(said[up].mean(axis=0), often, atol=0.04)
    np.testing.assert_allclose(said[~up].mean(axis=0), often[::-1], atol=0.04)
    assert minimiser(often, 2.0).max() < 0.67  # what the loss alone would have it say


def test_the_cycle_rises_to_its_rate_and_ends_at_nothing():
    config = MlpConfig(learning_rate=0.01)
    optimiser = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], 0.01)
    schedule = rates(optimiser, config, 100)
    seen = [schedule.get_last_lr()[0]]
    for _ in range(99):
        optimiser.step()
        schedule.step()
        seen.append(schedule.get_last_lr()[0])
    assert seen[0] == pytest.approx(0.01 / 25)
    assert max(seen) == pytest.approx(0.01)
    assert int(np.argmax(seen)) in (29, 30)
    assert seen[-1] < 1e-6
    assert all(np.diff(seen[30:]) < 0)


@pytest.mark.parametrize("schedule", ["onecycle", "cosine", "constant"])
def test_what_is_kept_is_what_so_many_epochs_give(schedule):
    rows, labels, train, stop, _ = planted(700, wrong=0.7)
    quick = {**QUICK, "epochs": 15, "patience": 2, "learning_rate": 0.006}
    config = MlpConfig(**quick, hidden=(64,), schedule=schedule)
    kept = fit(config, rows, labels, train, stop)
    assert 0 < kept.effort < 15  # it did learn by heart afterwards
    assert fit(config, rows, labels, train, stop[:0], effort=kept.effort).onnx() == kept.onnx()
    losses = [
        log_loss(
            fit(config, rows, labels, train, stop, effort=effort).predict_proba(rows, stop),
            labels[stop],
        )
        for effort in (0, kept.effort - 1, kept.effort, kept.effort + 1, kept.effort + 2)
    ]
    assert int(np.argmin(losses)) == 2


@pytest.mark.parametrize("focal", [0.0, 2.0])
def test_where_nothing_helps_the_frequencies_are_kept(focal):
    rows, labels, train, stop, test = planted()
    labels[stop] = 2 - labels[stop]  # what is learned is wrong afterwards
    fitted = fit(MlpConfig(**QUICK, focal=focal), rows, labels, train, stop)
    assert fitted.effort == 0
    base = np.tile(frequencies(labels[train]), (len(test), 1))
    np.testing.assert_allclose(fitted.predict_proba(rows, test), base, atol=1e-6)


def test_weights_say_whom_to_believe():
    rows, labels, train, stop, test = planted()
    odd = np.concatenate([train[1::2], stop[1::2]])
    labels[odd] = 2 - labels[odd]
    told = []
    for share in (0.1, 1.9):
        weights = np.full(len(rows), 2.0 - share)
        weights[odd] = share
        said = fit(MlpConfig(**QUICK), rows, labels, train, stop, weights=weights)
        told.append(said.predict_proba(rows, test) @ [-1.0, 0.0, 1.0])
    assert np.corrcoef(told[0], rows[test, 0])[0, 1] > 0.7
    assert np.corrcoef(told[1], rows[test, 0])[0, 1] < -0.7


def test_the_librarys_generators_neither_matter_nor_move():
    rows, labels, train, stop, _ = planted(400)
    config = GruConfig(**{**QUICK, "epochs": 2}, dropout=0.4, most=60)
    files = []
    for outside, seed in ((1, 3), (2, 3), (2, 4)):
        torch.manual_seed(outside)
        before = torch.random.get_rng_state()
        files.append(fit(config, rows, labels, train, stop, seed).onnx())
        assert torch.equal(torch.random.get_rng_state(), before)
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_dropout_and_most_change_what_is_learned_and_prediction_drops_nothing():
    rows, labels, train, stop, test = planted(400)
    files = set()
    for more in ({"dropout": 0.0}, {"dropout": 0.4}, {"dropout": 0.0, "most": 60}):
        fitted = fit(MlpConfig(**QUICK, **more), rows, labels, train, stop, effort=1)
        said = fitted.predict_proba(rows, test)
        np.testing.assert_array_equal(said, fitted.predict_proba(rows, test))
        files.add(fitted.onnx())
    assert len(files) == 3


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", [MlpConfig, GruConfig])
def test_mixed_precision_learns_about_the_same(kind, precision):
    rows, labels, train, stop, test = planted()
    losses = {
        one: log_loss(
            fit(kind(**QUICK, precision=one), rows, labels, train, stop).predict_proba(rows, test),
            labels[test],
        )
        for one in ("float32", precision)
    }
    assert losses["float32"] < 0.5
    assert 0.0 < abs(losses[precision] - losses["float32"]) < 0.05


def test_a_gpu_learns_about_the_same():
    if not torch.cuda.is_available():
        pytest.skip("torch finds no GPU")
    rows, labels, train, stop, test = planted()
    losses = []
    for device in ("cpu", "cuda"):
        fitted = fit(GruConfig(**{**QUICK, "device": device}), rows, labels, train, stop)
        losses.append(log_loss(fitted.predict_proba(rows, test), labels[test]))
    assert losses[1] == pytest.approx(losses[0], abs=0.05)


def test_a_gpu_that_is_not_there_is_named():
    if torch.cuda.is_available():
        pytest.skip("torch finds a GPU")
    with pytest.raises(ConfigError, match='torch finds no GPU; use "auto" or "cpu"'):
        fit(MlpConfig(**{**QUICK, "device": "cuda"}), *planted(100)[:4])


def test_nothing_to_learn_from_or_to_stop_by_is_said():
    rows, labels, train, stop, _ = planted(100)
    with pytest.raises(DataError, match="train holds no window"):
        fit(MlpConfig(**QUICK), rows, labels, train[:0], stop)
    with pytest.raises(DataError, match="stop holds no window of any weight"):
        fit(MlpConfig(**QUICK), rows, labels, train, stop[:0])


def test_fewer_rows_than_a_batch_are_learned_from():
    rows, labels, train, stop, test = planted(60)
    said = fit(MlpConfig(**{**QUICK, "batch": 512}), rows, labels, train, stop, effort=2)
    assert np.isfinite(said.predict_proba(rows, test)).all()


def test_jumps_are_cut_and_constant_columns_stay():
    rows = np.array([[1.0, 7.0], [3.0, 7.0], [2.0, 7.0]], np.float32)
    scaling = Scaling.of(rows)
    given = np.array([[1e30, 7.0], [-1e30, 9.0]], np.float32)
    before = given.copy()
    assert scaling(given).tolist() == [[CLIP, 0.0], [-CLIP, 2.0]]
    np.testing.assert_array_equal(given, before)


def test_threads_are_put_back():
    before = torch.get_num_threads()
    with sealed(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before

    @sealed(1)
    def fails():
        raise KeyError("anything")

    with pytest.raises(KeyError):
        fails()
    assert torch.get_num_threads() == before


def test_columns_that_are_small_throughout_are_scaled_like_any():
    small = np.random.default_rng(1).normal(3e-9, 1e-9, (500, 1)).astype(np.float32)
    scaled = Scaling.of(small)(small)
    assert abs(float(scaled.mean())) < 1e-3
    assert abs(float(scaled.std()) - 1.0) < 1e-3
    level = np.float32(1e4) + np.zeros((500, 1), np.float32)
    level[::2] = np.nextafter(level[0], np.float32(np.inf))  # as good as constant
    assert Scaling.of(level).scale.tolist() == [1.0]
    assert Scaling.of(np.full((9, 1), 1e-38, np.float32)).scale.tolist() == [1.0]
