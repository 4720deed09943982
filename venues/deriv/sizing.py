"""From an order to the contract Deriv would make of it: type, multiplier, stake, limits."""

from __future__ import annotations

from math import isfinite, isnan, nan

from msgspec import structs

from market.errors import ConfigError, VenueRejected
from market.orders import Order
from venues.deriv.account import Account
from venues.deriv.contract import Contract, decode_proposal
from venues.deriv.deals import Deal, RiseFall, proposal_request
from venues.deriv.listings import Contracts
from venues.deriv.stakes import gain_at, loss_at, stake_of

__all__ = ["contract_key", "deal_of", "deal_of_bet", "limited", "moved"]


async def deal_of(order: Order, account: Account, multiplier: int | None) -> Deal:
    """Return an order as a multiplier contract, its limits left out.

    Parameters
    ----------
    order
        In units.
    account
        Is asked what is offered.
    multiplier
        The smallest offered if ``None``.

    Raises
    ------
    UnknownSymbol
        The venue doesn't list the symbol.
    ConfigError
        The multiplier is not offered on it.
    VenueRejected
        Multipliers aren't, or not for such a stake.
    """
    offers = await account.offers(order.symbol)
    if not offers.multipliers:
        raise VenueRejected(
            "OfferingsValidationError", f"multipliers are not offered on {order.symbol}"
        )
    factor = offers.multipliers[0] if multiplier is None else multiplier
    if factor not in offers.multipliers:
        raise ConfigError(
            f"must be one of {offers.multipliers} on {order.symbol}, was {factor}",
            key="multiplier",
        )
    stake = stake_of(order.units, order.price, factor)
    _check(stake, offers)
    kind = "MULTUP" if order.units > 0.0 else "MULTDOWN"
    return Deal(order.id, order.symbol, kind, stake, order.time, factor)


async def deal_of_bet(bet: RiseFall, account: Account) -> Deal:
    """Return a bet as a contract; raises :class:`VenueRejected` where it is not on offer."""
    if not (isfinite(bet.stake) and bet.stake > 0.0) or round(bet.stake, 2) != bet.stake:
        raise VenueRejected(
            "InvalidMinStake", f"the stake must be positive and whole cents, was {bet.stake}"
        )
    offers = await account.offers(bet.symbol)
    spans = [span for span in offers.durations if span.unit == bet.unit]
    if not any(span.least <= bet.duration <= span.most for span in spans):
        offered = ", ".join(f"{one.least} to {one.most} {one.unit}" for one in offers.durations)
        raise VenueRejected(
            "OfferingsValidationError",
            f"rise/fall on {bet.symbol} lasts {offered or 'no time: it is not offered'}, was "
            f"{bet.duration} {bet.unit}",
        )
    _check(bet.stake, offers)
    return Deal.of_bet(bet)


async def limited(deal: Deal, order: Order, account: Account) -> Deal:
    """Return the deal with the amounts that the order's stop loss and take profit come to.

    Spot and commission are the venue's of this moment, from ``proposal``; without limits it isn't
    asked.

    Raises
    ------
    VenueRejected
        A price is on the wrong side, or too near.
    """
    if isnan(order.stop_loss) and isnan(order.take_profit):
        return deal
    request = proposal_request(deal, await account.currency())
    spot, commission = decode_proposal(await account.ask(request))
    terms = (deal.stake, deal.multiplier, 1 if order.units > 0.0 else -1, spot, commission)
    return structs.replace(
        deal,
        stop_loss=nan if isnan(order.stop_loss) else loss_at(order.stop_loss, *terms),
        take_profit=nan if isnan(order.take_profit) else gain_at(order.take_profit, *terms),
    )


def moved(
    contract: Contract, stop_loss: float | None, take_profit: float | None
) -> dict[str, float | None]:
    """Return the amounts that prices come to on a contract that has its entry.

    ``None`` stays ``None`` (the limit is removed), ``nan`` is left out (it stays as it is). Raises
    :class:`VenueRejected` where a price is on the wrong side.
    """
    terms = (
        contract.stake, contract.multiplier, contract.sign, contract.entry, contract.commission
    )  # fmt: skip
    found: dict[str, float | None] = {}
    if stop_loss is None or not isnan(stop_loss):
        found["stop_loss"] = None if stop_loss is None else loss_at(stop_loss, *terms)
    if take_profit is None or not isnan(take_profit):
        found["take_profit"] = None if take_profit is None else gain_at(take_profit, *terms)
    return found


def contract_key(name: str) -> int:
    """Return a contract's number; raises :class:`VenueRejected` where it is none."""
    if not (name.isascii() and name.isdigit() and len(name) < 19):
        raise VenueRejected("ContractNotFound", f"no contract is called {name!r:.80}")
    return int(name)


def _check(stake: float, offers: Contracts) -> None:
    if not offers.least <= stake <= offers.most:
        raise VenueRejected(
            "InvalidMinStake" if stake < offers.least else "StakeLimits",
            f"the stake on {offers.symbol} must be from {offers.least} to {offers.most}, was "
            f"{stake}",
        )
