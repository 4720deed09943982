"""How a training goes, while it goes: its figures and its learning curve in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from policies.curves import chart, sparkline

__all__ = ["Board"]

_SHOWN = (
    ("reward", "reward", "+.4f"),
    ("entropy", "entropy", ".3f"),
    ("kl", "KL", ".4f"),
    ("explained", "value explained", ".2f"),
    ("level", "level", ".2f"),
)
"""Figure of an iteration, what it is called here, and how it is written; unknown ones are left
out."""


class Board:
    """What is shown of a training: a bar, its latest figures with sparklines, its reward's curve.

    Parameters
    ----------
    title
        Of what it is.
    width
        Characters there are.
    curve
        Rewards of the iterations before, where a training is gone on with.

    Examples
    --------
    >>> from rich.console import Console
    >>> board = Board("BTCUSDT", 60)
    >>> for i in range(40):
    ...     board.iteration(
    ...         {"steps": 10 * i + 10, "of": 400, "seconds": i / 10, "reward": i, "entropy": 1.0}
    ...     )
    >>> board.left
    0.0
    """

    def __init__(self, title: str, width: int = 80, curve: Sequence[float] = ()) -> None:
        self._title, self._width = title, max(40, min(width, 100))
        self._told: dict[str, float] = {}
        self._curves: dict[str, list[float]] = {"reward": [x for x in curve if isfinite(x)]}
        self._began: tuple[float, float] | None = None
        self.speed = nan

    def iteration(self, told: Mapping[str, float]) -> None:
        """Take an iteration's figures: ``steps``, ``of``, ``seconds``, and what else is known."""
        now = float(told["seconds"]), float(told["steps"])
        if "speed" in told:
            self.speed = float(told["speed"])
        elif self._began is not None and now[0] > self._began[0]:
            self.speed = (now[1] - self._began[1]) / (now[0] - self._began[0])
        self._began = self._began or now
        self._told = dict(told)
        for name, _, _ in _SHOWN:
            # Not every iteration ends an episode: what is shown is the last that did.
            if isfinite(value := float(told.get(name, nan))):
                self._curves.setdefault(name, []).append(value)

    @property
    def left(self) -> float:
        """Seconds until all steps are made at the present speed; ``nan`` before one is known."""
        if not self._told or not self.speed > 0.0:
            return nan
        return max(0.0, self._told["of"] - self._told["steps"]) / self.speed

    def __rich__(self) -> RenderableType:
        """Return what stands in the terminal now."""
        if not self._told:
            return Text(f"{self._title}: the first iteration is under way", style="dim")
        told = self._told
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(self._title, style="bold"),
            ProgressBar(total=told["of"], completed=min(told["steps"], told["of"]), width=24),
            f"{min(1.0, told['steps'] / told['of']):.0%}",
            f"{int(told['steps']):,} of {int(told['of']):,}",
        )
        pace = f"{told['seconds']:.0f} s"
        if isfinite(self.speed):
            pace += f", {self.speed:,.0f} decisions/s"
        if isfinite(self.left) and self.left > 0.0:
            pace += f", {self.left:.0f} s left"
        figures = Table.grid(padding=(0, 2))
        for name, called, form in _SHOWN:
            if values := self._curves.get(name):
                figures.add_row(
                    f"  {called}",
                    Text(format(values[-1], form), justify="right"),
                    Text(sparkline(values, 24), style="cyan"),
                )
        parts: list[RenderableType] = [head, Text(f"  {pace}", style="dim"), figures]
        lines = chart(self._curves["reward"], self._width - 16, 6)
        if lines:
            parts.append(Text("  mean reward of an episode, by iteration", style="dim"))
            parts += [Text(f"  {line}", style="cyan") for line in lines]
        return Group(*parts)
