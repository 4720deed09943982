"""Control problems with a known optimum, as environments: what training is ranked by."""

from envs.control.betting import BettingProblem
from envs.control.execution import ExecutionProblem
from envs.control.problem import Problem
from envs.control.signal import SignalProblem
from envs.control.stopping import StoppingProblem
from envs.control.vector import ControlVectorEnv

__all__ = [
    "BettingProblem",
    "ControlVectorEnv",
    "ExecutionProblem",
    "Problem",
    "SignalProblem",
    "StoppingProblem",
]
