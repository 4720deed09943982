"""An ensemble's scores out of fold, as a table for the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from models.card import Card
from models.combination.comparison import Paired

__all__ = ["scorecard"]


def scorecard(card: Card) -> Table:
    """Return a row for each member, and one for all together.

    Gains are the other's log-loss out of fold less the ensemble's, in thousandths of a nat a
    decision, with the 95 % interval of the paired difference; one that leaves 0 out is coloured.
    The ensemble's own row is that of combinations fitted without the fold they speak about: where a
    member stands alone, it may not have done so in every fold.
    """
    metrics, pools = card.metrics, card.combination.pools
    how = card.combination.kind
    if card.combination.alone:
        how += f" left for {card.combination.alone}, which alone was surely better"
    title = (
        f"[bold]{card.symbol}[/] {card.version}: {card.decisions:,} decisions, {card.told}\n"
        f"out of fold, each fold with a combination of its own; gain of the ensemble over each, in "
        f"thousandths of a nat; the final one: {how}"
    )
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown.add_column("member", no_wrap=True)
    for name in ("log-loss", "skill", "weight", "gain"):
        shown.add_column(name, justify="right", no_wrap=True)
    base = metrics["base_log_loss"]
    for place, one in enumerate(card.members):
        loss = metrics[f"{one.name}_log_loss"]
        weights = " ".join(f"{pool.weights[place]:.2f}" for pool in pools)
        shown.add_row(
            one.name, f"{loss:.4f}", f"{1.0 - loss / base:+.2%}", weights,
            _gain(card.compared[one.name]),
        )  # fmt: skip
    shown.add_row("frequencies", f"{base:.4f}", "", "", _gain(card.compared["base"]))
    shown.add_section()
    shown.add_row("[bold]ensemble[/]", f"{metrics['log_loss']:.4f}", f"{metrics['skill']:+.2%}")
    return shown


def _gain(one: Paired) -> str:
    text = f"{1e3 * one.gain:+.2f} [{1e3 * one.low:+.2f}, {1e3 * one.high:+.2f}]"
    if one.sure:
        return f"[green]{text}[/]"
    return f"[red]{text}[/]" if one.high < 0.0 else text
