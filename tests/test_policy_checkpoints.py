"""Checkpoints are whole or absent; the curriculum always ends at the market as it is."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import StateError
from policies.checkpoints import Checkpoints
from policies.curriculum import Curriculum, Ladder
from policies.curves import chart, sparkline

ROOT = Path(__file__).parents[1]


def put(text):
    def write(folder):
        (folder / "inner").mkdir()
        (folder / "inner" / "weights").write_text(text)

    return write


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path):
    made = Checkpoints(tmp_path / "made")
    assert made.latest() is None
    for steps in (8, 16, 1000):
        made.save(steps, put(f"w{steps}"), {"curve": [steps]})
    found = made.latest()
    assert (found.steps, found.state) == (1000, {"curve": [1000]})
    assert (found.files / "inner" / "weights").read_text() == "w1000"
    assert sorted(int(one.name) for one in (tmp_path / "made").iterdir()) == [16, 1000]
    made.save(1000, put("again"), {})
    assert (made.latest().files / "inner" / "weights").read_text() == "again"
    made.clear()
    with pytest.raises(StateError, match=r"no checkpoint in .*train without resume first"):
        made.required()


@pytest.mark.parametrize("harm", ["weights", "state", "gone", "scratch"])
def test_a_damaged_one_is_passed_over(tmp_path, harm):
    made = Checkpoints(tmp_path)
    made.save(1, put("one"), {})
    made.save(2, put("two"), {})
    newest = made.latest().files.parent
    if harm == "weights":
        (newest / "files" / "inner" / "weights").write_text("tvo")
    elif harm == "state":
        (newest / "state.json").write_text('{"steps": 2')
    elif harm == "gone":
        (newest / "files" / "inner" / "weights").unlink()
    else:
        newest.rename(tmp_path / ".new-2")
    assert made.latest().steps == 1
    made.save(3, put("three"), {})
    assert made.latest().steps == 3
    assert not list(tmp_path.glob(".*"))


def test_a_failed_write_leaves_the_one_before(tmp_path):
    made = Checkpoints(tmp_path)
    made.save(1, put("one"), {})

    def broken(folder):
        (folder / "half").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        made.save(2, broken, {})
    assert made.latest().steps == 1


def test_killed_at_any_moment_a_whole_one_is_there(tmp_path):
    code = (
        "import sys; from pathlib import Path; from policies.checkpoints import Checkpoints\n"
        "made, steps = Checkpoints(Path(sys.argv[1])), 0\n"
        "while True:\n"
        "    steps += 1\n"
        "    made.save(steps, lambda at: (at / 'w').write_text(str(steps) * 2000), {'n': steps})\n"
        "    print(steps, flush=True)\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    for pause in (0.0, 0.013, 0.029):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], env=env, stdout=subprocess.PIPE, text=True
        ) as writer:
            for _ in range(3):
                writer.stdout.readline()
            time.sleep(pause)
            os.kill(writer.pid, signal.SIGKILL)
            said = [int(line) for line in writer.stdout.read().split()] or [3]
        found = Checkpoints(tmp_path).latest()
        assert found.steps >= said[-1]
        assert found.state == {"n": found.steps}
        assert (found.files / "w").read_text() == str(found.steps) * 2000


@given(
    st.lists(st.floats(-5, 5) | st.just(math.nan), min_size=1, max_size=60),
    st.floats(-5, 5) | st.none(),
    st.floats(0.05, 0.95),
)
def test_a_ladder_only_climbs_and_ends_at_the_market_as_it_is(rewards, reward, until):
    plan = Curriculum(levels=(0.0, 0.5, 1.0), until=until, reward=reward, patience=2)
    ladder, seen = Ladder(plan), [0.0]
    for i, one in enumerate(rewards):
        seen.append(ladder({"steps": i + 1, "of": len(rewards), "reward": one}))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert set(seen) <= set(plan.levels)


def test_a_reward_takes_the_next_level_ahead_of_the_schedule():
    plan = Curriculum(levels=(0.0, 0.5, 1.0), until=0.9, reward=1.0, patience=3)
    ladder = Ladder(plan)
    told = {"steps": 1, "of": 1000, "reward": 2.0}
    assert [ladder(told) for _ in range(7)] == [0.0, 0.0, 0.5, 0.5, 0.5, 1.0, 1.0]
    assert Ladder(plan)(told | {"reward": 0.5}) == 0.0
    assert Ladder(plan, level=0.5).level == 0.5, "a resumed one stands where it stood"


@pytest.mark.parametrize("levels", [(0.0, 0.5), (1.0, 0.5, 1.0), (0.5, 0.5, 1.0)])
def test_levels_that_do_not_ascend_to_the_market_are_refused(levels):
    with pytest.raises(ValueError, match="levels must ascend and end with 1, were"):
        Curriculum(levels=levels)


def test_curves_show_what_is_known_and_leave_gaps():
    assert sparkline([math.nan, math.nan]) == "  "
    assert sparkline([3.0] * 4) == "▁▁▁▁"
    assert len(sparkline(list(range(1000)), 24)) == 24
    assert chart([1.0], 10, 2) == ()
    lines = chart([0.0, math.nan, *range(500)], 30, 5)
    assert len(lines) == 5
    assert all(len(line) == len(lines[0]) for line in lines)
    assert lines[0].startswith(" 495 ")  # a mean of the last stretch
    with pytest.raises(ValueError, match="width and height must be positive"):
        chart([1.0, 2.0], 0)
