"""Speed of both backtest paths beside their peers: ``python -m benchmarks.backtest``.

The task is the published scalper: a million ticks, entries on a signal, exits at a gain of 10 basis
points, a loss of 6 or after 300 ticks, half a basis point a side; 4112 trades that lose .36488.
Peers are those of vectorbt, backtesting.py and gym-anytrading that are installed (the extra
``peers``). Rates are medians of process time, of all threads together.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median
from time import process_time

import numpy as np

from market.execution.sleeve import open_sleeve
from market.tape import Tape
from risk.lease import LeaseBook
from tests import reference_scalper as scalper
from trading.backtest.kernel import RULES, walk
from trading.backtest.replay import replay
from trading.backtest.script import Reel, Script, play

ROUNDS = 5
PEER_TICKS = 100_000


def timed(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median of process times, the first one not counted."""
    run()
    spent = []
    for _ in range(rounds):
        start = process_time()
        run()
        spent.append(process_time() - start)
    return median(spent)


def tell(what: str, ticks: int, seconds: float, trades: object, pnl: float, more: str = "") -> None:
    """Print a line."""
    print(f"{what:34} {ticks / seconds:14,.0f} ticks/s  {trades:>5} trades  {pnl:+.5f}  {more}")


def ours(tape: Tape, signal: np.ndarray) -> None:
    """Time both paths, and the plain loop that they equal."""
    trades = scalper.trade(tape.close, signal)
    pnl = sum(one[3] for one in trades)
    spent = timed(lambda: scalper.trade(tape.close, signal), 1)
    tell("plain Python loop (the reference)", len(tape), spent, len(trades), pnl)
    reel, script = Reel(tape), Script.of_signal(tape, scalper.signal_ahead(signal), scalper.SPEC)
    costs, spec = scalper.INSTRUMENT.costs, scalper.SPEC
    rules = np.array([1.0, 0.0, spec.max_hold, spec.openings, np.inf])
    assert len(rules) == RULES
    at = np.flatnonzero(script.actions)
    terms, delays, table = costs.terms(), costs.delays(), spec.table
    first, high, low, last, volume = reel.columns
    actions, volatility = script.actions[at], script.volatility[at]

    def loop() -> None:
        money, clock = open_sleeve(1000.0)
        walk(
            money, clock, terms, delays, tape.times, first, high, low, last, volume,
            reel.widen, script.rows, at, actions, volatility, table, rules,
        )  # fmt: skip

    one = play(reel, scalper.INSTRUMENT, script, 1000.0).trips
    pnl = float(np.sum(one.pnl / (one.units * one.entry)))
    tell("kernel path", len(tape), timed(loop), len(one), pnl, "bar 50,000,000")
    spent = timed(lambda: play(reel, scalper.INSTRUMENT, script, 1000.0))
    tell("kernel path, with its record", len(tape), spent, len(one), pnl)
    whole, lead = scalper.with_lead(tape, signal)

    def live() -> object:
        book = LeaseBook(scalper.RISK, [scalper.SYMBOL], first=True)
        return replay([whole], lambda _: scalper.live(whole, lead), book, "scalper")[0]

    two = live().sleeves[scalper.SYMBOL].trips  # type: ignore[attr-defined]
    pnl = float(np.sum(two.pnl / (two.units * two.entry)))
    tell("event path, the live trader", len(whole), timed(live, 3), len(two), pnl, "bar 250,000")
    same = np.array_equal(one.entry, two.entry) and np.array_equal(one.exit, two.exit)
    print(f"{'':34} kernel and event path {'agree' if same else 'DIFFER'} trade for trade")


def vectorbt(tape: Tape, signal: np.ndarray) -> None:
    """Trade the signals with its own stops; the 300 ticks need a second pass: they are left out."""
    import pandas as pd
    import vectorbt as vbt

    prices = pd.Series(tape.close)
    long, short = pd.Series(signal > 0), pd.Series(signal < 0)
    never = pd.Series(np.zeros(len(tape), np.bool_))

    def run() -> object:
        return vbt.Portfolio.from_signals(
            prices, entries=long, exits=never, short_entries=short, short_exits=never,
            sl_stop=scalper.LOSS, tp_stop=scalper.GAIN, fees=scalper.COST, size=1.0,
            size_type="value", init_cash=1e6, accumulate=False, upon_opposite_entry="ignore",
            freq="1s",
        )  # fmt: skip

    found = run()
    trades = found.trades.count()  # type: ignore[attr-defined]
    pnl = float(found.trades.returns.sum())  # type: ignore[attr-defined]
    tell("vectorbt, without the time limit", len(tape), timed(run, 3), trades, pnl)


def backtesting(tape: Tape, signal: np.ndarray) -> None:
    """Trade the same rules as a strategy of backtesting.py, on a part of the tape."""
    import pandas as pd
    from backtesting import Backtest, Strategy

    prices = tape.close
    index = pd.to_datetime(tape.times)
    frame = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), prices), index=index)

    class Scalper(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.since, self.entry, self.side = 0, 0.0, 0

        def next(self) -> None:
            i = len(self.data) - 1
            price = prices[i]
            if self.side:
                gain = self.side * (price / self.entry - 1.0)
                if gain >= scalper.GAIN or gain <= -scalper.LOSS or i - self.since >= scalper.HOLD:
                    self.position.close()
                    self.side = 0
                return
            if signal[i]:
                self.side, self.entry, self.since = int(signal[i]), price, i
                (self.buy if self.side > 0 else self.sell)(size=1)

    def run() -> object:
        test = Backtest(
            frame, Scalper, cash=1e6, commission=scalper.COST, trade_on_close=True,
            exclusive_orders=False, finalize_trades=True,
        )  # fmt: skip
        return test.run()

    found = run()
    trades = found["_trades"]  # type: ignore[index]
    pnl = float(trades["ReturnPct"].sum())
    tell(
        "backtesting.py, a tenth of it", len(tape), timed(run, 1), len(trades), pnl, "no commission"
    )


def anytrading(tape: Tape) -> None:
    """Step gym-anytrading's environment: no rules, no record, a random side at each."""
    import gym_anytrading  # noqa: F401
    import gymnasium
    import pandas as pd

    frame = pd.DataFrame(
        dict.fromkeys(("Open", "High", "Low", "Close"), tape.close), index=pd.RangeIndex(len(tape))
    )
    env = gymnasium.make("stocks-v0", df=frame, window_size=10, frame_bound=(10, len(tape)))
    base = env.unwrapped
    sides = np.random.default_rng(0).integers(0, 2, len(tape))

    def run() -> None:
        base.reset()
        for i in range(len(tape) - 11):
            base.step(int(sides[i]))

    seconds = timed(run, 1)
    print(f"{'gym-anytrading, steps alone':34} {len(tape) / seconds:14,.0f} ticks/s")


def main() -> None:
    """Print a line for each."""
    warnings.simplefilter("ignore")
    tape, signal = scalper.market()
    ours(tape, signal)
    part, told = tape.slice(0, PEER_TICKS), signal[:PEER_TICKS]
    peers = {
        "vectorbt": lambda: vectorbt(tape, signal),
        "backtesting": lambda: backtesting(part, told),
        "gym_anytrading": lambda: anytrading(part),
    }
    for name, run in peers.items():
        if find_spec(name) is None:
            print(f"{name}: not installed; install the extra `peers`")
        else:
            run()


if __name__ == "__main__":
    sys.exit(main())
