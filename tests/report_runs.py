"""Runs on record for the tests of reports: positions held over a random walk, costs and all."""

from __future__ import annotations

import numpy as np

from market.execution import Costs
from market.instruments import Instrument
from trading.record import Fills, Record, SleeveRecord, Trips

START = 1_735_689_600_000_000_000  # 2025-01-01
MINUTE = 60_000_000_000
CAPITAL = 1000.0


def sleeve(
    symbol="R_75",
    n=2000,
    seed=0,
    minutes=30,
    hold=12,
    edge=0.2,
    told=True,
    regimes=3,
    positions=None,
    capital=CAPITAL,
):
    """Hold -1, 0 or 1 times the capital, decided before each step; every fill costs 1 bp + 1 bp."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 2e-3, n)
    price = 100.0 * np.exp(np.concatenate(([0.0], np.cumsum(steps))))
    times = START + int(minutes * MINUTE) * np.arange(n + 1)
    if positions is None:
        lean = np.repeat(rng.normal(size=-(-n // hold)), hold)[:n]
        ahead = np.convolve(steps, np.ones(hold), "full")[hold - 1 :][:n] / 2e-3 / np.sqrt(hold)
        positions = np.sign(np.trunc(lean + edge * ahead))
    # the size stays what it was when it was opened, so a fill changes it only where the sign does
    kept, fills = np.zeros(n), []
    now = 0.0
    for k in range(n):
        if np.sign(now) != positions[k]:
            aim = positions[k] * capital / price[k]
            fills.append((k, aim - now, aim))
            now = aim
        kept[k] = now
    rows = np.array([k for k, _, _ in fills], int)
    size = np.array([one for _, one, _ in fills])
    after = np.array([one for _, _, one in fills])
    paid = price[rows] * (1.0 + 1e-4 * np.sign(size))
    fee = 1e-4 * np.abs(size) * price[rows]
    reason = rng.choice(3, len(rows), p=(0.6, 0.25, 0.15)).astype(np.int8)
    log = Fills(times[rows] + 1, size, paid, fee, after, price[rows], reason)
    cost = np.zeros(n)
    cost[rows] = fee + np.abs(size) * price[rows] * 1e-4
    equity = capital + np.concatenate(([0.0], np.cumsum(kept * np.diff(price) - cost)))
    probabilities = np.full((n, 3), np.nan)
    if told:
        up = 1.0 / (1.0 + np.exp(-positions - rng.normal(0.0, 0.3, n)))
        probabilities = np.column_stack((0.8 * (1.0 - up), np.full(n, 0.2), 0.8 * up))
    regime = np.arange(n) // 97 % regimes if regimes else np.full(n, -1)
    trips = Trips.of(symbol, log, times, price, price, times[:-1], regime, float(price[-1]))
    instrument = Instrument(
        symbol=symbol, interval=60.0 * minutes, costs=Costs(commission=1e-4, half_spread=1e-4)
    )
    return SleeveRecord(
        symbol=symbol,
        instrument=instrument,
        every=1,
        times=times,
        price=price,
        equity=equity,
        units=np.append(kept, kept[-1]),
        exposure=kept * price[:-1] / equity[:-1],
        probabilities=probabilities,
        regime=regime,
        volatility=np.full(n, 2e-3),
        trips=trips,
        fills=log,
    )


def record(name="a run", symbols=("R_75",), **given):
    return Record(name, {one: sleeve(one, seed=k, **given) for k, one in enumerate(symbols)})
