"""Rate limits kept on our side, and what the venue says of them."""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import DataError, VenueRejected
from tests.deriv_feeds import SYMBOL, exchange, feed
from tests.test_deriv_codec import junk
from tests.test_deriv_scripted import scripted
from venues.base import FeedStats
from venues.deriv import DerivConfig, DerivFeed
from venues.deriv.client import Connection
from venues.deriv.limits import DEFAULTS, Limiter, category, decode_limits
from venues.simulated.deriv.fault import Fault

CALLS = [["ping"], ["ticks_history"], ["buy"], ["proposal"], ["portfolio"], ["statement"]]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["ticks_history", "proposal", "portfolio"]), st.floats(0.0, 9.0)),
        max_size=400,
    )
)
def test_no_window_ever_holds_more_than_its_limit(steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    limiter = Limiter(clock)
    limits = {"general": (5, 40), "pricing": (3, 20), "outcome": (2, 9)}
    limiter.learn(limits)
    sent: dict[str, list[float]] = {kind: [] for kind in limits}
    for call, pause in steps:
        clock.now += pause
        clock.now += limiter.wait(call)
        assert limiter.wait(call) == 0.0
        asyncio.run(limiter.admit(call))
        sent[category(call) or ""].append(clock.now)
    for kind, times in sent.items():
        for most, window in zip(limits[kind], (60.0, 3600.0), strict=True):
            for i in range(most, len(times)):
                assert times[i] - times[i - most] >= window


def test_a_free_call_never_waits_and_a_full_category_holds_no_other_up() -> None:
    limiter = Limiter(Clock())
    for _ in range(DEFAULTS["outcome"][0]):
        assert limiter.wait("portfolio") == 0.0
        asyncio.run(limiter.admit("portfolio"))
    assert limiter.wait("statement") == pytest.approx(60.25)
    assert limiter.wait("ping") == limiter.wait("proposal") == limiter.wait("buy") == 0.0


def test_refusals_rest_longer_each_time_and_are_forgotten() -> None:
    limiter = Limiter(Clock())
    waits = []
    for _ in range(6):
        limiter.refused("buy", 0.5, 4.0)
        waits.append(limiter.wait("ticks_history"))
    assert waits == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert limiter.wait("proposal") == 0.0
    limiter.passed("buy")
    clocked = Limiter(clock := Clock())
    clocked.refused("buy", 0.5, 4.0)
    clock.now += 0.5
    assert clocked.wait("buy") == 0.0


async def test_a_call_that_must_wait_does() -> None:
    limiter = Limiter()
    limiter.refused("buy", 0.2, 1.0)
    began = monotonic()
    order: list[str] = []

    async def go(call: str) -> None:
        await limiter.admit(call)
        order.append(call)

    await asyncio.gather(go("buy"), go("proposal"))
    assert order == ["proposal", "buy"], "another category is not held up"
    assert monotonic() - began >= 0.2


async def test_the_venue_s_limits_are_read_and_kept() -> None:
    async with exchange(calls_per_minute=7) as venue:
        limiter = Limiter()
        config = DerivConfig(endpoint=venue.url)
        connection = await Connection.open(config, FeedStats(), limiter)
        async with asyncio.timeout(5):
            while not limiter.learned:
                await connection.call({"ping": 1})
        # One is left of seven, website_status counted: nothing is refused, the last one waits.
        for _ in range(6):
            await connection.call({"active_symbols": "brief"})
        assert 59.0 < limiter.wait("active_symbols") < 60.5
        assert limiter.wait("portfolio") == 0.0
        await connection.close()


async def test_a_rate_limit_we_did_not_know_of_is_waited_out() -> None:
    tight = (Fault(kind="rate_limit", tick=1, count=3),)
    async with exchange(speed=0.0, faults=tight) as venue, feed(venue.url) as source:
        await venue.advance(1.0)
        tape = await source.history(SYMBOL, 0)
        assert len(tape) == len(venue.tape(SYMBOL))
        assert venue.connections == 1


async def test_a_purchase_refused_for_its_rate_is_refused_and_not_sent_again() -> None:
    sent: list[str] = []

    def refuse(request: dict[str, Any]) -> dict[str, Any]:
        sent.append(next(iter(request)))
        error = {"code": "RateLimit", "message": "slow down"}
        return {"msg_type": "buy", "echo_req": request, "error": error}

    async with scripted(refuse) as endpoint:
        config = DerivConfig(endpoint=endpoint, backoff_first=0.01)
        limiter = Limiter()
        limiter.learned = True
        connection = await Connection.open(config, FeedStats(), limiter)
        with pytest.raises(VenueRejected, match="RateLimit"):
            await connection.deal({"buy": "1", "price": 1})
        assert sent == ["buy"]
        with pytest.raises(VenueRejected, match="RateLimit"):
            await connection.call({"active_symbols": "brief"})
        assert sent == ["buy"] + ["active_symbols"] * 5
        await connection.close()


async def test_feeds_may_share_a_limiter() -> None:
    shared = Limiter()
    async with exchange(speed=0.0) as venue:
        config = DerivConfig(endpoint=venue.url)
        for seed in range(3):
            one = DerivFeed(config, SYMBOL, np.random.default_rng(seed), shared)
            await one.history(SYMBOL, 0, count=10)
            await one.close()
        shared.learn({"general": (1, 1)})
        assert shared.wait("ticks_history") > 3000.0


@given(limits=junk, general=junk, minutely=junk)
def test_limits_that_are_none_are_refused(limits: Any, general: Any, minutely: Any) -> None:
    good = {"minutely": 9, "hourly": 99}
    names = ("max_requestes_general", "max_requests_pricing", "max_requests_outcome")
    whole = dict.fromkeys(names, good)
    assert decode_limits(_status(whole))["pricing"] == (9, 99)
    for told in (limits, whole | {names[0]: general}, whole | {names[1]: {"minutely": minutely}}):
        try:
            decode_limits(_status(told))
        except DataError:
            continue
    assert json.dumps(good)


def _status(limits: Any) -> dict[str, Any]:
    return {"website_status": {"api_call_limits": limits}}
