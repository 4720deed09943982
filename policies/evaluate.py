"""A policy played over a tape from end to end, as one sleeve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from envs.market import EnvConfig, MarketEnv, Randomisation
from envs.tape import DecisionTape
from policies.policy import Policy, Remembering

__all__ = ["Played", "evaluate"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Played:
    """What came of it; ``k = m - 1`` decisions of a tape of ``m``.

    Parameters
    ----------
    net_returns
        ``float64[k]``: log equity change from decision to decision, after all costs.
    exposures
        ``float64[k]``: fraction of the largest position held after each decision's order, at the
        decision's price and equity.
    market_returns
        ``float64[k]``: log price change from decision to decision.
    actions
        ``int64[k]``.
    equity
        ``float64[m]``.
    trades
        Round trips closed.
    fees
        Commission paid, account currency.
    """

    net_returns: Floats
    exposures: Floats
    market_returns: Floats
    actions: npt.NDArray[np.int64]
    equity: Floats
    trades: int
    fees: float


def evaluate(policy: Policy, tape: DecisionTape, config: EnvConfig | None = None) -> Played:
    """Play ``policy`` over the whole of ``tape`` as it is, starting flat.

    Costs and prices are the tape's own and the lease is whole, whatever ``config`` varies in
    training. A policy with a memory begins with an empty one, and again after every gap. After a
    ruin, nothing is decided any more: returns and exposures are 0 from there on.
    """
    asked = config or EnvConfig()
    plain = asked.model_copy(update={"randomisation": Randomisation(), "lease": 1.0})
    mind = policy if isinstance(policy, Remembering) else None
    env = MarketEnv([tape], plain)
    seen, info = env.reset(seed=0, options={"start": 0})
    k = len(tape) - 1
    actions, units, equity = np.zeros(k, np.int64), np.zeros(k), np.empty(k + 1)
    equity[0] = info["equity"]
    for i in range(k):
        if mind is not None and (i == 0 or tape.fresh[i]):
            mind.reset()
        actions[i] = policy.act(seen)
        seen, _, terminated, _, info = env.step(actions[i])
        units[i], equity[i + 1] = info["units"], info["equity"]
        if terminated:
            equity[i + 2 :] = equity[i + 1]
            break
    price = tape.rows[:, 0]
    return Played(
        net_returns=np.diff(np.log(equity)),
        exposures=units * price[:-1] / (equity[:-1] * tape.instrument.leverage),
        market_returns=np.diff(np.log(price)),
        actions=actions,
        equity=equity,
        trades=int(info["trades"]),
        fees=float(info["fees"]),
    )
