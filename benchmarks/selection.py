"""What choosing columns is worth: held-out skill on markets with a planted edge, and with none.

``python -m benchmarks.selection``; ``--seeds 2 --markets regimes`` for a part of it. Skill is the
mean log loss that an ensemble takes off the training's class frequencies on later ticks, in
millinats; beside it the difference to the first row, market by market and seed by seed, which their
common luck is not in. Two standard errors are the edge of what is told.
"""

from __future__ import annotations

import argparse
import tempfile
from time import process_time

import numpy as np

from features.config import FeatureConfig
from features.dataset import Dataset, build
from features.labels import LabelConfig
from features.selection import SelectionConfig
from market.events import SECOND
from market.execution import Costs
from market.predictable import OrnsteinUhlenbeck, Planted, Regimes, Walk
from market.processes import Process
from market.synthetics import process_for
from market.tape import Tape
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from models.member import frequencies, log_loss
from models.runtime import EnsembleRuntime

TRAINED, HELD, EVERY = 26_000, 100_000, 5
"""Ticks that a floor learns from by default, 40,000 less the hold-out, and those judged by here."""

MARKETS: dict[str, tuple[Process, int]] = {
    "last move": (Planted(0.2, 0.75, 1.0, 4), 2),
    "pulled back": (OrnsteinUhlenbeck(1e4, 120.0, 0.75, 1.0, 4), 30),
    "regimes": (Regimes(2e-5, 600.0, 0.75, 1.0, 4), 30),
    "R_75": (process_for("R_75"), 30),
    "CRASH500": (process_for("CRASH500"), 30),
}
"""Laws of prices, with the labels' horizon. Three can be predicted. Of R_75 nothing is told; of
CRASH500 which label is likely, as it drifts up between its jumps, but no price."""

Row = dict[str, float]


def tape(symbol: str, seed: int) -> Tape:
    """Return the ticks of a market."""
    n = TRAINED + HELD
    prices = Walk(MARKETS[symbol][0], 1e4, np.random.default_rng([seed, 1])).prices(n)
    times = 1_775_001_600 * SECOND + SECOND * np.arange(n)
    return Tape.of_ticks(symbol, times, prices)


def judged(
    known: Dataset,
    later: Dataset,
    config: EnsembleConfig,
    seed: int,
    recorded: Recorded | None = None,
) -> Row:
    """Fit on what is known, and score on what comes later."""
    start = process_time()
    fitted = fit_ensemble(known, config, seed, lambda what, share: None, recorded)
    spent = process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        runtime = EnsembleRuntime.load(fitted.save(folder), known.schema)
        proba, _ = runtime.predict_rows(later.X, later.fresh)
    spoken = np.isfinite(proba[:, 0]) & (later.label >= 0)
    labels = later.label[spoken].astype(np.int64)
    base = frequencies(known.label[known.label >= 0].astype(np.int64))
    gain = log_loss(np.tile(base, (len(labels), 1)), labels) - log_loss(proba[spoken], labels)
    one = fitted.card.selection
    return {
        "skill": 1e3 * gain,
        "seconds": spent,
        "columns": len(fitted.card.columns),
        "of": len(fitted.card.names),
        "stability": np.nan if one is None else one.stability,
    }


def parted(data: Dataset) -> tuple[Dataset, Dataset]:
    """Cut into what is trained on and what comes later, with no outcome in both."""
    cut = int(np.searchsorted(data.rows, TRAINED))
    last = int(np.searchsorted(data.rows, TRAINED - data.horizon))
    return data.slice(0, last), data.slice(cut, len(data))


def variants() -> dict[str, tuple[str, EnsembleConfig]]:
    """Return what is compared: columns, and how the ensemble is fitted."""
    every = EnsembleConfig(selection=None)

    def few(columns: int, method: str = "mrmr") -> EnsembleConfig:
        chosen = SelectionConfig.model_validate({"columns": columns, "method": method})
        return EnsembleConfig(selection=chosen)

    return {
        "core, all": ("core", every),
        "core, 20 chosen": ("core", few(20)),
        "ticks, all": ("ticks", every),
        "ticks, 20 chosen": ("ticks", few(20)),
        "ticks, 20 by gain": ("ticks", few(20, "gain")),
        "ticks, 40 chosen": ("ticks", few(40)),
    }


def columns(symbol: str, seeds: int) -> None:
    """Compare sets of columns on one market."""
    found: dict[str, list[Row]] = {}
    for seed in range(seeds):
        market = tape(symbol, seed)
        for name, (which, config) in variants().items():
            features = FeatureConfig(columns=(which,))
            data = build(market, features, LabelConfig(horizon=MARKETS[symbol][1]), EVERY)
            found.setdefault(name, []).append(judged(*parted(data), config, seed))
    table(f"{symbol}, horizon {MARKETS[symbol][1]}", found)


def weights(seeds: int) -> None:
    """Compare weights where labels are of unlike length."""
    found: dict[str, list[Row]] = {}
    for seed in range(seeds):
        market = tape("regimes", seed)
        labels = LabelConfig(kind="barrier", horizon=60)
        known, later = parted(build(market, FeatureConfig(), labels, EVERY))
        for by in ("equal", "uniqueness"):
            config = EnsembleConfig.model_validate({"weights": by, "selection": None})
            found.setdefault(f"weights: {by}", []).append(judged(known, later, config, seed))
    table("regimes, barriers, 60", found)


def made_up(seeds: int) -> None:
    """Compare what is learned from: real ticks, or made-up ones too."""
    found: dict[str, list[Row]] = {}
    symbol = "pulled back"
    features, labels = FeatureConfig(), LabelConfig(horizon=MARKETS[symbol][1])
    for seed in range(seeds):
        market = tape(symbol, seed)
        known, later = parted(build(market, features, labels, EVERY))
        recorded = Recorded(market, features, labels, EVERY, Costs())
        for method in (None, "bootstrap", "jitter", "warp"):
            settings = None if method is None else {"method": method, "copies": 2}
            config = EnsembleConfig.model_validate({"augment": settings})
            name = "real ticks" if method is None else f"and two by {method}"
            found.setdefault(name, []).append(judged(known, later, config, seed, recorded))
    table(f"{symbol}, {labels.horizon}", found)


def table(title: str, found: dict[str, list[Row]]) -> None:
    """Print means over seeds, with standard errors."""
    print(
        f"\n{title:<26}{'columns':>9}{'skill':>16}{'difference':>18}{'stability':>11}{'CPU s':>8}"
    )
    first = np.array([one["skill"] for one in next(iter(found.values()))])
    for name, rows in found.items():
        skill = np.array([one["skill"] for one in rows])
        mean = {key: float(np.mean([one[key] for one in rows])) for key in rows[0]}
        print(
            f"{name:<26}{mean['columns']:>4.0f}/{mean['of']:<4.0f}{told(skill):>16}"
            f"{told(skill - first):>18}{mean['stability']:>11.2f}{mean['seconds']:>8.1f}",
            flush=True,
        )


def told(values: np.ndarray) -> str:
    """Return the mean and its standard error."""
    if len(values) < 2:
        return f"{values.mean():+.2f}"
    return f"{values.mean():+.2f} ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--markets", nargs="*", choices=MARKETS, default=list(MARKETS))
    asked = parser.parse_args()
    for symbol in asked.markets:
        columns(symbol, asked.seeds)
    weights(asked.seeds)
    made_up(asked.seeds)


if __name__ == "__main__":
    main()
