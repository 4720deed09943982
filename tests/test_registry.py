"""The registry: whole or not at all, no champion without a verdict, no trial forgotten."""

import math
import os
import shutil
import socket
import subprocess
import sys
import threading
import warnings
from contextlib import suppress
from importlib import import_module
from wsgiref.simple_server import WSGIRequestHandler, make_server

import msgspec
import pytest

from market.errors import SchemaMismatch, StateError
from models.card import CARD, read
from models.registry import Move, Registry, RegistryConfig
from models.registry.client import Unreachable
from models.runtime import EnsembleRuntime
from tests.registry_ensembles import EDGE, NONE, SCHEMA, lineage, saved, template
from validation.verdict import Check, Verdict


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three ensembles of R_75, one of R_100."""
    home = tmp_path_factory.mktemp("ensembles")
    told = [("R_75", 1), ("R_75", 2), ("R_75", 3), ("R_100", 1)]
    return [saved(home / str(i), *one) for i, one in enumerate(told)]


@pytest.fixture
def registry(tmp_path):
    shutil.copytree(template(), tmp_path / "registry")
    with Registry(tmp_path / "registry") as made:
        yield made


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kept(registry, folder, verdict=EDGE):
    return registry.register(read(folder)[0].symbol, folder, {}, verdict, lineage())


def test_what_is_registered_can_be_loaded(registry, folders, tmp_path):
    metrics = {"log_loss": 1.05, "gru_log_loss": math.nan}
    verdict = Verdict(True, "edge", ("t 3",), {"t": 3.0}, (Check("profit", True, "t 3"),))
    entry = registry.register("R_75", folders[0], metrics, verdict, lineage())
    assert math.isnan(entry.metrics["gru_log_loss"])
    assert (entry.number, entry.version, entry.schema) == (1, read(folders[0])[0].version, SCHEMA)
    assert entry.metrics["log_loss"] == 1.05
    assert msgspec.convert(entry.verdict, Verdict) == verdict
    assert entry.lineage == lineage()
    found = registry.fetch(entry, tmp_path / "models", SCHEMA)
    assert found == tmp_path / "models" / entry.version
    assert EnsembleRuntime.load(found, SCHEMA).version == entry.version
    assert sorted(one.name for one in found.iterdir()) == [CARD, "thirds.onnx"]
    assert [one.name for one in (tmp_path / "models").iterdir()] == [entry.version]
    assert registry.fetch(entry, tmp_path / "models", SCHEMA) == found


def test_versions_go_by_number_hash_alias_and_latest(registry, folders):
    first, second, third = (kept(registry, one, None) for one in folders[:3])
    other = kept(registry, folders[3])
    again = kept(registry, folders[0])
    assert [(one.symbol, one.number) for one in registry.list()] == [
        ("R_100", 1),
        *(("R_75", number) for number in (1, 2, 3, 4)),
    ]
    assert registry.list("R_100") == (other,)
    assert registry.list("R_50") == ()
    assert registry.resolve("R_75") == again
    assert registry.resolve("R_75", 2) == registry.resolve("R_75", "2") == second
    assert registry.resolve("R_75", third.version) == third
    assert registry.resolve("R_75", first.version) == again
    assert first.run != again.run
    shadow = registry.promote("R_75", 2, "shadow")
    challenger = registry.promote("R_75", third.version, "challenger")
    assert (shadow.number, shadow.aliases) == (2, ("shadow",))
    assert registry.resolve("R_75", "challenger") == challenger
    assert registry.promote("R_75", 3, "shadow").aliases == ("challenger", "shadow")
    assert registry.resolve("R_75", 2).aliases == ()
    with pytest.raises(StateError, match=r"R_75 has no '9' in registry .*, but 1 \("):
        registry.resolve("R_75", 9)
    with pytest.raises(StateError, match="holds nothing of R_50; train it first"):
        registry.resolve("R_50")
    with pytest.raises(StateError, match="alias must be one of champion, challenger, shadow"):
        registry.promote("R_75", 1, "best")


@pytest.mark.parametrize("verdict", [None, NONE, {"promoted": "true"}, {"promoted": 1}])
def test_nobody_is_champion_without_a_verdict_that_promotes(registry, folders, verdict):
    kept(registry, folders[0], verdict)
    with pytest.raises(StateError, match=r"1 can't be champion: the gate's verdict is .* gate"):
        registry.promote("R_75", 1)
    assert registry.resolve("R_75").aliases == ()
    assert registry.history("R_75") == ()
    # Whoever can write to MLflow can name anybody champion: here it still isn't one.
    registry._client.set_registered_model_alias("pregao.R_75", "champion", "1")
    with pytest.raises(StateError, match="1 is called champion, and its verdict is"):
        registry.resolve("R_75", "champion")
    registry.attach_verdict("R_75", 1, EDGE)
    assert registry.promote("R_75", 1) == registry.resolve("R_75", "champion")


def test_rollback_goes_back_step_by_step(registry, folders):
    for one in folders[:3]:
        kept(registry, one)
    with pytest.raises(StateError, match="R_75 had no other champion to go back to"):
        registry.rollback("R_75")
    for number in (1, 2, 1, 3, 3):
        registry.promote("R_75", number)
    assert registry.history("R_75")[-1] == Move("promote", 3, 1)
    assert [registry.rollback("R_75").number for _ in range(3)] == [1, 2, 1]
    assert registry.resolve("R_75", "champion").number == 1
    with pytest.raises(StateError, match="had no other champion"):
        registry.rollback("R_75")
    assert [one.act for one in registry.history("R_75")] == ["promote"] * 4 + ["rollback"] * 3


def test_rollback_passes_over_who_may_not_lead(registry, folders):
    for one in folders[:3]:
        kept(registry, one)
    kept(registry, folders[0])
    for number in (1, 2, 3, 4):
        registry.promote("R_75", number)
    registry.attach_verdict("R_75", 3, NONE)
    run = registry.resolve("R_75", 2).run
    (damaged,) = registry.config.folder.glob(f"artifacts/R_75/{run}/**/thirds.onnx")
    damaged.write_bytes(b"else")
    assert registry.rollback("R_75").number == 1


def test_other_features_are_refused(registry, folders, tmp_path):
    entry = kept(registry, folders[0])
    with pytest.raises(SchemaMismatch, match="made for features 0123456789abcdef, these are f"):
        registry.fetch(entry, tmp_path / "models", "f" * 16)
    assert not (tmp_path / "models").exists()
    registry.fetch(entry, tmp_path / "models")
    with pytest.raises(SchemaMismatch):
        registry.fetch(entry, tmp_path / "models", "f" * 16)
    wrong = msgspec.structs.replace(lineage(), features="0" * 64)
    with pytest.raises(StateError, match="its lineage is of other features"):
        registry.register("R_75", folders[0], {}, EDGE, wrong)


def test_files_that_are_not_the_registered_ones_are_refused(registry, folders, tmp_path):
    entry = kept(registry, folders[0])
    (home,) = registry.config.folder.glob("artifacts/R_75/*/artifacts/ensemble")
    good = (home / "thirds.onnx").read_bytes()
    (home / "thirds.onnx").write_bytes(good + b" ")
    with pytest.raises(StateError, match="not the file the card names"):
        registry.fetch(entry, tmp_path / "models")
    with pytest.raises(StateError, match="not the file the card names"):
        registry.promote("R_75", 1)
    assert list((tmp_path / "models").iterdir()) == []
    (home / "thirds.onnx").unlink()
    with pytest.raises(StateError, match="restore it from a copy, or register"):
        registry.fetch(entry, tmp_path / "models")
    for name in (CARD, "thirds.onnx"):  # another ensemble, sound in itself
        shutil.copy(folders[1] / name, home)
    with pytest.raises(StateError, match=f"registered was {entry.version}"):
        registry.fetch(entry, tmp_path / "models")
    shutil.copy(folders[0] / CARD, home)
    found = registry.fetch(entry, tmp_path / "models")
    (found / "thirds.onnx").write_bytes(b"")  # what was fetched is damaged: fetched again
    assert (registry.fetch(entry, tmp_path / "models") / "thirds.onnx").read_bytes() == good


@pytest.mark.parametrize("file", ["../x.onnx", "/etc/x.onnx", "model.pkl", ".onnx", "a\0.onnx"])
def test_card_names_no_file_but_onnx_beside_it(registry, folders, tmp_path, file):
    entry = kept(registry, folders[0])
    (home,) = registry.config.folder.glob("artifacts/R_75/*/artifacts/ensemble")
    text = (home / CARD).read_text().replace("thirds.onnx", file.replace("\0", "\\u0000"))
    (home / CARD).write_text(text)
    with pytest.raises(StateError, match="which is no ONNX file beside it"):
        registry.fetch(entry, tmp_path / "models")


def test_registry_can_be_moved(registry, folders, tmp_path):
    kept(registry, folders[0])
    registry.close()
    shutil.move(registry.config.folder, tmp_path / "elsewhere")
    with Registry(tmp_path / "elsewhere") as moved:
        kept(moved, folders[1])
        for entry in moved.list("R_75"):
            moved.fetch(entry, tmp_path / "models", SCHEMA)
    assert not registry.config.folder.exists()


def test_every_trial_counts(registry):
    assert registry.trials("R_75") == 0
    assert [registry.tried("R_75", "lgbm") for _ in range(3)] == [1, 2, 3]
    assert registry.tried("R_100", "gru", {"sharpe": 0.1}) == 1
    registry.found("R_75", 2, {"sharpe": 0.25, "t": math.nan})
    with Registry(registry.config) as other:
        other.found("R_75", 3, {"sharpe": -0.5})
        assert other.trials("R_75") == 3
        told = other.trial_figures("R_75")
    assert [one.what for one in told] == ["lgbm"] * 3
    assert [one.figures for one in told] == [{}, {"sharpe": 0.25}, {"sharpe": -0.5}]
    with pytest.raises(StateError, match="R_75 has no trial 9; note it with tried"):
        registry.found("R_75", 9, {})


def test_deleted_trials_stay_counted(registry):
    client = registry._client
    for _ in range(3):
        registry.tried("R_75", "lgbm")
    experiment = client.get_experiment_by_name("pregao/R_75").experiment_id
    for run in client.search_runs([experiment])[:2]:
        client.delete_run(run.info.run_id)
    assert registry.tried("R_75", "lgbm") == 4
    client.delete_experiment(experiment)
    assert registry.trials("R_75") == 4
    assert registry.tried("R_75", "lgbm") == 5
    for run in client.search_runs([experiment], run_view_type=3):  # what `mlflow gc` does
        client.delete_run(run.info.run_id)
        client._client._tracking_client.store._hard_delete_run(run.info.run_id)
    with Registry(registry.config) as other:
        assert other.trials("R_75") == 5
        assert other.tried("R_75", "lgbm") == 6


def test_count_goes_on_behind_a_full_page(registry, monkeypatch):
    monkeypatch.setattr("models.registry.trials.PAGE", 2)
    assert [registry.tried("R_75", "lgbm") for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    assert Registry(registry.config).trials("R_75") == 6


def test_trials_of_one_millisecond_keep_their_order(registry, monkeypatch):
    monkeypatch.setattr("mlflow.tracking._tracking_service.client.get_current_time_millis", int)
    for what in "abcdefgh":
        registry.tried("R_75", what)
    assert "".join(one.what for one in registry.trial_figures("R_75")) == "abcdefgh"


def test_registrations_are_trials_too(registry, folders):
    kept(registry, folders[0])
    entry = kept(registry, folders[1])
    assert (registry.trials("R_75"), entry.trials) == (2, 1)
    registry.tried("R_75", "a third")
    assert registry.trials("R_75") == 3


@pytest.mark.soak
@pytest.mark.parametrize("times", [1, 3])
def test_processes_at_once_and_killed_ones(folders, tmp_path, times):
    """Three processes make, count in and fill one registry; others are killed while they write.

    What each of those left behind is looked at there; what all left, here.
    """
    told = [sys.executable, "-m", "tests.registry_processes", str(times), tmp_path / "registry"]
    subprocess.run([*told, folders[0], folders[1], folders[0]], check=True, timeout=100.0 * times)
    together = 3 * times
    with Registry(tmp_path / "registry") as registry:
        entries = registry.list("R_75")
        assert [one.number for one in entries] == list(range(1, len(entries) + 1))
        first = sum(one.version == read(folders[0])[0].version for one in entries[:together])
        assert first == 2 * times
        told = registry.trial_figures("R_75")
        assert sorted(one.figures["sharpe"] for one in told) == sorted(
            [i / 10 for i in range(times)] * 3
        )
        assert len({one.what for one in told}) == 2 * times
        assert len(entries) > together
        assert registry.trials("R_75") == len(entries)
        files = registry.config.folder.glob("artifacts/R_75/*")
        assert len(list(files)) > len(entries)  # some died with files in place and no version


def test_reading_makes_nothing(tmp_path):
    registry = Registry(tmp_path / "none")
    assert (registry.list(), registry.trials("R_75"), registry.trial_figures("R_75")) == ((), 0, ())
    assert registry.history("R_75") == ()
    for call in (registry.resolve, registry.rollback):
        with pytest.raises(StateError, match="R_75"):
            call("R_75")
    with pytest.raises(StateError, match="holds nothing of R_75"):
        registry.promote("R_75", 1)
    assert os.listdir(tmp_path) == []


def test_ensemble_of_another_symbol_is_refused(registry, folders):
    with pytest.raises(StateError, match="an ensemble of R_75 can't serve R_100"):
        registry.register("R_100", folders[0], {}, NONE, lineage())
    assert registry.list() == ()


def test_damaged_ensemble_is_refused(registry, folders, tmp_path):
    folder = shutil.copytree(folders[0], tmp_path / "damaged")
    (folder / "thirds.onnx").write_bytes(b"")
    with pytest.raises(StateError, match="not the file the card names"):
        kept(registry, folder)


@pytest.mark.parametrize("symbol", ["", "..", "../up", "a/b", ".new", "a\0b", "R 75", "a'b", "a:b"])
def test_symbols_that_name_no_folder_are_refused(registry, symbol):
    for call in (registry.trials, registry.list, registry.resolve, registry.rollback):
        with pytest.raises(StateError, match="symbol must be letters"):
            call(symbol)
    with pytest.raises(StateError, match="symbol must be letters"):
        registry.tried(symbol, "anything")


def test_database_of_another_mlflow_is_told(registry):
    import sqlite3

    with sqlite3.connect(registry.config.folder / "mlflow.db") as database:
        database.execute("update alembic_version set version_num = '1bd49d398cd23'")
    database.close()
    with pytest.raises(StateError, match=r"another version of MLflow; .* `mlflow db upgrade`"):
        registry.trials("R_75")


def test_server_that_is_not_there_is_told(monkeypatch, free_port):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("PREGAO_REGISTRY", f"http://127.0.0.1:{free_port}/")
    registry = Registry(RegistryConfig.of("var/none"))
    with pytest.raises(Unreachable, match=rf"registry http://127.0.0.1:{free_port}: no answer; "):
        registry.tried("R_75", "lgbm")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """MLflow's own server over HTTP, in a thread: a process of its own takes ten seconds more."""
    pytest.importorskip("flask", reason="mlflow-skinny brings no server; `pip install mlflow` does")
    shutil.copy(template() / "mlflow.db", tmp_path)
    for name, value in (
        ("FILE_STORE", f"sqlite:///{tmp_path}/mlflow.db"),
        ("ARTIFACT_ROOT", "mlflow-artifacts:/"),
        ("ARTIFACT_DESTINATION", str(tmp_path / "artifacts")),
        ("SERVE_ARTIFACTS", "true"),
    ):
        monkeypatch.setenv(f"_MLFLOW_SERVER_{name}", value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what the server is made of
        with suppress(ImportError):
            import_module("mlflow.server.auth")  # which it tries when it is first asked
        from mlflow.server import app
        from mlflow.server.handlers import _get_tracking_store
    with make_server("127.0.0.1", 0, app, handler_class=Silent) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()
        _get_tracking_store()._dispose_engine()


class Silent(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


def test_server_by_url(folders, tmp_path, server, capfd):
    """A server does all that the folder does, and says as little."""
    registry = Registry(RegistryConfig(uri=server))
    assert registry.tried("R_75", "lgbm", {"sharpe": 0.5}) == 1
    for one in folders[:2]:
        kept(registry, one)
    registry.promote("R_75", 1)
    registry.promote("R_75", 2)
    entry = registry.rollback("R_75")
    assert (entry.number, registry.trials("R_75")) == (1, 2)
    found = registry.fetch(entry, tmp_path / "models", SCHEMA)
    assert read(found)[0].version == entry.version
    registry._client.create_registered_model("pregao.of others")
    assert [one.number for one in registry.list()] == [1, 2]
    assert capfd.readouterr() == ("", "")
