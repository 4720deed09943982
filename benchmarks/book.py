"""Speed of the order book on raw depth frames, beside the bar: ``python -m benchmarks.book``.

Frames come from ``binance_l2_raw`` in the folder that ``PREGAO_DATA`` names, else they are made.
hftbacktest replays the same level changes beside it where there is one: in this Python, or in the
one that ``PREGAO_HFTBACKTEST`` names. Its replay keeps two books (the exchange's and the
trader's), in double precision with a hash map, and parses nothing.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

from market.book import Book
from venues.binance.frames import DepthFrames, rebuild

LIMIT = 5e6
ROUNDS = 15
PEER = """
import sys, numpy as np
from time import process_time
from numba import njit
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, event_dtype
rows = np.load(sys.argv[1])
data = np.zeros(len(rows["times"]), event_dtype)
data["ev"] = DEPTH_EVENT | EXCH_EVENT | LOCAL_EVENT
data["ev"] |= np.where(rows["sides"] > 0, BUY_EVENT, SELL_EVENT).astype(np.uint64)
data["exch_ts"], data["local_ts"] = rows["times"], rows["times"]
data["px"], data["qty"] = rows["prices"], rows["sizes"]
@njit
def run(book):
    while book.elapse(100_000_000) == 0:
        pass
    return book.depth(0).best_bid, book.depth(0).best_ask
best = 1e9
for i in range(6):
    asset = (BacktestAsset().data(data).linear_asset(1.0).constant_order_latency(0, 0)
        .risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0, 0)
        .tick_size(float(rows["tick"])).lot_size(1e-8))
    book = HashMapMarketDepthBacktest([asset])
    start = process_time()
    quotes = run(book)
    best = min(best, process_time() - start) if i else best
    book.close()
print(best, *quotes)
"""


def recorded() -> dict[str, tuple[str, str, bytes]]:
    """Return market, price step and frames of what there is."""
    found = {}
    for path in sorted(Path(os.environ.get("PREGAO_DATA", "")).glob("binance_l2_raw/*.gz")):
        market = path.name.partition("_")[0]
        with gzip.open(path) as file:
            step = "0.1" if market == "usdm" else "0.01"
            found[path.name.removesuffix(".gz")] = (market, step, file.read())
    return found


def made(rng: np.random.Generator, frames: int = 4000, levels: int = 36) -> bytes:
    """Return a snapshot and changes around a wandering price, as spot sends them."""
    mid, number = 6_000_000, 1
    book = [[(mid + side * (1 + 7 * i), 1.0) for i in range(1000)] for side in (-1, 1)]
    bids, asks = (",".join(f'["{t / 100:.2f}","{z:.8f}"]' for t, z in side) for side in book)
    lines = [f'{{"lastUpdateId":1,"bids":[{bids}],"asks":[{asks}]}}']
    for i in range(frames):
        mid += int(rng.integers(-30, 31))
        told = []
        for side in (-1, 1):
            away = 1 + (rng.exponential(400.0, levels // 2)).astype(int)
            sizes = np.where(rng.random(levels // 2) < 0.5, 0.0, rng.exponential(1.0, levels // 2))
            told.append(
                ",".join(
                    f'["{(mid + side * a) / 100:.2f}","{z:.8f}"]'
                    for a, z in zip(away, sizes, strict=True)
                )
            )
        lines.append(
            f'{{"e":"depthUpdate","E":{1_700_000_000_000 + 100 * i},"s":"X","U":{number + 1},'
            f'"u":{number + 5},"b":[{told[0]}],"a":[{told[1]}]}}'
        )
        number += 5
    return "\n".join(lines).encode()


def seconds(once: Callable[[], object]) -> float:
    """Best CPU time of some rounds: on a shared machine the others are somebody else's."""
    best = float("inf")
    for _ in range(ROUNDS + 1):
        start = process_time()
        once()
        best = min(best, process_time() - start)
    return best


def peer(told: DepthFrames, book: Book, folder: Path) -> str:
    """Return what hftbacktest makes of the same changes, or why not."""
    kept = told.frames[:, 0] > 0
    counts = np.diff(told.frames[:, 5], prepend=0)[kept]
    times = 1_700_000_000_000_000_000 + 100_000_000 * np.repeat(np.arange(kept.sum()), counts)
    prices = told.ticks * book.price(1)
    path = folder / "rows.npz"
    np.savez(
        path, times=times, sides=told.sides, prices=prices, sizes=told.sizes, tick=book.price(1)
    )
    python = os.environ.get("PREGAO_HFTBACKTEST", sys.executable)
    done = subprocess.run([python, "-c", PEER, str(path)], capture_output=True, text=True)
    if done.returncode:
        return "not installed" if "No module named" in done.stderr else done.stderr[-60:]
    return f"{len(prices) / float(done.stdout.split()[0]):,.0f}"


def main() -> None:
    """Print the table."""
    sources = recorded() or {"made": ("spot", "0.01", made(np.random.default_rng(1)))}
    print(f"{'level changes a CPU second':<52}{'got':>14}{'limit':>12}")
    for name, (market, step, data) in sources.items():
        book, told = Book(name, step), DepthFrames.read(data, step)
        n = len(told.ticks)

        def apply(book: Book = book, told: DepthFrames = told) -> None:
            book.clear()
            book.apply(told.sides, told.ticks, told.sizes)

        def raw(book: Book = book, data: bytes = data, step: str = step, at: str = market) -> None:
            rebuild(DepthFrames.read(data, step), book, at)  # type: ignore[arg-type]

        print(f"{f'{name}, {n:,} changes, applied':<52}{n / seconds(apply):>14,.0f}{LIMIT:>12,.0f}")
        what = f"  from {len(data) / 1e6:.0f} MB of raw frames, quotes after each"
        print(f"{what:<52}{n / seconds(raw):>14,.0f}{LIMIT:>12,.0f}")
        held = (book._tree.nbytes + book._sizes.nbytes) / 1e6
        print(f"{f'  its memory, MB, {len(book):,} levels':<52}{held:>14.1f}")
        with tempfile.TemporaryDirectory() as folder:
            told_by = peer(told, book, Path(folder))
        print(f"{'  hftbacktest, applied':<52}{told_by:>14}", flush=True)


if __name__ == "__main__":
    main()
