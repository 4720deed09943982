"""The matrix on disk: what was written is read, weighed, trained on; what was torn is told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from features import matrix as files
from features.building import build_matrix
from features.decisions import ARRAYS
from features.labels.weights import uniqueness
from features.matrix import CARD, Matrix
from features.sources import Stored
from market.errors import StateError
from market.events import SECOND
from market.store import TickStore
from models.fit import fit_ensemble
from tests.datasets import recipe, ticks_of
from tests.model_data import QUICK, silent

START = 1_728_000_000 * SECOND


@pytest.fixture
def matrix(tmp_path: Path) -> Matrix:
    """A matrix of three days, in which two labels in three are known."""
    made = recipe("direction", horizon=9, every=2)
    store = TickStore(tmp_path / "store")
    store.append(ticks_of(START, 900, 240 * SECOND, gaps=(100, 640)), live=True)
    return build_matrix(Stored(store.root, "X", made.features), made, tmp_path / "m").matrix


def test_the_card_says_what_there_is(matrix: Matrix) -> None:
    card, data = matrix.card, matrix.dataset()
    assert len(matrix) == len(data) == card.decisions == len(data.rows)
    assert (card.events, card.gaps, card.symbol) == (900, 2, "X")
    assert (card.first, card.last) == (data.times[0], data.times[-1])
    # Each start takes 1, 4 and 8 events of the columns' warm-up; every second is decided on.
    assert card.due == 449
    assert card.unknown["momentum_4"] == pytest.approx(6 / 449)
    assert card.unknown["day_sin"] == 0.0
    assert card.decisions == card.due - round(card.unknown["channel_place_8"] * card.due)
    assert card.recipe["labels"]["horizon"] == 9
    matrix.verify()


def test_its_arrays_are_files_that_are_only_read(matrix: Matrix) -> None:
    data = matrix.dataset()
    for name in ARRAYS:
        array = getattr(data, name)
        assert isinstance(array, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    part = data.slice(5, 9)
    assert part.fresh.tolist() == [True, *data.fresh[6:9].tolist()]


@pytest.mark.parametrize("events", [1, 7, 100, 1 << 20])
def test_labels_weigh_what_is_their_own(
    matrix: Matrix, events: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weighed in parts, of any size, as they are all at once."""
    monkeypatch.setattr(files, "_EVENTS", events)
    made = recipe("direction", horizon=9, every=2)
    again = build_matrix(
        Stored(tmp_path / "store", "X", made.features), made, tmp_path / "again"
    ).matrix
    data = again.dataset()
    wanted = uniqueness(data.rows, data.label_end, again.card.events)
    np.testing.assert_allclose(again.uniqueness, wanted, rtol=1e-13)
    assert (again.uniqueness[data.label == -1] == 0.0).all()
    assert 0.1 < again.uniqueness[data.label != -1].min() < again.uniqueness.max() <= 1.0


def test_a_model_is_trained_on_it(matrix: Matrix) -> None:
    data = matrix.dataset()
    fitted = fit_ensemble(data, QUICK.model_copy(update={"members": QUICK.members[:1]}), 1, silent)
    assert np.isfinite(fitted.metrics["log_loss"])
    assert fitted.card.decisions == len(matrix)


@pytest.mark.parametrize(
    ("name", "torn", "told"),
    [
        (CARD, b"", r"meta.json is no matrix's card"),
        (CARD, b'{"format": 1', r"meta.json is no matrix's card"),
        (CARD, None, r"meta.json can't be read \(No such file"),
        ("X.npy", b"", r"X.npy can't be read"),
        ("X.npy", b"garbage", r"X.npy can't be read"),
        ("label.npy", None, r"label.npy can't be read"),
    ],
)
def test_garbage_is_told(matrix: Matrix, name: str, torn: bytes | None, told: str) -> None:
    path = matrix.folder / name
    path.unlink() if torn is None else path.write_bytes(torn)
    with pytest.raises(StateError, match=told + ".*; delete the folder and build it again"):
        Matrix(matrix.folder)


def test_a_torn_array_is_told(matrix: Matrix) -> None:
    path = matrix.folder / "X.npy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StateError, match=r"X\.npy can't be read"):
        Matrix(matrix.folder)


def test_an_array_of_another_matrix_is_told(matrix: Matrix) -> None:
    np.save(matrix.folder / "price.npy", np.zeros(3))
    with pytest.raises(StateError, match=r"price.npy must be float64\[\d+\], was float64\[3\]"):
        Matrix(matrix.folder)


def test_a_changed_value_is_found(matrix: Matrix) -> None:
    path = matrix.folder / "fill.npy"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(StateError, match=r"fill.npy was changed after it was written"):
        Matrix(matrix.folder).verify()


def test_a_later_format_is_refused(matrix: Matrix) -> None:
    card = msgspec.structs.replace(matrix.card, format=2)
    (matrix.folder / CARD).write_bytes(msgspec.json.encode(card))
    with pytest.raises(StateError, match="format 2, this is 1; delete the folder"):
        Matrix(matrix.folder)
