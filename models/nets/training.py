"""The training loop of all networks, to be read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from market.errors import ConfigError, DataError
from models.member import Floats, Ints, Rows
from models.nets.config import NetConfig
from models.nets.loading import Windows, epoch
from models.nets.losses import focal_loss, posterior
from models.nets.net import Net

__all__ = [
    "CHUNK",
    "Examples",
    "device_of",
    "one_thread",
    "precision_of",
    "rates",
    "sealed",
    "train",
]

CHUNK = 2048
"""Windows looked at together where nothing is learned."""
WARM = 0.3
"""Share of the steps in which the one cycle's rate rises."""


@dataclass(frozen=True)
class Examples:
    """What is learned from: scaled rows, and what came of each.

    Parameters
    ----------
    rows
        ``float32[m, F]``, scaled.
    labels
        ``int64[m]``.
    weights
        ``float64[m]``: of each decision in the loss.
    train, stop
        Ends of windows to learn from, in order of time, and to stop by.
    """

    rows: Rows
    labels: Ints
    weights: Floats
    train: Ints
    stop: Ints


def train(net: Net, config: NetConfig, examples: Examples, seed: int, effort: int | None) -> int:
    """Train a network where it stands; return the epochs that are in it.

    Parameters
    ----------
    net
        On the CPU, and left there.
    config
        How.
    examples
        Of what.
    seed
        Of the order of the windows and of dropout.
    effort
        Epochs to run, of a schedule made for ``config.epochs``; ``None`` to keep the epoch whose
        weighted log loss on ``stop`` is least, which may be none.

    Raises
    ------
    DataError
        Nothing to stop by.
    """
    if effort is None and not examples.weights[examples.stop].sum() > 0.0:
        raise DataError("nothing to stop by: stop holds no window of any weight; tell the effort")
    device = device_of(config)
    precision = precision_of(config, device)
    net.to(device)
    windows = Windows(examples.rows, config.window, device)
    truth = torch.from_numpy(np.require(examples.labels, requirements="W")).to(device)
    shares = torch.from_numpy(examples.weights.astype(np.float32)).to(device)
    ends = torch.from_numpy(np.require(examples.train, requirements="W"))
    draw = torch.Generator().manual_seed(seed)
    batches = -(-min(len(ends), config.most) // config.batch)
    optimiser = torch.optim.AdamW(_groups(net, config.decay), config.learning_rate, fused=True)
    planned = max(config.epochs, effort or 0)
    schedule = rates(optimiser, config, planned * batches)
    scaler = torch.amp.GradScaler(device.type, enabled=precision is torch.float16)
    mixed = precision is not torch.float32
    warm = math.ceil(WARM * planned) if config.schedule == "onecycle" else 0

    best, kept, found = math.inf, _state(net), 0
    if effort is None:
        best = _log_loss(net, config, windows, examples)
    for number in range(1, (planned if effort is None else effort) + 1):
        net.train()
        for part in epoch(ends, config.most, draw).to(device).tensor_split(batches):
            with torch.autocast(device.type, precision, enabled=mixed):
                logits = net(windows[part])
            loss = (focal_loss(logits.float(), truth[part], config.focal) * shares[part]).mean()
            optimiser.zero_grad()
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.unscale_(optimiser)
            nn.utils.clip_grad_norm_(net.parameters(), config.clip, foreach=False)
            scaler.step(optimiser)
            scaler.update()
            schedule.step()
        if effort is not None:
            continue
        now = _log_loss(net, config, windows, examples)
        if now < best:
            best, kept, found = now, _state(net), number
        elif number - max(found, warm) >= config.patience:
            break
    if effort is None:
        net.load_state_dict(kept)
    net.cpu().eval()
    return found if effort is None else effort


def rates(
    optimiser: torch.optim.Optimizer, config: NetConfig, steps: int
) -> lr_scheduler.LRScheduler:
    """Schedule the learning rate over ``steps`` steps, ``config.learning_rate`` at most.

    ``onecycle`` is Smith & Topin's (2018): from 1/25 of the rate up in three tenths of the steps,
    then down to next to nothing, momentum the other way round.
    """
    top = config.learning_rate
    if config.schedule == "onecycle":
        # Below ten steps there is no place for the rise: it would be shorter than a step.
        return lr_scheduler.OneCycleLR(optimiser, top, max(steps, 10), pct_start=WARM)
    if config.schedule == "cosine":
        return lr_scheduler.CosineAnnealingLR(optimiser, steps, top / 20.0)
    return lr_scheduler.ConstantLR(optimiser, 1.0, steps)


def device_of(config: NetConfig) -> torch.device:
    """Find the device to train on.

    Raises
    ------
    ConfigError
        A GPU is asked for and there is none.
    """
    there = torch.cuda.is_available()
    if config.device == "cuda" and not there:
        raise ConfigError('device is "cuda", but torch finds no GPU; use "auto" or "cpu"')
    return torch.device("cuda" if there and config.device != "cpu" else "cpu")


def precision_of(config: NetConfig, device: torch.device) -> torch.dtype:
    """Find the precision of products on a device."""
    if config.precision == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    found: torch.dtype = getattr(torch, config.precision)
    return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: small matrices gain nothing from more, and sums keep order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def sealed(seed: int) -> Iterator[None]:
    """Start torch's own generators from ``seed``, on one thread; put all back afterwards.

    First weights and dropout draw from the library's generators and from nothing else.
    """
    devices = range(torch.cuda.device_count())
    with one_thread(), torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


def _groups(net: Net, decay: float) -> list[dict[str, object]]:
    """Let weights decay, but neither biases nor norms: those have nowhere to shrink to."""
    held = list(net.parameters())
    return [
        {"params": [one for one in held if one.ndim > 1], "weight_decay": decay},
        {"params": [one for one in held if one.ndim <= 1], "weight_decay": 0.0},
    ]


def _log_loss(net: Net, config: NetConfig, windows: Windows, examples: Examples) -> float:
    """Weighted log loss of the probabilities that the network means on ``stop``."""
    net.eval()
    ends = examples.stop
    with torch.inference_mode():
        said = [posterior(net(one), config.focal) for one in windows.batches(ends, CHUNK)]
    right = torch.cat(said).cpu().numpy()[np.arange(len(ends)), examples.labels[ends]]
    return float(-np.average(np.log(np.maximum(right, 1e-12)), weights=examples.weights[ends]))


def _state(net: Net) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in net.state_dict().items()}
