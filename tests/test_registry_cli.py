"""The registry's commands, and what a lineage tells apart."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from features.labels import LabelConfig
from market.errors import StateError
from models.registry import Lineage, Registry
from models.registry.app import app
from models.registry.lineage import code_digest, data_digest, features_digest
from tests.model_data import dataset
from tests.registry_ensembles import EDGE, NONE, lineage, saved, template


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    """A floor's folder with three ensembles of R_75: no edge, edge, edge."""
    home = tmp_path_factory.mktemp("floor")
    checks = [{"name": "profit", "passed": True, "text": "t 3.00 [over 60 blocks]"}]
    shutil.copytree(template(), home / "registry")
    with Registry(home / "registry") as registry:
        registry.tried("R_75", "one more than were registered")
        for seed, verdict in enumerate((NONE, EDGE, EDGE | {"checks": checks})):
            folder = saved(home / str(seed), seed=seed)
            registry.register("R_75", folder, {"log_loss": 1.0625 + seed}, verdict, lineage())
    return home


def said(*words, status=0):
    result = CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "160"})
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


def test_list_show_promote_and_go_back(floor):
    at = ("--folder", floor)
    assert "R_75 1" in said("ls", *at)
    assert "can't be champion: the gate's verdict is no edge" in said(
        "promote", "R_75", 1, *at, status=1
    )
    said("promote", "R_75", 2, *at)
    assert "is champion" in said("promote", "R_75", "latest", *at)
    assert "is shadow" in said("promote", "R_75", 1, "--as", "shadow", *at)
    listed = said("ls", "R_75", *at)
    for words in ("no edge", "champion", "shadow", "1.0625", "R_75: 3 trials"):
        assert words in listed
    shown = said("show", "R_75", "champion", *at)
    for words in ("R_75 3", "a" * 64, "3.0625", "thirds lgbm 1 1.000", "promote 2 → 3"):
        assert words in shown
    assert "✓ profit: t 3.00 [over 60 blocks]" in shown
    assert "R_75 2" in said("rollback", "R_75", *at)
    assert "had no other champion" in said("rollback", "R_75", *at, status=1)


def test_wrong_words_are_told(floor, tmp_path):
    assert "train an ensemble first" in said("ls", "--folder", tmp_path, status=1)
    assert "holds nothing of R_50; it has R_75" in said("ls", "R_50", "--folder", floor, status=1)
    secret = said("ls", "--uri", "http://me:word@host", status=1)
    assert "MLFLOW_TRACKING_USERNAME" in secret
    assert "word@" not in secret
    assert list(tmp_path.iterdir()) == []


def test_lineage_tells_every_change_apart():
    data = dataset(60)
    one = Lineage.of(data, LabelConfig(), 7, code="c" * 64)
    assert one == Lineage.of(replace(data, X=data.X.copy()), LabelConfig(), 7, code="c" * 64)
    assert one.config != Lineage.of(data, LabelConfig(), 8, code="c" * 64).config
    assert one.config != Lineage.of(data, LabelConfig(horizon=3), 7, code="c" * 64).config
    changed = [data.slice(0, 59), replace(data, symbol="R_50"), replace(data, every=2)]
    for name in ("X", "price", "label", "fresh", "times"):
        values = getattr(data, name).copy()
        values.flat[7] = not values.flat[7] if name == "fresh" else values.flat[7] + 1
        changed.append(replace(data, **{name: values}))
    changed.append(replace(data, X=np.ascontiguousarray(data.X.reshape(4, -1))))
    digests = {data_digest(made) for made in (data, *changed)}
    assert len(digests) == len(changed) + 1
    assert features_digest("a", ("b", "c")) != features_digest("a", ("bc",))
    assert code_digest() == code_digest()
    with pytest.raises(StateError, match=r"lineage.data must be 64 hexadecimal digits, was 'x'"):
        Lineage("x", one.features, one.code, one.config)
