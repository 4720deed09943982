"""A breakdown as tables for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from validation.breakdown import Breakdown
from validation.estimate import Estimate

__all__ = ["tables"]

BASIS_POINT = 1e-4


def tables(found: Breakdown) -> Iterator[Table]:
    """One table for each way the run was split up; what stands out is marked ``*``.

    Parameters
    ----------
    found
        The breakdown. Its net returns are shown in hundredths of a percent (bp).

    Examples
    --------
    >>> import numpy as np
    >>> from rich.console import Console
    >>> from validation.breakdown import breakdown
    >>> rng = np.random.default_rng(0)
    >>> times = np.arange(20_000) * 900_000_000_000
    >>> evening = times // 3_600_000_000_000 % 24 >= 16
    >>> returns = rng.normal(0.0, 0.001, 20_000) + 0.0001 * evening
    >>> hour, session, weekday = tables(breakdown(returns, np.ones(20_000), times, block=20))
    >>> Console(width=80).print(session)
    <BLANKLINE>
      session   decisions         net bp    hits   gain    p net   p gain
     ─...─
      Asia          6,688   -0.09 ± 0.25   49.3%      -   <0.001        -   *
      Europe        6,656   +0.10 ± 0.25   50.0%      -    0.212        -
      America       6,656   +1.14 ± 0.25   54.3%      -   <0.001        -   *
    <BLANKLINE>
    """
    for group in found.groups:
        table = Table(box=SIMPLE_HEAD, caption_justify="left", title_justify="left")
        table.add_column(group.name)
        for head in ("decisions", "net bp", "hits", "gain", "p net", "p gain"):
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("")
        for one in group.buckets:
            table.add_row(
                escape(one.label),
                f"{one.count:,}",
                _interval(one.net, BASIS_POINT, 2),
                "-" if math.isnan(one.hit_rate) else f"{one.hit_rate:.1%}",
                _interval(one.gain, 1.0, 4),
                _probability(one.net_p),
                _probability(one.gain_p),
                "*" if one.differs else "",
            )
        yield table


def _interval(one: Estimate, unit: float, digits: int) -> str:
    if math.isnan(one.value):
        return "-"
    text = f"{one.value / unit:+.{digits}f}"
    return text if math.isnan(one.high) else f"{text} ± {(one.high - one.value) / unit:.{digits}f}"


def _probability(p: float) -> str:
    if math.isnan(p):
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"
