"""Policies beside each other over one tape: what each earned after costs, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from envs.market import EnvConfig
from envs.tape import DecisionTape
from policies.evaluate import Played, evaluate
from policies.policy import Policy
from validation.bootstrap import bootstrap_means
from validation.estimate import Estimate
from validation.metrics import Performance, performance
from validation.paths import fitting_block

__all__ = ["BLOCK", "Standing", "contest", "standings"]

BLOCK = 50
"""Decisions that are resampled together."""

_SAMPLES, _LEVEL = 1000, 0.95


@dataclass(frozen=True)
class Standing:
    """One policy's run.

    Parameters
    ----------
    name, version
        The policy's.
    played
        What it did.
    performance
        Net of all costs, with 95 % intervals.
    beaten
        Mean log return per decision of the first policy less this one's, over the same decisions,
        with its interval; above 0: the first was better. ``nan`` for the first itself.
    """

    name: str
    version: str
    played: Played
    performance: Performance
    beaten: Estimate

    def plain(self) -> dict[str, Any]:
        """Return its figures, as JSON has them."""
        one = self.performance
        told: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "decisions": one.decisions,
            "trades": self.played.trades,
            "fees": self.played.fees,
            "mean_exposure": float(np.abs(self.played.exposures).mean()),
            "sharpe_per_decision": _plain(one.sharpe),
            "total": _plain(one.total),
            "drawdown": _plain(one.drawdown),
            "turnover": _plain(one.turnover),
            "win_rate": _plain(one.win_rate),
            "beaten_by_first": _plain(self.beaten),
        }
        if one.annual is not None:
            told["sharpe_per_year"] = _plain(one.annual.sharpe)
        return told


def contest(
    policies: Sequence[Policy],
    tape: DecisionTape,
    env: EnvConfig,
    rng: np.random.Generator,
    per_year: float | None = None,
) -> tuple[Standing, ...]:
    """Play each policy over the tape, by its own rules, from the same cash.

    Parameters
    ----------
    policies
        The first is the one that the others are compared with.
    tape
        What is traded; all costs are its instrument's.
    env
        Capital and ruin; what is seen and answered is each policy's own.
    rng
        Of the resampling; each policy gets the same blocks.
    per_year
        Decisions a year, for figures per year.

    Returns
    -------
    tuple[Standing, ...]
        In the order of ``policies``.
    """
    seed = int(rng.integers(2**63))
    runs = [evaluate(one, tape, env.model_copy(update={"spec": one.spec})) for one in policies]
    first = runs[0].net_returns
    block = fitting_block(BLOCK, len(first))
    made = []
    for number, (policy, played) in enumerate(zip(policies, runs, strict=True)):
        beaten = Estimate(float("nan"))
        if number:
            apart = first - played.net_returns
            drawn = bootstrap_means(apart, block, _SAMPLES, np.random.default_rng(seed))
            beaten = Estimate.of(float(apart.mean()), drawn, _LEVEL)
        found = performance(
            np.expm1(played.net_returns),
            played.exposures * tape.instrument.leverage,
            np.random.default_rng(seed),
            block,
            _SAMPLES,
            per_year,
            _LEVEL,
        )
        made.append(Standing(policy.name, policy.version, played, found, beaten))
    return tuple(made)


def standings(title: str, found: Sequence[Standing], per_year: float | None = None) -> Table:
    """Return a contest as a table: the first policy first, the others by what they earned.

    ``behind`` is the sum of log returns by which a policy is behind the first, in hundredths.
    """
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("policy", no_wrap=True)
    sharpe = "SR" if per_year is None else "SR/y"
    for name in ("net %", "95 %", sharpe, "fall", "trades", "behind", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    root = 1.0 if per_year is None else sqrt(per_year)
    rest = sorted(found[1:], key=lambda one: -one.performance.total.value)
    for number, one in enumerate((*found[:1], *rest)):
        figures, k = one.performance, one.performance.decisions
        table.add_row(
            f"[bold]{escape(one.name)}[/]" if not number else escape(one.name),
            f"{100 * figures.total.value:+.2f}",
            _between(figures.total, 100.0),
            f"{root * figures.sharpe.value:+.2f}",
            f"{100 * figures.drawdown.value:.1f}",
            f"{one.played.trades:,}",
            "" if not number else f"{100 * k * one.beaten.value:+.1f}",
            "" if not number else _between(one.beaten, 100 * k),
        )
    return table


def _between(one: Estimate, scale: float) -> str:
    low, high = scale * one.low, scale * one.high
    colour = "green" if low > 0.0 else "red" if high < 0.0 else "default"
    return f"[{colour}]{low:+.1f}…{high:+.1f}[/]"


def _plain(one: Estimate) -> list[float | None]:
    """Return value, low and high; JSON knows no figure that isn't finite."""
    return [float(x) if np.isfinite(x) else None for x in (one.value, one.low, one.high)]
