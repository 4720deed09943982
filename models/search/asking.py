"""What to try next: Optuna's tree-structured Parzen estimator over what came of the trials so far.

Optuna is asked anew for each trial: its study is made of the finished ones, and its sampler seeded
by the trial's number. So what it proposes follows from the book alone, and a search that broke off
goes on as if it had not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.trial import BaseTrial, FixedTrial, FrozenTrial, TrialState, create_trial

from models.search.book import Param, Row
from models.search.config import SearchConfig
from models.search.proposal import Proposal
from models.search.ranges import Range, Setting, settings_of

__all__ = ["propose"]

_STATES = {
    "done": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


def propose(
    search: SearchConfig, rows: Sequence[Row], number: int, seed: int
) -> tuple[Proposal, dict[str, Param]]:
    """Propose a member.

    Parameters
    ----------
    search
        The space. Its families come first, each at its defaults where these are in the space.
    rows
        Trials so far; those that run, and combinations, are not looked at.
    number
        Of the trial.
    seed
        Of the search.

    Returns
    -------
    What to try, and how the sampler calls it.

    Notes
    -----
    TPE: Bergstra, Bardenet, Bengio, Kégl (2011), Algorithms for hyper-parameter optimization.
    """
    logging.getLogger("optuna").setLevel(logging.WARNING)  # it tells of every study
    drawn = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    sampler = optuna.samplers.TPESampler(seed=drawn, n_startup_trials=search.startup)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for row in rows:
        if row.params and row.state in _STATES:
            study.add_trial(_frozen(search, row))
    if number < len(search.members):
        study.enqueue_trial(_defaults(search, search.members[number]))
    trial = study.ask()
    return _draw(search, trial), dict(trial.params)


def _frozen(search: SearchConfig, row: Row) -> FrozenTrial:
    fixed = FixedTrial(row.params)
    _draw(search, fixed)
    return create_trial(
        state=_STATES[row.state],
        value=row.outcome.score if row.outcome is not None else None,
        params=row.params,
        distributions=fixed.distributions,
        intermediate_values=dict(enumerate(row.folds)),
    )


def _draw(search: SearchConfig, trial: BaseTrial) -> Proposal:
    kind = trial.suggest_categorical("kind", search.members)
    member = {"kind": kind}
    for name, setting in search.space(kind).items():
        member[name] = _value(trial, f"{kind}.{name}", setting)
    return Proposal(
        members=(member,),
        columns=_place(trial, "columns", len(search.columns)),
        selection=_place(trial, "selection", len(search.selection)),
        labels=_place(trial, "labels", len(search.labels)),
    )


def _value(trial: BaseTrial, name: str, setting: Setting) -> Any:
    if isinstance(setting, list):
        return setting[_place(trial, name, len(setting))]
    if not isinstance(setting, Range):
        return setting
    if setting.whole:
        return trial.suggest_int(name, int(setting.low), int(setting.high), log=setting.log)
    return trial.suggest_float(name, setting.low, setting.high, log=setting.log)


def _place(trial: BaseTrial, name: str, count: int) -> int:
    """Draw a place in a list of choices."""
    if count < 2:
        return 0
    return int(trial.suggest_categorical(name, tuple(range(count))))


def _defaults(search: SearchConfig, kind: str) -> dict[str, Param]:
    """Return a family's defaults, as far as they are in its space; and the first of all lists."""
    fields, params = settings_of(kind).model_fields, dict[str, Param]({"kind": kind})
    for name, setting in search.space(kind).items():
        default = fields[name].default
        if isinstance(setting, Range) and default in setting:
            params[f"{kind}.{name}"] = default
        elif isinstance(setting, list) and len(setting) > 1:
            plain = [tuple(one) if isinstance(one, list) else one for one in setting]
            if default in plain:
                params[f"{kind}.{name}"] = plain.index(default)
    for name in ("columns", "selection", "labels"):
        if len(getattr(search, name)) > 1:
            params[name] = 0
    return params
