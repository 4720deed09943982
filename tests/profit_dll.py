"""A ProfitDLL for tests: the C stub, compiled with gcc, a fresh copy for each."""

from __future__ import annotations

import asyncio
import ctypes as c
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from venues.profit import ProfitConfig, ProfitSession
from venues.profit.moments import of_text

SOURCE = Path(__file__).with_name("profit_stub.c")
TEN = of_text("02/01/2024 10:00:00")
ORDERS = {"routing": True, "broker": 3, "account": "12345"}
LOGIN = ("a-key", "a-user", "a-password")


def compiled(folder: Path, old: bool = False) -> Path:
    """Compile the stub; ``old`` leaves out what only newer versions have."""
    library = folder / ("old.so" if old else "stub.so")
    options = ["-DOLD"] if old else []
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-pthread", *options, "-o", str(library), str(SOURCE)],
        check=True,
    )
    return library


class Stub:
    """What a test tells the stub to do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._dll: Any = c.CDLL(str(path))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dll, f"stub_{name}")

    def trade(self, number: int, second: int, price: float, size: int = 1, kind: int = 2,
              millis: int = 0, edit: int = 0) -> None:  # fmt: skip
        self._dll.stub_trade(number, second, millis, c.c_double(price), size, kind, edit)

    def past(self, number: int, second: int, price: float, size: int = 1, kind: int = 3) -> None:
        self._dll.stub_past(number, second, 0, c.c_double(price), size, kind)

    def book(self, action: int, position: int, side: int, size: int, price: float) -> None:
        self._dll.stub_book(action, position, side, c.c_int64(size), c.c_double(price))

    def full(
        self, bids: Sequence[tuple[float, int]], asks: Sequence[tuple[float, int]], last: int = 1
    ) -> None:
        def columns(levels: Sequence[tuple[float, int]]) -> tuple[Any, Any, int]:
            n = len(levels)
            prices = (c.c_double * max(1, n))(*(price for price, _ in levels))
            sizes = (c.c_int64 * max(1, n))(*(size for _, size in levels))
            return prices, sizes, n

        self._dll.stub_full(*columns(bids), *columns(asks), last)

    def quote(self, side: int, price: float) -> None:
        self._dll.stub_tiny(side, c.c_double(price))

    def fill(self, venue_id: str, size: int, price: float) -> None:
        self._dll.stub_fill(c.c_int64(int(venue_id)), size, c.c_double(price))

    def reject(self, venue_id: str, why: str) -> None:
        self._dll.stub_reject(c.c_int64(int(venue_id)), c.c_wchar_p(why))

    def again(self, venue_id: str) -> None:
        self._dll.stub_again(c.c_int64(int(venue_id)))


def fresh(library: Path, folder: Path) -> Stub:
    """Load a copy of its own: a library's state is its process's."""
    copy = folder / f"fresh-{library.name}"
    shutil.copy(library, copy)
    return Stub(copy)


def session(stub: Stub, **changed: Any) -> ProfitSession:
    """Make a session on the stub, not open yet."""
    return ProfitSession(ProfitConfig(library=stub.path, **({"timeout": 5.0} | changed)), LOGIN)


@asynccontextmanager
async def opened(stub: Stub, **changed: Any) -> AsyncIterator[ProfitSession]:
    made = session(stub, **changed)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
        assert stub.violations() == 0, "functions were called on the DLL's thread"


async def take(stream: Any, count: int) -> list[Any]:
    async with asyncio.timeout(10):
        return [await anext(stream) for _ in range(count)]


async def settled(stub: Stub) -> None:
    """Wait until the DLL's thread has said all, and the loop has heard it."""
    stub.wait()
    await asyncio.sleep(0)
