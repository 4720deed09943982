"""The networks: each reads a sequence, and its file says what it says."""

import numpy as np
import onnx
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from models.member import frequencies, log_loss
from models.members.catalogue import make
from models.nets.attention import Attention
from models.nets.config import (
    CnnConfig,
    GruConfig,
    LstmConfig,
    MlpConfig,
    TransformerConfig,
)
from models.nets.training import sealed
from models.runtime import session
from models.windows import batches

BACK = 5
QUICK = {"window": 8, "epochs": 6, "learning_rate": 0.02, "batch": 48, "device": "cpu"}
LONG = {**QUICK, "epochs": 14, "patience": 14}
NETS = {
    "mlp": MlpConfig(**QUICK, hidden=(16,)),
    "gru": GruConfig(**LONG),
    "lstm": LstmConfig(**LONG, hidden=16),
    "cnn": CnnConfig(**QUICK, channels=(12, 12)),
    "transformer": TransformerConfig(**QUICK, hidden=16, feedforward=24),
}
SHORT = {"window": 6, "epochs": 1, "learning_rate": 0.02, "device": "cpu"}
VARIANTS = {
    "mlp of one row": MlpConfig(**{**SHORT, "window": 1}, hidden=(8, 8, 8)),
    "mlp by focal loss": MlpConfig(**SHORT, focal=2.0),
    "gru by slight focal loss": GruConfig(**SHORT, focal=0.5),
    "lstm of the roadmap's form": LstmConfig(
        **SHORT, hidden=32, layers=3, heads=4, classifier=(16, 8), dropout=0.3
    ),
    "lstm of one head": LstmConfig(**SHORT, hidden=8, heads=1),
    "lstm of one row": LstmConfig(**{**SHORT, "window": 1}, hidden=8),
    "cnn wider than its window": CnnConfig(**SHORT, channels=(16, 32, 64), kernel=4),
    "transformer of one block": TransformerConfig(**SHORT, layers=1, heads=4),
    "transformer with its own row": TransformerConfig(
        **SHORT, readout="cls", positions="sinusoidal", layers=3, heads=1
    ),
}


def sequence(m=1600, seed=1):
    """Return noise, and labels by the sign of what a column was five rows ago."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(m, 3)).astype(np.float32)
    was = np.concatenate([np.zeros(BACK, np.float32), rows[:-BACK, 0]])
    labels = np.where(was > 0.43, 2, np.where(was < -0.43, 0, 1)).astype(np.int64)
    ends = np.arange(max(BACK, 8), m)
    return rows, labels, *np.split(ends, [int(0.7 * m), int(0.85 * m)])


@pytest.fixture(scope="module")
def fitted():
    rows, labels, train, stop, _ = sequence()
    members = make(list(NETS.values()))
    return {one.name: one.fit(rows, labels, train, stop, seed=1) for one in members}


def run(content, rows, ends, window):
    model = session(content)
    return np.concatenate(
        [model.run(None, {"window": one})[0] for one in batches(rows, ends, window, 256)]
    )


@pytest.mark.parametrize("kind", NETS)
def test_finds_what_only_a_sequence_shows(fitted, kind):
    rows, labels, train, _, test = sequence()
    base = log_loss(np.tile(frequencies(labels[train]), (len(test), 1)), labels[test])
    assert base - log_loss(fitted[kind].predict_proba(rows, test), labels[test]) > 0.3


def test_one_row_does_not_show_it():
    rows, labels, train, stop, test = sequence()
    (member,) = make([MlpConfig(**{**QUICK, "window": 1})])
    said = member.fit(rows, labels, train, stop, seed=1).predict_proba(rows, test)
    base = log_loss(np.tile(frequencies(labels[train]), (len(test), 1)), labels[test])
    assert base - log_loss(said, labels[test]) < 0.01


@pytest.mark.parametrize("kind", NETS)
def test_file_says_what_the_network_says(fitted, kind):
    rows, _, _, _, test = sequence()
    native = fitted[kind].predict_proba(rows, test)
    assert native.std(axis=0).min() > 0.1
    np.testing.assert_allclose(run(fitted[kind].onnx(), rows, test, 8), native, rtol=0, atol=3e-6)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_shape_has_its_file(name):
    rows, labels, train, _, test = sequence(600)
    config = VARIANTS[name]
    (member,) = make([config])
    one = member.fit(rows, labels, train, train[:0], seed=2, effort=1)
    with torch.no_grad():  # as trained for long: it says something
        one.net.head.weight.normal_(generator=torch.Generator().manual_seed(1))
        for weight in one.net.parameters():
            weight.mul_(2.0)
    native, content = one.predict_proba(rows, test), one.onnx()
    assert native.std(axis=0).max() > 0.01
    np.testing.assert_allclose(run(content, rows, test, config.window), native, rtol=0, atol=1e-5)
    assert content == one.onnx()
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert {(one.domain, one.version) for one in model.opset_import} == {("", 17)}


@pytest.mark.parametrize("heads", [1, 3])
def test_attention_is_the_published_one(heads):
    with sealed(1):
        ours, theirs = Attention(12, heads), nn.MultiheadAttention(12, heads, batch_first=True)
        asking, rows = torch.randn(4, 2, 12), torch.randn(4, 7, 12)
    with torch.no_grad():
        parts = (ours.query.weight, ours.key.weight, ours.value.weight)
        theirs.in_proj_weight.copy_(torch.cat(parts))
        theirs.in_proj_bias.zero_()
        theirs.in_proj_bias[:12] = ours.query.bias
        theirs.out_proj.weight.copy_(ours.join.weight)
        theirs.out_proj.bias.copy_(ours.join.bias)
        torch.testing.assert_close(ours(asking, rows), theirs(asking, rows, rows)[0])


def test_convolutions_look_back_only():
    (member,) = make([NETS["cnn"]])
    with sealed(1):
        net = member.net(3).eval()
        windows = torch.randn(1, 8, 3)
    seen = []
    for block in net.blocks:
        block.register_forward_hook(lambda _module, _given, said: seen.append(said))
    later = windows.clone()
    later[:, 5:] += 1.0
    net(windows), net(later)
    count = len(net.blocks)
    for before, after in zip(seen[:count], seen[count:], strict=True):
        assert before.shape == (1, 12, 8)
        torch.testing.assert_close(before[:, :, :5], after[:, :, :5], rtol=0.0, atol=0.0)
        assert not torch.equal(before[:, :, 5:], after[:, :, 5:])


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
def test_a_transformer_knows_the_order(positions):
    (member,) = make([TransformerConfig(**SHORT, positions=positions)])
    with sealed(1):
        net = member.net(3).eval()
        windows = torch.randn(1, 6, 3)
    swapped = windows[:, [1, 0, 2, 3, 4, 5]]
    apart = (net.read(windows) - net.read(swapped)).abs().max().item()
    net.positions.data.zero_()
    without = (net.read(windows) - net.read(swapped)).abs().max().item()
    assert apart > 1e-3
    assert without < 1e-5


@pytest.mark.parametrize("kind", [LstmConfig, TransformerConfig])
def test_heads_share_the_units(kind):
    with pytest.raises(ValidationError, match=r"hidden must be a multiple of heads \(5\), was 24"):
        kind(heads=5)
