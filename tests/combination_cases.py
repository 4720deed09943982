"""Members whose skill is known, and what they said of a market."""

import numpy as np

from models.combination.config import StackConfig
from models.combination.learning import Learner
from models.member import frequencies, log_loss

BOUNDS = (-0.43, 0.43)


def slow(n, overlap, rng):
    """Return unit noise whose values share ``overlap`` innovations."""
    total = np.convolve(rng.normal(size=n + overlap), np.ones(overlap), "valid")
    return total[:n] / np.sqrt(overlap)


def said_by(hidden, skill, overlap, rng):
    """Return what a member says whose score has correlation ``skill`` with what happens."""
    score = skill * hidden + np.sqrt(1.0 - skill**2) * slow(len(hidden), overlap, rng)
    lean = np.maximum(1.5 * skill, 0.3) * score
    raw = np.exp(np.stack([-lean, np.zeros_like(lean), lean], axis=-1))
    return raw / raw.sum(axis=-1, keepdims=True)


def market(n, skills, seed, overlap=1):
    """Return what members of these skills said, and what happened."""
    rng = np.random.default_rng(seed)
    hidden = slow(n, overlap, rng)
    said = np.stack([said_by(hidden, skill, overlap, rng) for skill in skills])
    return said, np.digitize(hidden, BOUNDS)


def learner(config=None, calibration="none", abstain=None, members=2, overlap=1.0):
    names = "abcdefghijkl"[:members]
    return Learner(config or StackConfig(), calibration, abstain, names, overlap, 1)


def gain(proba, labels):
    """Return nats a decision over the class frequencies."""
    base = np.tile(frequencies(labels), (len(labels), 1))
    return log_loss(base, labels) - log_loss(proba, labels)
