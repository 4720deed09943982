"""From a market to the gate's verdict: members, a rule chosen on the training part, a hold-out."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from benchmarks._gate_markets import Market
from features.dataset import Dataset
from market.execution import equity, fill_price, target_units
from models.combination.config import VoteConfig
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.members.config import LgbmConfig, LogisticConfig
from models.runtime import EnsembleRuntime
from validation.evidence import Evidence
from validation.gate import GateConfig, judge
from validation.ratios import t_stat
from validation.verdict import Verdict

Floats = npt.NDArray[np.float64]

ENSEMBLE = EnsembleConfig(
    members=(
        LogisticConfig(),
        LgbmConfig(trees=60, patience=10, learning_rate=0.1, leaves=6, min_leaf=200),
    ),
    selection=None,
    folds=3,
    # A stack shrinks noise to class frequencies, and nothing would be traded on most nulls: here
    # members always speak, so that the gate has something to refuse.
    combination=VoteConfig(),
)
GATE = GateConfig()
CANDIDATES = (0.3, 0.5, 0.7, 0.85, 0.95)
"""Shares of the decisions whose forecast is too weak to enter: one rule each."""


class Run(NamedTuple):
    """One rule over one stretch; ``k = m - 1`` decisions."""

    net: Floats
    exposures: Floats
    costs: float
    trades: int


class Outcome(NamedTuple):
    """What came of a market.

    Parameters
    ----------
    kind
        Of the market.
    verdict
        The gate's.
    naive
        Whether "best in-sample t above 2" would have promoted it.
    sharpe
        Net, of a decision of the hold-out.
    """

    kind: str
    verdict: Verdict
    naive: bool
    sharpe: float


@nb.njit(cache=True)
def _follow(
    edge: Floats, price: Floats, fill: Floats, enter: float, half_spread: float
) -> tuple[Floats, Floats, float, int]:
    """Trade :class:`policies.baselines.Follow` as the simulator does, at leverage one."""
    k = len(edge) - 1
    net, exposures = np.zeros(k), np.zeros(k)
    cash, units, costs, trades = 1000.0, 0.0, 0.0, 0
    for i in range(k):
        worth = equity(cash, units, price[i])
        wanted = units
        if edge[i] > enter:
            wanted = units if units > 0.0 else target_units(1.0, worth, 1.0, price[i])
        elif edge[i] < -enter:
            wanted = units if units < 0.0 else target_units(-1.0, worth, 1.0, price[i])
        elif units * edge[i] < 0.0:
            wanted = 0.0
        traded = wanted - units
        if traded != 0.0:
            cash -= traded * fill_price(fill[i], traded, half_spread, 0.0)
            costs += abs(traded) * fill[i] * half_spread / 1000.0
            trades += units != 0.0
        units = wanted
        exposures[i] = units * price[i] / worth
        net[i] = equity(cash, units, price[i + 1]) / worth - 1.0
    return net, exposures, costs, trades


def follow(part: Dataset, edge: Floats, enter: float, half_spread: float) -> Run:
    """Follow forecasts beyond ``enter`` over a stretch."""
    return Run(*_follow(edge, part.price, part.fill, enter, half_spread))


def evidence_of(market: Market, seed: int) -> tuple[Evidence, bool]:
    """Fit, choose a rule, and run it over the hold-out; beside it the naive rule's word."""
    known, later, paid = market.known, market.later, market.half_spread
    fitted = fit_ensemble(known, ENSEMBLE, seed, lambda what, share: None)
    runtime = EnsembleRuntime(fitted.card, fitted.models)
    # Only training data says what is a neutral forecast, too.
    neutral = float(np.nanmedian(fitted.oof[:, 2] - fitted.oof[:, 0]))
    unseen = edge_of(fitted.oof, neutral)
    rules = np.quantile(np.abs(unseen), CANDIDATES).tolist()
    found = [t_stat(follow(known, unseen, rule, paid).net, GATE.block) for rule in rules]
    rule = rules[int(np.argmax(found))]
    seen = edge_of(runtime.predict_rows(known.X, known.fresh)[0], neutral)
    naive = max(t_stat(follow(known, seen, one, paid).net, GATE.block) for one in rules) > 2.0
    said = runtime.predict_rows(later.X, later.fresh)[0]
    run = follow(later, edge_of(said, neutral), rule, paid)
    spoken = (later.label >= 0) & np.isfinite(said[:, 0])
    labels, told = later.label[spoken].astype(np.int64), said[spoken]
    base = np.array(fitted.card.frequencies)
    return (
        Evidence(
            net_returns=run.net,
            exposures=run.exposures,
            market=np.diff(np.log(later.price)),
            trades=run.trades,
            costs=run.costs,
            log_loss=-np.log(np.maximum(told[np.arange(len(labels)), labels], 1e-12)),
            base_log_loss=-np.log(np.maximum(base[labels], 1e-12)),
            jumps=market.jumps,
            probabilities=told,
            labels=labels,
        ),
        naive,
    )


def edge_of(proba: Floats, neutral: float) -> Floats:
    """P(up) - P(down) beyond what is neutral; 0 where nothing was said."""
    return np.nan_to_num(proba[:, 2] - proba[:, 0] - neutral)


def outcome(market: Market, seed: int) -> Outcome:
    """Take a market through it all."""
    evidence, naive = evidence_of(market, seed)
    verdict = judge(evidence, GATE, np.random.default_rng(seed))
    return Outcome(market.kind, verdict, naive, verdict.figures["sharpe"])
