"""What the compiled step is handed: addresses of arrays that stay where they are."""

import copy
import pickle

import numpy as np
import pytest

from envs.board import BOARD, Board
from envs.market import MarketEnv, MarketVectorEnv
from envs.memory import aligned
from envs.planted import planted

TAPE = planted(80, 0.1, 0.9, 0.1, np.random.default_rng(0))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_of_an_environment_goes_its_own_way(copied):
    """And reads and writes its own arrays, not the memory of the one it was copied from."""
    env = MarketVectorEnv([TAPE], 3)
    env.reset(seed=1, options={"start": 0})
    env.step(np.array([1, 4, 5]))
    other = copied(env)
    seen, equity = env._seen.copy(), env.equity
    for action in (3, 1, 5):
        other.step(np.full(3, action))
    assert (env._seen == seen).all()
    assert (env.equity == equity).all()
    assert (other.equity != equity).all()
    for action in (3, 1, 5):
        env.step(np.full(3, action))
    assert (env.equity == other.equity).all()
    assert (env._seen == other._seen).all()
    del env
    other.step(np.full(3, 0))


def test_one_episode_is_the_vector_environments():
    one, many = MarketEnv([TAPE]), MarketVectorEnv([TAPE], 1)
    assert (one.reset(seed=3)[0] == many.reset(seed=3)[0][0]).all()
    kept = []
    for action in np.random.default_rng(2).integers(0, 6, 200):
        seen, reward, terminated, truncated, told = one.step(action)
        rows, rewards, fell, cut, _ = many.step(np.array([action]))
        assert (seen == rows[0]).all()
        assert told["equity"] == many.equity[0]
        assert (reward, terminated, truncated) == (rewards[0], fell[0], cut[0])
        kept.append((seen, seen.copy()))
    assert all((seen == then).all() for seen, then in kept)
    with pytest.raises(ValueError, match=r"actions? must be"):
        one.step(np.int64(6))


def test_what_is_not_contiguous_is_refused():
    with pytest.raises(ValueError, match=r"money must be contiguous"):
        Board({"money": np.zeros((4, 22))[:, ::2]}, {})


def test_a_row_begins_where_a_cache_line_does():
    assert all(aligned(5, 3, kind).ctypes.data % 64 == 0 for kind in (np.float32, np.float64))
    env = MarketVectorEnv([TAPE])
    assert len(env._board.words) == len(BOARD)
    assert all(one.ctypes.data % 64 == 0 for one in (env._reel.seen, env._reel.events))
