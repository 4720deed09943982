"""Ensembles to register: one model of a single node, under as many cards as are wanted."""

import atexit
import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from models.card import CARD, Card, MemberCard
from models.combination.card import CombinationCard, PoolCard
from models.registry import RegistryConfig
from models.registry.client import Client
from models.registry.lineage import Lineage, features_digest

EDGE, NONE = {"promoted": True, "headline": "edge"}, {"promoted": False, "headline": "no edge"}
SCHEMA, NAMES = "0123456789abcdef", ("return_1", "range_1")


def model():
    """Return an ONNX model that says a third for each class, whatever it is given."""
    thirds = helper.make_tensor("thirds", TensorProto.FLOAT, [1, 3], [1 / 3] * 3)
    said = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 3])
    given = helper.make_tensor_value_info("window", TensorProto.FLOAT, [None, 1, 2])
    node = helper.make_node("Identity", ["thirds"], ["probabilities"])
    graph = helper.make_graph([node], "thirds", [given], [said], [thirds])
    opset = [helper.make_opsetid("", 13)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def saved(folder, symbol="R_75", seed=1, file="thirds.onnx"):
    """Write an ensemble; another seed is another version."""
    content, path = model(), Path(folder)
    sha = hashlib.sha256(content).hexdigest()
    card = Card(
        symbol=symbol,
        schema=SCHEMA,
        names=NAMES,
        columns=NAMES,
        selection=None,
        window=1,
        members=(MemberCard(name="thirds", kind="lgbm", file=file, sha256=sha, window=1),),
        combination=CombinationCard(kind="stack", pools=(PoolCard((1.0,)),)),
        compared={},
        frequencies=(0.3, 0.4, 0.3),
        every=1,
        horizon=1,
        start=0,
        end=1,
        decisions=2,
        seed=seed,
        metrics={},
        settings={},
    ).sealed()
    path.mkdir(parents=True)
    (path / file).write_bytes(content)
    (path / CARD).write_bytes(card.encode())
    return path


def lineage(data="a", code="c", config="d"):
    """Return one of these features."""
    return Lineage(data * 64, features_digest(SCHEMA, NAMES), code * 64, config * 64)


@cache
def template():
    """Return a new registry to copy: MLflow takes a second to make a database."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with Client(RegistryConfig(folder=folder)).alone(make=True):
        return folder
