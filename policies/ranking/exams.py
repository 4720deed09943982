"""The exams there are, each with the settings it is sat with."""

from __future__ import annotations

from collections.abc import Callable

from envs.control import BettingProblem, ExecutionProblem, SignalProblem, StoppingProblem
from envs.market import EnvConfig
from envs.reward import RewardConfig
from policies.ranking import control
from policies.ranking.exam import Exam
from policies.ranking.market import LeakedExam, PlantedExam
from policies.training import Training

__all__ = ["EXAMS", "exam"]


def _trained(**settings: object) -> Training:
    common = {"envs": 32, "fragment": 256, "minibatch": 2048, "epochs": 4, "entropy": 0.0}
    return Training.model_validate(common | settings)


def _market(**settings: object) -> Training:
    env = EnvConfig(reward=RewardConfig(risk=0.01))
    common = {"steps": 800_000, "envs": 256, "fragment": 64, "minibatch": 4096, "epochs": 4}
    return Training.model_validate(common | {"gamma": 0.97, "rate": 1e-3, "env": env} | settings)


def _linear() -> Exam:
    problem = SignalProblem(moves=(), dead_zone=0.25, money=10.0)
    # Not yet passed: .930 with one seed, see docs/optima.md.
    settings = {"spread": 0.5, "hidden": (32, 32), "rate": 3e-3, "value": 0.5, "epochs": 10}
    lanes = {"envs": 128, "fragment": 64}
    training = _trained(steps=600_000, gamma=0.97, gae=0.9, **settings, **lanes)
    return control.signal(problem, training, "linear costs and risk (Chaouki A1)")


def _quadratic() -> Exam:
    problem = SignalProblem(name="quadratic", linear=0.0, quadratic=1.0, moves=(), money=10.0)
    settings = {"spread": 0.6, "hidden": (32, 32), "rate": 1e-3}
    training = _trained(steps=400_000, gamma=0.95, gae=0.95, **settings)
    return control.signal(problem, training, "quadratic costs and risk (Chaouki A3)")


EXAMS: dict[str, Callable[[], Exam]] = {
    "linear": _linear,
    "quadratic": _quadratic,
    "exit": lambda: control.stopping(
        StoppingProblem(), _trained(steps=400_000, gamma=0.995, gae=0.95, rate=1e-3)
    ),
    "bets": lambda: control.betting(
        BettingProblem(), _trained(steps=400_000, gamma=0.0, gae=0.0, rate=2e-3, entropy=0.001)
    ),
    "execution": lambda: control.execution(
        ExecutionProblem(), _trained(steps=400_000, gamma=0.999, gae=0.95, rate=2e-3)
    ),
    "strong": lambda: PlantedExam("strong", 0.2, 0.9, 0.5, _market()),
    "weak": lambda: PlantedExam("weak", 0.05, 0.98, 0.1, _market()),
    "none": lambda: PlantedExam("none", 0.0, 0.95, 0.3, _market()),
    "leaked": lambda: LeakedExam("leaked", 0.0, 0.95, 0.5, _market()),
}
"""By name; each is made when it is asked for, for some take a moment."""


def exam(name: str) -> Exam:
    """Return an exam.

    Raises
    ------
    ValueError
        There is none of that name.

    Examples
    --------
    >>> exam("quadratic").about
    'quadratic costs and risk (Chaouki A3)'
    """
    if name not in EXAMS:
        raise ValueError(f"exams must be of {', '.join(EXAMS)}, was {name}")
    return EXAMS[name]()
