"""Training in Ray tasks: the same ensemble, whatever process dies; run as a program, the driver.

``python -m tests.test_training_tasks FOLDER`` tells which shares of a GPU pieces got, then fits
until somebody kills it.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import sleep

import numpy as np
import psutil
import pytest

from actors import pieces
from actors.pieces import AHEAD, InTasks
from market.errors import ConfigError
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.fitting.keeping import kept
from models.fitting.study import WHOLE, FitError, Said, Study, Task, serial
from models.members.config import LgbmConfig, LogisticConfig
from models.nets.config import GruConfig
from tests.model_data import dataset, silent

QUICK = EnsembleConfig(
    members=(LogisticConfig(), LgbmConfig(trees=10, min_leaf=40)), folds=2, embargo=8
)
CODE = "c" * 64
PIECES = 2 * 3


def study(kind=Study, **more):
    made = kind(dataset(500, ic=0.4), QUICK, 1)
    vars(made).update(more)
    return made


def test_tasks_fit_the_same_ensemble(ray_cluster):
    data, shares = dataset(500, ic=0.4), []
    here = fit_ensemble(data, QUICK, 1, silent)
    tasks = InTasks()
    there = fit_ensemble(data, QUICK, 1, lambda what, share: shares.append(share), runner=tasks)
    assert there.card == here.card
    assert there.models == here.models
    np.testing.assert_array_equal(there.oof_members, here.oof_members)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


class Fatal(Study):
    """Its second member's process is killed in the middle of it, as often as told."""

    def _perform(self, task):
        deaths = Path(self.folder) / f"{task.fold}-{task.member}"
        seen = deaths.read_text() if deaths.exists() else ""
        if task.member == 1 and len(seen) < self.times:
            deaths.write_text(seen + "x")
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._perform(task)


def test_a_piece_whose_process_is_killed_is_done_again(tmp_path, ray_cluster):
    tasks = [Task(0, 0), Task(0, 1), Task(1, 0)]
    told = dict(InTasks()(study(Fatal, folder=str(tmp_path), times=1), tasks))
    assert (tmp_path / "0-1").read_text() == "x"
    for number, plain in serial(study(), tasks):
        np.testing.assert_array_equal(told[number].proba, plain.proba)


def test_a_piece_that_always_kills_its_process_is_told(tmp_path, ray_cluster, monkeypatch):
    monkeypatch.setattr(pieces, "RETRIES", 1)
    fatal = study(Fatal, folder=str(tmp_path), times=99)
    with pytest.raises(FitError, match=r"R_75, lgbm, fold 2 of 2: its process died 2 times"):
        list(InTasks()(fatal, [Task(1, 1)]))
    assert (tmp_path / "1-1").read_text() == "xx"


class Breaking(Study):
    """One member of it breaks; the others take until they are let go."""

    def _perform(self, task):
        (Path(self.folder) / f"begun-{task.fold}-{task.member}-{os.getpid()}").touch()
        if task.member == 1:
            raise ValueError("planted")
        for _ in range(600):
            if (Path(self.folder) / "go").exists():
                break
            sleep(0.1)
        return super()._perform(task)


def test_a_member_that_breaks_is_told_without_waiting_for_the_rest(tmp_path, ray_cluster):
    tasks = [Task(1, 1), *[Task(0, 0)] * 60]
    runner = kept(tmp_path / "kept", InTasks(), CODE)
    with pytest.raises(FitError, match=r"R_75, lgbm, fold 2 of 2: ValueError: planted; mend it"):
        list(runner(study(Breaking, folder=str(tmp_path)), tasks))
    # The others still wait to be let go; of sixty no more were begun than there are cores.
    begun = len(list(tmp_path.glob("begun-*")))
    (tmp_path / "go").touch()
    assert begun <= AHEAD * ray_cluster.cluster_resources()["CPU"]


