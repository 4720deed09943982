"""`pregao policy rank`: training, or a policy, held against exact optima."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from market.plainly import console, plainly

__all__ = ["rank"]


@plainly
def rank(
    config: Annotated[
        Path | None, typer.Option(help="YAML: exams, seeds, training. The exams' own if left out.")
    ] = None,
    exams: Annotated[
        list[str] | None, typer.Option("--problem", help="Which exam; all there are if left out.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Trainings of each exam; 3.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Decisions to learn from, in each training.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Judge this exported policy by the exam; train none.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="File for the table as JSON.")] = None,
) -> None:
    """Train on problems whose optimum is known, and say how near to it that comes.

    A score of 1 is the optimum, 0 is doing nothing; .95 passes, .98 is good (the published DDPG
    has .979), .99 excellent. Exit status: 0 all passed, 3 not all, 1 and 2 error.
    """
    from pydantic import ValidationError

    from actors.ranking import RankingConfig, judged, run
    from market.config import load, reason_of
    from market.errors import ConfigError

    asked = RankingConfig() if config is None else load(config, RankingConfig)
    told: dict[str, Any] = asked.model_dump()
    if exams:
        told["exams"] = tuple(exams)
    if seeds is not None:
        told["seeds"] = seeds
    if steps is not None:
        told["training"] = told["training"] | {"steps": steps}
    try:
        asked = RankingConfig.model_validate(told)
    except ValidationError as error:
        fault = error.errors()[0]
        key = "--seeds" if fault["loc"] == ("seeds",) else "--problem"
        raise ConfigError(reason_of(fault), key=key) from None
    if policy is not None:
        if not exams or len(exams) != 1:
            raise ConfigError("a policy is judged by one exam; name it", key="--problem")
        judged([(exams[0], policy)], console)
        return
    raise typer.Exit(0 if run(asked, console, json) else 3)
