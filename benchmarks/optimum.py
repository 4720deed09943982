"""Exact optima beside what was published, and how long each takes.

Run ``python -m benchmarks.optimum``; how training ranks against them is ``pregao policy rank``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import process_time

import numpy as np

from envs.planted import OPTIMUM
from policies.optimum.almgren_chriss import schedule
from policies.optimum.bands import linear
from policies.optimum.garleanu import pace
from policies.optimum.kelly import bet, growth
from policies.optimum.leung_li import exit_level
from policies.optimum.planted import edge
from policies.ranking.control import ControlExam, play
from policies.ranking.exams import exam


def timed(call: Callable[[], float]) -> tuple[float, float]:
    """Return what it gives, and the CPU seconds of its second call: the first one compiles."""
    call()
    began = process_time()
    return call(), process_time() - began


def published(name: str) -> float:
    """Play an exam's optimum over its episodes."""
    posed = exam(name)
    assert isinstance(posed, ControlExam)
    money = 10.0  # the exams' rewards count in tens
    return money * float(play(posed.ideal, posed.optimum, posed.noise()).mean())


def main() -> None:
    """Print the table."""
    paper = (0.95, 0.0625, 2.5e-6, 2.5e-7)
    rows: list[tuple[str, Callable[[], float], float]] = [
        ("A1, the authors' band", lambda: published("linear"), 1269.01),
        ("A3, closed form", lambda: published("quadratic"), 3410.53),
        ("A3, rate", lambda: pace(0.1, 0.3, 1.0).rate, 0.417891),
        ("A1, gain, 61 states", lambda: linear(0.1, 0.3, 4.0, 61, 0.1)[2].gain, 0.24689),
        ("A1, gain, 101 states", lambda: linear(0.1, 0.3, 4.0, 101, 0.1)[2].gain, 0.24689),
        ("Leung-Li, level", lambda: exit_level(8, 0.3, 0.3, 0.05, 0.02, 0.3).level, 0.46684),
        ("Leung-Li, value", lambda: exit_level(8, 0.3, 0.3, 0.05, 0.02, 0.3).value, 0.406990),
        ("Kelly, growth", lambda: growth(0.6, 1.0, bet(0.6, 1.0)), 0.020136),
        ("Almgren-Chriss, cost", lambda: schedule(1e6, 5, 1e-6, *paper).cost, 911_227.0),
        ("one-sided mean of a normal", lambda: edge(1.0, 0.0, 0.0).gain, math.sqrt(2 / math.pi)),
    ]
    rows += [
        (f"planted {key}", lambda key=key: edge(*key).gain, told)  # type: ignore[misc]
        for key, told in OPTIMUM.items()
    ]
    print(f"{'what':<32}{'ours':>16}{'published':>16}{'ratio':>10}{'CPU ms':>10}")
    for what, call, told in rows:
        value, seconds = timed(call)
        ratio = value / told if told else np.nan
        print(f"{what:<32}{value:>16,.6g}{told:>16,.6g}{ratio:>10.5f}{1e3 * seconds:>10.1f}")


if __name__ == "__main__":
    main()