def test_a_study_is_sent_once_and_without_members(ray_cluster):
    one, tasks = study(), InTasks()
    list(tasks(one, [Task(0, 0)]))
    first = tasks._sent[1]
    list(tasks(one, [Task(WHOLE, 0, None, 3)]))
    assert tasks._sent[1] is first
    sent = ray_cluster.get(first)
    assert not sent.rows.flags.owndata  # the node's memory, not a copy of it
    assert not sent.dataset.X.flags.writeable
    assert "members" not in vars(sent)
    assert {"rows", "folds", "window"} <= vars(sent).keys()
    assert [type(one) for one in sent.members] == [type(one) for one in study().members]


def test_a_worker_loads_what_its_piece_needs(ray_cluster):
    code = (
        "import sys, models.fitting.study, models.fitting.keeping; print([m for m in "
        "('torch', 'lightgbm', 'sklearn', 'pandas', 'mlflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_gpu_that_is_not_there_is_not_waited_for(ray_cluster):
    from actors.config import FloorConfig
    from actors.training import _enough

    told = {"symbols": [{"symbol": "R_75", "interval": 1.0}], "ensemble": {"gpus": 1.0}}
    with pytest.raises(ConfigError, match=r"ensemble.gpus: asks for 1 of a GPU, .* has 0; set it"):
        _enough(FloorConfig.model_validate(told))
    for more in (
        {"ensemble": {}},
        {"ensemble": {"gpus": 1.0, "members": ["lgbm"]}},  # no network, no need
        {"ray": {"address": "auto"}},  # a cluster may start one when it is asked
    ):
        _enough(FloorConfig.model_validate(told | more))


def name_of(process):
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return "gone"


def end(family):
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()


@pytest.mark.timeout(400)
def test_a_killed_driver_goes_on_where_it_was(tmp_path, request):
    command = [sys.executable, "-m", "tests.test_training_tasks", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        lines = iter(driver.stdout.readline, "")
        assert next(lines) == "gru 0.5, logistic 0.0\n"
        family = psutil.Process(driver.pid).children(recursive=True)
        assert any("raylet" in one.name() for one in family)
        for line in lines:
            if "whole" in line and "columns" not in line:
                break
        driver.send_signal(signal.SIGKILL)
    working = [one for one in family if not name_of(one).endswith("Agent")]
    assert psutil.wait_procs(working, timeout=60.0)[1] == []  # nobody goes on unseen
    done, did = len(list(tmp_path.glob("*.piece"))), []
    assert 0 < done <= PIECES

    def counting(one, tasks):
        did.extend(task for task in tasks if task.member >= 0)
        return serial(one, tasks)

    data = dataset(500, ic=0.4)
    fitted = fit_ensemble(data, QUICK, 1, silent, runner=kept(tmp_path, counting, CODE))
    assert len(did) == PIECES - done
    assert fitted.card == fit_ensemble(data, QUICK, 1, silent).card


class Telling(Study):
    """Its pieces say which share of a GPU they were given."""

    def _perform(self, task):
        import ray

        given = ray.get_runtime_context().get_assigned_resources().get("GPU", 0.0)
        return Said(0, np.full((1, 3), given), b"")


def drive(folder):
    import ray

    ray.init(num_cpus=1, num_gpus=1, include_dashboard=False, log_to_driver=False)
    data, members = dataset(500, ic=0.4), (GruConfig(), LogisticConfig())
    asking = QUICK.model_copy(update={"gpus": 0.5, "members": members})
    given = dict(InTasks()(Telling(data, asking, 1), [Task(0, 0), Task(0, 1)]))
    names = (one.name for one in members)
    print(", ".join(f"{name} {given[i].proba[0, 0]}" for i, name in enumerate(names)), flush=True)  # noqa: T201
    fit_ensemble(
        data,
        QUICK,
        1,
        lambda what, share: print(what, share, flush=True),  # noqa: T201
        runner=kept(folder, InTasks(), CODE),
    )
    sleep(60.0)  # to be killed, if all was done before that


if __name__ == "__main__":
    drive(sys.argv[1])
