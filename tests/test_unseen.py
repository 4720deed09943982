"""No outcome of what is trained on lies in what must stay unseen."""

import numpy as np
import pytest

from market.errors import DataError
from tests.model_data import dataset
from trading.unseen import known


def test_nothing_known_reaches_into_the_holdout():
    data = dataset(1000, horizon=7, gaps=(300, 698))
    learnt, unseen = known(data, 0.3)
    first = data.rows[700]
    assert unseen == data.times[700] - 1
    assert learnt.label_end.max() < first
    assert (learnt.rows + data.horizon < first).all()
    assert len(learnt) == first - data.horizon  # and no more than that is given up
    np.testing.assert_array_equal(learnt.X, data.X[: len(learnt)])


def test_too_little_to_be_parted_is_told():
    with pytest.raises(DataError, match=r"R_75: of 1 decisions .* 1 to train on and 0 to judge"):
        known(dataset(2).slice(0, 1), 0.3)
    with pytest.raises(DataError, match="0 to train on and 2 to judge by; collect more history"):
        known(dataset(3, horizon=2).slice(0, 2), 0.9)
