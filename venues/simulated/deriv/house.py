"""What the house charges and allows: settings of the simulated Deriv's trading."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from market.config import Config

__all__ = ["House"]


class House(Config):
    """The other side of every contract.

    Parameters
    ----------
    opening_balance
        Play money of a new virtual account, account currency.
    coin_pays
        What one unit staked on a fair coin pays back when it wins. The house's margin is
        ``1 - coin_pays / 2`` of the stake, whatever the chance of the bet.
    min_stake, max_stake
        Of a multiplier, account currency.
    min_bet, max_payout
        Least stake and greatest payout of a rise/fall contract, account currency.
    open_contracts
        How many an account may hold at once.
    pricing_per_minute
        ``proposal`` and ``proposal_open_contract`` calls of a connection per real minute.
    outcome_per_minute
        ``portfolio``, ``statement`` and ``profit_table`` calls of a connection per real minute.
    proposal_streams
        Prices a connection may follow at once.
    """

    opening_balance: Annotated[float, Field(ge=0.0, le=1e9)] = 10_000.0
    coin_pays: Annotated[float, Field(gt=1.0, lt=2.0)] = 1.95
    min_stake: Annotated[float, Field(ge=0.01)] = 1.0
    max_stake: Annotated[float, Field(ge=0.01, le=1e6)] = 2_000.0
    min_bet: Annotated[float, Field(ge=0.01)] = 0.35
    max_payout: Annotated[float, Field(ge=0.01, le=1e6)] = 50_000.0
    open_contracts: Annotated[int, Field(ge=1)] = 100
    pricing_per_minute: Annotated[int, Field(ge=1)] = 80
    outcome_per_minute: Annotated[int, Field(ge=1)] = 25
    proposal_streams: Annotated[int, Field(ge=0)] = 5
