"""What the checks of the venues' ports share: who answers a port, and how to take what it tells."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np

import venues
from market.events import MarketEvent

Advance = Callable[[], Awaitable[object]]


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def classes_with(*names: str) -> set[type[Any]]:
    """Return every public class of the venues that has these methods, ports left out."""
    found = set()
    for module in pkgutil.walk_packages(venues.__path__, "venues."):
        if module.name.endswith("__main__"):
            continue
        for name, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            ours = not name.startswith("_") and one.__module__.startswith("venues.")
            port = getattr(one, "_is_protocol", False)
            if ours and not port and all(hasattr(one, method) for method in names):
                found.add(one)
    return found


async def taken(events: AsyncIterator[MarketEvent], count: int, advance: Advance) -> list[Any]:
    """Take events; what does not come by itself comes when the venue moves on."""
    got: list[MarketEvent] = []
    try:
        async with asyncio.timeout(20):
            while len(got) < count:
                coming = asyncio.ensure_future(anext(events))
                while not (await asyncio.wait([coming], timeout=0.05))[0]:
                    await advance()
                got.append(coming.result())
    finally:
        await events.aclose()  # type: ignore[attr-defined]
    return got
