"""The reference scalper: the published task, and a plain Python loop that trades it.

One million ticks, seed 42: log returns normal with standard deviation 5e-5 from a price of 100,
rounded to four decimals; then as many uniform numbers, below .01 a signal to buy, above .99 one to
sell. Entered at the tick of the signal when flat; left at the first later tick on which the
position has gained 10 basis points or lost 6, or that is 300 ticks after the entry; the tick of
the exit opens nothing. Half a basis point of the notional is paid a side. 4112 trades, which lose
.36488 of a notional of 1 between them.

The published figures name seed, exits and cost; generator and signal are the ones that reproduce
both of them (and the 1230 trades of the first 300,000 ticks).

Here a decision on tick *t* is filled at tick *t + 1*. The signal doesn't depend on prices, so a
decision on its tick's forerunner trades the very same: :func:`signal_ahead`.
"""

import numpy as np

from envs.spec import BracketActions, PolicySpec
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.events import SECOND
from market.execution import Costs
from market.instruments import Instrument
from market.tape import Tape
from risk.config import BreakerConfig, RiskConfig
from trading.foretold import Foretold
from trading.journal import MemoryJournal
from trading.paper import PaperBroker
from trading.trader import Trader

TICKS, TRADES, PNL = 1_000_000, 4112, -0.36488
GAIN, LOSS, HOLD, COST = 10e-4, 6e-4, 300, 0.5e-4
SYMBOL = "SCALP"
INSTRUMENT = Instrument(symbol=SYMBOL, interval=1.0, costs=Costs(commission=COST))
SPEC = PolicySpec(
    action=BracketActions(sizes=(1.0,), losses=(LOSS,), profits=(GAIN,), unit="price"),
    # The decision that closes is made one tick before the 300th.
    max_hold=HOLD - 1,
)


def market(ticks=TICKS):
    """Return the tape, and ``int[n]``: 1 to buy, -1 to sell at that tick."""
    rng = np.random.default_rng(42)
    prices = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 5e-5, TICKS))), 4)
    chance = rng.random(TICKS)
    signal = (chance < 0.01).astype(np.int64) - (chance > 0.99)
    times = (1 + np.arange(ticks)) * SECOND
    return Tape.of_ticks(SYMBOL, times, prices[:ticks]), signal[:ticks]


def signal_ahead(signal):
    """Return the signal one tick earlier, for whoever trades a tick after deciding."""
    return np.append(signal[1:], 0)


class Scalper:
    """The policy that does what the signal says: a sure forecast."""

    name, version, spec = "scalper", "1", SPEC

    def act(self, seen):
        """Enter long or short, or do nothing."""
        return int(self.acts(seen[None])[0])

    def acts(self, seen):
        """Answer several observations."""
        return (2 * (seen[:, 0] > 0.0) + 3 * (seen[:, 0] < 0.0)).astype(np.int64)


FEATURES = FeatureConfig(columns=("volatility_4", "day_sin", "day_cos"), volatility=4.0)
RISK = RiskConfig(
    max_notional=1e9,
    lease_seconds=60.0,
    symbol=BreakerConfig(daily_loss=0.99, drawdown=0.99),
    portfolio=BreakerConfig(daily_loss=0.99, drawdown=0.99),
)
LEAD = 20


def with_lead(tape, signal):
    """Return tape and signal behind some earlier ticks, on which features become warm."""
    rng = np.random.default_rng(7)
    earlier = 100.0 * np.exp(rng.normal(0.0, 1e-4, LEAD))
    times = tape.times[0] + (np.arange(LEAD) - LEAD) * SECOND
    prices = np.concatenate((earlier, tape.close))
    whole = Tape.of_ticks(SYMBOL, np.concatenate((times, tape.times)) + LEAD * SECOND, prices)
    return whole, np.concatenate((np.zeros(LEAD, np.int64), signal))


def live(tape, signal, capital=1000.0):
    """Return the live trader that scalps: its forecast is the signal of the tick to come."""
    return Trader(
        INSTRUMENT, FeatureEngine(FEATURES), Foretold.of_signal(tape.times, signal_ahead(signal)),
        Scalper(), PaperBroker(INSTRUMENT, capital), MemoryJournal(keep=False), 1, capital,
    )  # fmt: skip


def trade(prices, signal):
    """Return ``(entry, exit, side, return after costs)`` of each trade; plain Python."""
    prices, signal = prices.tolist(), signal.tolist()
    trades, side, entry, since = [], 0, 0.0, 0
    for i, price in enumerate(prices):
        if side == 0:
            if signal[i]:
                side, entry, since = signal[i], price, i
            continue
        gain = side * (price / entry - 1.0)
        if gain >= GAIN or gain <= -LOSS or i - since >= HOLD:
            trades.append((since, i, side, gain - COST * (1.0 + price / entry)))
            side = 0
    return trades
