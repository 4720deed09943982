"""Recorded ticks taken through the parts that trade live, and judged."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from features.config import FeatureConfig
from features.dataset import build
from features.labels import LabelConfig
from market.execution import Costs
from market.instruments import Instrument
from market.synthetics import synthetic
from models.combination.config import VoteConfig
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.members.config import LgbmConfig, LogisticConfig
from risk.config import RiskConfig
from risk.lease import LeaseBook
from trading.backtest import run
from trading.desk import DeskSpec
from trading.holdout import gather
from trading.journal import MemoryJournal
from trading.unseen import known
from validation.gate import GateConfig, judge
from validation.verdict import Verdict
from venues.files import FileFeed

EVERY, HOLDOUT, CAPITAL = 2, 0.5, 1000.0
LABELS, FEATURES = LabelConfig(horizon=30), FeatureConfig()
ENSEMBLE = EnsembleConfig(
    members=(LogisticConfig(), LgbmConfig(trees=100, patience=10)),
    selection=None,
    folds=3,
    combination=VoteConfig(),  # speaks where a stack would say nothing
)


def ticks(symbol: str, path: Path, seed: int) -> tuple[str, Verdict]:
    """Learn from the first half of a recording, trade the second, and judge that.

    The commission is what the venue charges. ``follow`` takes a position on the stronger half of
    what the ensemble said out of fold, however little that is: it shall trade.
    """
    listed = synthetic(symbol)
    instrument = Instrument(
        symbol=symbol, interval=listed.interval, costs=Costs(commission=listed.commission)
    )
    tape = FileFeed(path, symbol).tape
    whole = build(tape, FEATURES, LABELS, EVERY, instrument.costs)
    learnt, unseen = known(whole, HOLDOUT)
    fitted = fit_ensemble(learnt, ENSEMBLE, seed, lambda what, share: None)
    edges = np.abs(fitted.oof[:, 2] - fitted.oof[:, 0])
    with tempfile.TemporaryDirectory() as folder:
        desk = DeskSpec(
            instrument=instrument,
            policy="follow",
            every=EVERY,
            capital=CAPITAL,
            features=FEATURES,
            risk=RiskConfig(max_notional=CAPITAL),
            model=fitted.save(folder),
            trained_policy=Path(folder),
            journal="",
            source=path,
            seed=seed,
            follow=float(np.clip(np.nanquantile(edges, 0.5), 1e-4, 0.49)),
        ).beginning(tape, unseen)
        later = tape.after(desk.warm_from)
        book = LeaseBook(desk.risk, [symbol], first=True)
        result = run([later], lambda _: desk.trader(MemoryJournal(keep=False)), book)
        evidence = gather(
            result.sleeves[symbol],
            later,
            FEATURES,
            LABELS,
            EVERY,
            np.array(fitted.card.frequencies),
            1,
        )
    return symbol, judge(evidence, GateConfig(), np.random.default_rng(seed))
