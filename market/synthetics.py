"""The synthetic indices as their venue lists them, each with the law of its prices."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from market.errors import UnknownSymbol
from market.predictable import OrnsteinUhlenbeck, Planted, Regimes
from market.processes import CrashBoom, Jump, Process, Step, Volatility

__all__ = ["SYNTHETICS", "SyntheticIndex", "process_for", "synthetic"]


@dataclass(frozen=True)
class SyntheticIndex:
    """One index as its venue lists it.

    Parameters
    ----------
    symbol, display_name, submarket, submarket_display_name
        The venue's names.
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    start
        Where a simulated history begins: the level recorded in April 2026, or one of a like size.
    process
        The law of its prices.
    commission
        Cost of a side at the smallest multiplier, as a fraction of the notional.
    multipliers
        Leverages offered.
    spread
        (ask - bid) / quote on the feed.
    """

    symbol: str
    display_name: str
    submarket: str
    submarket_display_name: str
    interval: int
    decimals: int
    start: float
    process: Process
    commission: float
    multipliers: tuple[int, ...]
    spread: float = 1.4e-5

    @property
    def pip(self) -> float:
        """Smallest price change."""
        return float(f"1e-{self.decimals}")


def synthetic(symbol: str) -> SyntheticIndex:
    """Return the index called ``symbol``; raises :class:`UnknownSymbol` naming close ones."""
    try:
        return SYNTHETICS[symbol]
    except KeyError:
        close = difflib.get_close_matches(symbol, SYNTHETICS, n=3, cutoff=0.4)
        hint = (
            f"did you mean {' or '.join(close)}?" if close else "see market.synthetics.SYNTHETICS"
        )
        raise UnknownSymbol(f"no synthetic index is called {symbol!r}; {hint}") from None


def process_for(symbol: str) -> Process:
    """Return the law of ``symbol``'s prices; raises :class:`UnknownSymbol`.

    Examples
    --------
    >>> process_for("BOOM500")
    CrashBoom(every=500, sign=1, decimals=3)
    """
    return synthetic(symbol).process


_COMMISSIONS = {10: 3.75e-5, 25: 8.75e-5, 50: 2e-4, 75: 3e-4, 100: 3.75e-4}
_MULTIPLIERS = {
    10: (400, 1000, 2000, 3000, 4000),
    25: (160, 400, 800, 1200, 1600),
    50: (80, 200, 400, 600, 800),
    75: (50, 100, 200, 300, 500),
    100: (40, 100, 200, 300, 400),
}


_JUMP_COMMISSIONS = {25: 1.0e-4, 75: 2.67e-4}
_JUMP_MULTIPLIERS = {
    10: (120, 300, 600, 900, 1200),
    25: (50, 120, 240, 360, 480),
    50: (24, 60, 120, 180, 240),
    75: (15, 30, 60, 90, 150),
    100: (12, 30, 60, 90, 120),
}
"""The smallest of 25 and 75 are the venue's; the others are in the proportion of the Volatility
indices."""


def _volatility(percent: int, interval: int, decimals: int, start: float) -> SyntheticIndex:
    """List a Volatility index; an unpublished commission is taken in proportion to the rest."""
    return SyntheticIndex(
        symbol=f"R_{percent}" if interval == 2 else f"1HZ{percent}V",
        display_name=f"Volatility {percent}{' (1s)' if interval == 1 else ''} Index",
        submarket="random_index",
        submarket_display_name="Continuous Indices",
        interval=interval,
        decimals=decimals,
        start=start,
        process=Volatility(percent / 100, interval, decimals),
        commission=_COMMISSIONS.get(percent, percent * 3.8e-6),
        multipliers=_MULTIPLIERS.get(percent, (40, 100, 200, 300, 400)),
    )


def _crash_boom(kind: str, suffix: str, start: float) -> SyntheticIndex:
    every = int(suffix.rstrip("N"))
    return SyntheticIndex(
        symbol=f"{kind.upper()}{suffix}",
        display_name=f"{kind} {every} Index",
        submarket="crash_index",
        submarket_display_name="Crash/Boom Indices",
        interval=1,
        decimals=3,
        start=start,
        process=CrashBoom(every, 1 if kind == "Boom" else -1, 3),
        commission=9e-5,
        multipliers=(100, 200, 300, 400, 500),
    )


def _step(tenths: int, start: float) -> SyntheticIndex:
    return SyntheticIndex(
        symbol="stpRNG" if tenths == 1 else f"stpRNG{tenths}",
        display_name=f"Step Index {tenths}00",
        submarket="step_index",
        submarket_display_name="Step Indices",
        interval=1,
        decimals=1,
        start=start,
        process=Step(tenths / 10, 1),
        commission=1.47e-5 * tenths,
        multipliers=(750, 2000, 3500, 5500, 7500),
    )


def _jump(percent: int, start: float) -> SyntheticIndex:
    """List a Jump index; an unpublished commission is taken in proportion to the rest."""
    return SyntheticIndex(
        symbol=f"JD{percent}",
        display_name=f"Jump {percent} Index",
        submarket="jump_index",
        submarket_display_name="Jump Indices",
        interval=1,
        decimals=2,
        start=start,
        process=Jump(percent / 100, 1.0, 2),
        commission=_JUMP_COMMISSIONS.get(percent, percent * 3.8e-6),
        multipliers=_JUMP_MULTIPLIERS[percent],
    )


def _for_tests(symbol: str, name: str, process: Process) -> SyntheticIndex:
    """List an index that no venue has: its prices can be predicted.

    At these costs OU10 and REGIME10 earn for who knows their law; what PLANTED10 tells of the next
    move is worth far less than a trade.
    """
    return SyntheticIndex(
        symbol=symbol,
        display_name=f"{name} Test Index",
        submarket="test_index",
        submarket_display_name="Test Indices",
        interval=1,
        decimals=2,
        start=_TEST_LEVEL,
        process=process,
        commission=_COMMISSIONS[75],
        multipliers=_MULTIPLIERS[75],
    )


_R = ((10, 3, 5080.0), (25, 3, 3230.0), (50, 4, 180.0), (75, 4, 34000.0), (100, 2, 640.0))
_HZ = {10: 9.8e3, 15: 1.1e4, 25: 7.4e5, 30: 5.6e3, 50: 2.1e5, 75: 4.4e3, 90: 8.9e3, 100: 1.4e3,
       150: 3.2e3, 200: 2.6e3, 250: 2.3e3, 300: 2.1e3}  # fmt: skip
_BOOM = {"50": 9600.0, "150N": 7300.0, "300N": 1900.0, "500": 5220.0, "600": 5116.0,
         "900": 9010.0, "1000": 13800.0}  # fmt: skip
_CRASH = {"50": 9700.0, "150N": 7200.0, "300N": 2100.0, "500": 3445.0, "600": 24650.0,
          "900": 20710.0, "1000": 5590.0}  # fmt: skip
_STEP = {1: 7955.0, 2: 8100.0, 3: 8300.0, 4: 7800.0, 5: 8000.0}
_JUMP = {10: 1.5e4, 25: 1.3e5, 50: 3.6e4, 75: 1.8e4, 100: 3.1e3}
_TEST_LEVEL = 1e4

_LISTED = (
    *(_volatility(percent, 2, decimals, level) for percent, decimals, level in _R),
    *(_volatility(percent, 1, 2, level) for percent, level in _HZ.items()),
    *(_crash_boom("Boom", suffix, level) for suffix, level in _BOOM.items()),
    *(_crash_boom("Crash", suffix, level) for suffix, level in _CRASH.items()),
    *(_step(tenths, level) for tenths, level in _STEP.items()),
    *(_jump(percent, level) for percent, level in _JUMP.items()),
    _for_tests(
        "OU10", "Ornstein-Uhlenbeck 10", OrnsteinUhlenbeck(_TEST_LEVEL, 600.0, 0.75, 1.0, 2)
    ),
    _for_tests("REGIME10", "Regime 10", Regimes(1e-5, 600.0, 0.75, 1.0, 2)),
    _for_tests("PLANTED10", "Planted 10", Planted(0.1, 0.75, 1.0, 2)),
)

SYNTHETICS: dict[str, SyntheticIndex] = {index.symbol: index for index in _LISTED}
"""Every index that can be simulated, by symbol."""
