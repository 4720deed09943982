"""From a forecast to an order: what the policy wants, and what the lease allows of it."""

from __future__ import annotations

from math import isfinite

from envs.action import wanted
from features.engine import FeatureEngine
from market.account import Account
from market.execution import target_units
from market.instruments import Instrument
from market.orders import Order
from models.prediction import Prediction
from policies.policy import Policy
from risk.lease import Condition, Lease, allowed
from trading.decision import Decision
from trading.holdings import Holdings
from trading.recall import Recall
from trading.sight import Sight

__all__ = ["Deciding"]

_RISK = -1
"""Action on record where risk closed a position that nobody could make a forecast for."""


class Deciding:
    """Makes the decisions of one symbol.

    Parameters
    ----------
    instrument
        What is traded.
    features
        The streaming engine.
    policy
        Answers an observation with an action; what its spec demands (actions, longest hold,
        openings within an hour) is enforced here by the code that trained it.

    Attributes
    ----------
    recall : Recall
        The policy, and what it remembers of this symbol.
    """

    def __init__(self, instrument: Instrument, features: FeatureEngine, policy: Policy) -> None:
        self._symbol, self._leverage = instrument.symbol, instrument.leverage
        self._features, self._policy, self._spec = features, policy, policy.spec
        self.recall = Recall(policy)
        self._sight = Sight(instrument, features, policy.spec)

    def exposure(self, account: Account, price: float) -> float:
        """Return the position as a fraction of the largest one."""
        return self._sight.exposure(account, price)

    def decide(
        self,
        said: Prediction | None,
        model: str,
        time: int,
        price: float,
        holdings: Holdings,
        lease: Lease | None,
        now: int,
    ) -> tuple[Decision | None, Order | None]:
        """Decide; return the decision and the order it makes, where there is one.

        Parameters
        ----------
        said, model
            The ensemble's forecast and its version. Without a forecast nothing is decided, unless
            the lease is halted and a position has to be closed.
        time, price
            Of the event it is decided on.
        holdings
            What is held; the decisions made since the position was opened are counted here.
        lease, now
            The lease held, and venue time.
        """
        account, spec = holdings.account, self._spec
        if said is not None:
            left = holdings.left(time, spec.openings)
            share = left / spec.openings if spec.trades_per_hour else 1.0
            seen = self._sight.look(said, holdings, price, share, lease, now)
            action = self.recall.act(seen)
        elif account.units != 0.0 and lease is not None and lease.state is Condition.HALTED:
            self._sight.blind()
            action = _RISK
        else:
            return None, None
        return self.carry_out(action, said, model, time, price, holdings, lease, now)

    def carry_out(
        self,
        action: int,
        said: Prediction | None,
        model: str,
        time: int,
        price: float,
        holdings: Holdings,
        lease: Lease | None,
        now: int,
    ) -> tuple[Decision, Order | None]:
        """Make the decision that ``action`` is, the policy's answer to what was seen last.

        The others are :meth:`decide`'s.
        """
        spec, account = self._spec, holdings.account
        equity = account.equity(price)
        aim = exposure = self._sight.exposure(account, price)
        loss = profit = 0.0
        if action != _RISK:
            aim, loss, profit = wanted(
                spec.table, action, exposure, self._features.volatility, spec.dead_zone,
                holdings.held, spec.max_hold, holdings.left(time, spec.openings),
            )  # fmt: skip
        target = account.units
        if aim != exposure:
            target = float(target_units(aim, equity, self._leverage, price))
        notional = allowed(target * price, account.units * price, lease, now)
        units = target if notional == target * price else notional / price
        order = None
        if units != account.units and not holdings.working:
            order = Order(
                f"{self._symbol}-{time}", self._symbol, time, units - account.units, price,
                loss=loss, profit=profit,
            )  # fmt: skip
        if account.units != 0.0:
            holdings.held += 1
        volatility = self._features.volatility
        decision = Decision(
            symbol=self._symbol,
            time=time,
            price=price,
            probabilities=None if said is None else (said.down, said.flat, said.up),
            disagreement=0.0 if said is None else said.disagreement,
            volatility=volatility if isfinite(volatility) else 0.0,
            observation=self._sight.values,
            action=action,
            wanted=aim,
            target=target,
            allowed=units,
            units=account.units,
            equity=equity,
            order="" if order is None else order.id,
            lease=-1 if lease is None else lease.sequence,
            model=model,
            policy=self._policy.version,
            loss=0.0 if order is None else loss,
            profit=0.0 if order is None else profit,
            regime=-1 if said is None else said.regime,
        )
        return decision, order
