"""`pregao stress`: what is left of a result when luck, costs, markets and parameters are others."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.words import ConfigFile, DataFolder
from market.plainly import console, plainly

__all__ = ["app"]

app = typer.Typer()


@app.command()
@plainly
def stress(
    config: ConfigFile,
    data: DataFolder,
    samples: Annotated[int, typer.Option(min=1, help="Paths drawn from the trades.")] = 2000,
    markets: Annotated[int, typer.Option(min=0, help="Markets resampled; 0: none.")] = 5,
    moments: Annotated[int, typer.Option(min=0, help="At which each scenario is tried.")] = 1,
    costs: Annotated[
        list[float] | None, typer.Option(min=0.0, help="Factors on costs; 1 2 4.")
    ] = None,
    slippage: Annotated[
        list[float] | None, typer.Option(min=0.0, help="Factors on slippage; 1 2 4.")
    ] = None,
    latency: Annotated[
        list[float] | None, typer.Option(min=0.0, help="Seconds added to latency; 0.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="Values to map, follow=0.05,0.1,0.2 (or leverage).")
    ] = None,
    tried: Annotated[int, typer.Option(min=0, help="Variants tried before this run.")] = 0,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
) -> None:
    """Stress what the last replay learnt: luck, worse costs, crashes, other parameters.

    The live trader runs again over each changed market; nothing is learnt anew.
    """
    from actors.replay import chosen
    from actors.stressing import stress as run
    from commands.reading import read
    from trading.robustness.whole import Plan
    from venues.files import find

    files = find(data)
    settings = chosen(read(config, data).floor, files)
    plan = Plan(
        samples=samples,
        markets=markets,
        moments=moments,
        costs=_rising(costs, (1.0, 2.0, 4.0)),
        slippage=_rising(slippage, (1.0, 2.0, 4.0)),
        latency=_rising(latency, (0.0,)),
        parameters=dict(map(_values, parameter or ())),
        tried=tried,
    )
    run(settings, files, plan, seed, console)


def _rising(given: list[float] | None, usual: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted(set(given))) if given else usual


def _values(text: str) -> tuple[str, tuple[float, ...]]:
    name, _, listed = text.partition("=")
    try:
        return name, tuple(sorted({float(one) for one in listed.split(",")}))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: write a name and values, follow=0.05,0.1,0.2", param_hint="--parameter"
        ) from None
