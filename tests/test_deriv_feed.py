"""The supervised client over real sockets: no tick lost, none doubled, whatever breaks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from time import monotonic

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import ConfigError, UnknownSymbol, VenueRejected, VenueUnreachable
from market.events import SECOND, Event, FeedGap
from tests.deriv_feeds import SYMBOL, exchange, feed, ledger, plain, start, take
from venues.base import Feed
from venues.retry import REFUSALS
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.fault import Fault


async def test_it_is_a_feed_and_lists_what_there_is() -> None:
    async with exchange() as venue, feed(venue.url) as source:
        assert isinstance(source, Feed)
        listed = await source.instruments()
        assert [entry.symbol for entry in listed] == [SYMBOL, "R_75"]
        assert listed[0].pip == pytest.approx(0.01)


async def test_history_first_then_live_without_a_seam() -> None:
    async with exchange() as venue, feed(venue.url) as source:
        after, live = start(venue), []
        events = await take(source, after, 130, lambda n: live.append(source.live))
        assert plain(events) == ledger(venue.tape(SYMBOL), after, 130)
        assert live[0] is False
        assert live[-1] is True
        assert live == sorted(live)
        assert source.stats.received == 130
        assert (source.stats.gaps, source.stats.filled, source.stats.reconnects) == (0, 0, 0)
        assert source.stats.age < 1.0


async def test_from_now_on() -> None:
    async with exchange() as venue, feed(venue.url) as source:
        known = int(venue.tape(SYMBOL).times[-1])
        events = await take(source, 0, 10)
        assert events[0].time > known
        assert plain(events) == ledger(venue.tape(SYMBOL), events[0].time - 1, 10)
        assert source.live


async def test_history_of_any_length_is_the_ledger_s() -> None:
    async with exchange(speed=0.0, history_seconds=12_345) as venue, feed(venue.url) as source:
        heard: list[int] = []
        whole = await source.history(SYMBOL, 0, progress=heard.append)
        told = venue.tape(SYMBOL)
        assert np.array_equal(whole.times, told.times)
        assert np.array_equal(whole.close, told.close)
        assert heard == [5000, 10_000, 12_346]
        first, last = int(told.times[1000]), int(told.times[8000])
        part = await source.history(SYMBOL, first, last)
        assert part.times.tolist() == told.times[1000:8001].tolist()
        few = await source.history(SYMBOL, 0, last, 6000)
        assert few.times.tolist() == told.times[2001:8001].tolist()
        assert len(await source.history(SYMBOL, last + 1, last + 2)) == 0


async def test_history_marks_what_the_venue_itself_has_lost() -> None:
    lost = (Fault(kind="lost", tick=5, count=3),)
    async with exchange(speed=0.0, faults=lost) as venue, feed(venue.url) as source:
        await venue.advance(20.0)
        tape = await source.history(SYMBOL, 0)
        behind = tape.times[tape.fresh] // SECOND - venue.config.start_epoch
        assert behind.tolist() == [8]


FAULTS = {
    "drop_all": (Fault(kind="drop_all", tick=20),),
    "drop one": (Fault(kind="drop", tick=20),),
    "three drops": tuple(Fault(kind="drop_all", tick=20 + 15 * k) for k in range(3)),
    "drop at once": (Fault(kind="drop_all", tick=20), Fault(kind="drop_all", tick=21)),
    "duplicates": (Fault(kind="duplicate", tick=20, count=5),),
    "late": (Fault(kind="late", tick=20),),
    "gap": (Fault(kind="gap", tick=20, count=4),),
    "garbage": (Fault(kind="garbage", tick=20, count=2),),
    "garbage and gap": (Fault(kind="garbage", tick=20), Fault(kind="gap", tick=20)),
    "gap, then drop": (Fault(kind="gap", tick=20, count=2), Fault(kind="drop_all", tick=22)),
    "stall": (Fault(kind="stall", tick=20, seconds=200.0),),
    "half-open": (Fault(kind="stall", tick=20),),
    "delay": (Fault(kind="delay", tick=20, seconds=20.0),),
    "restart": (Fault(kind="restart", tick=20, seconds=10.0),),
    "rate limit": (Fault(kind="drop_all", tick=20), Fault(kind="rate_limit", tick=20, count=3)),
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
async def test_no_tick_is_lost_or_doubled(faults: tuple[Fault, ...]) -> None:
    kinds = {fault.kind for fault in faults}
    quick = {"stale_least": 0.3, "stale_after": 0.3} if "stall" in kinds else {}
    async with exchange(speed=200.0, faults=faults) as venue, feed(venue.url, **quick) as source:
        after = start(venue, 25)
        events = await take(source, after, 95)
        assert plain(events) == ledger(venue.tape(SYMBOL), after, 95)
        stats = source.stats
        assert stats.gaps == 0
        assert stats.received == 95
        assert (stats.reconnects > 0) == bool({"drop_all", "drop", "stall", "restart"} & kinds)
        assert (stats.duplicates > 0) == bool({"duplicate", "late"} & kinds)
        assert stats.bad_frames == sum(f.count for f in faults if f.kind == "garbage")
        if "gap" in kinds or "late" in kinds:
            assert stats.filled > 0


CORRUPT = {"no_price": "price", "nan": "malformed", "negative": "price", "symbol": "symbol",
           "text_epoch": "time"}  # fmt: skip


async def test_what_is_wrong_with_a_frame_is_counted_by_its_kind() -> None:
    faults = tuple(
        Fault(kind="corrupt", tick=20 + 3 * k, variant=variant) for k, variant in enumerate(CORRUPT)
    )
    async with exchange(speed=200.0, faults=faults) as venue, feed(venue.url) as source:
        after = start(venue, 25)
        assert plain(await take(source, after, 95)) == ledger(venue.tape(SYMBOL), after, 95)
        assert source.stats.reasons == Counter(CORRUPT.values())
        assert source.stats.bad_frames == len(CORRUPT)
        assert source.stats.gaps == source.stats.reconnects == 0


@pytest.mark.parametrize("name", ["drop_all", "duplicates", "gap", "late", "garbage", "restart"])
async def test_the_newer_dialect_loses_and_doubles_no_tick_either(name: str) -> None:
    async with exchange(speed=200.0, faults=FAULTS[name]) as venue:
        public = f"{venue.url}/trading/v1/options/ws/public"
        async with feed(public, dialect="options") as source:
            listed = await source.instruments()
            assert (listed[0].symbol, listed[0].pip) == (SYMBOL, 0.01)
            assert (await source.contracts(SYMBOL)).multipliers[0] == 50
            after = start(venue, 25)
            events = await take(source, after, 80)
            assert plain(events) == ledger(venue.tape(SYMBOL), after, 80)
            assert source.stats.gaps == 0


async def test_what_is_offered_on_a_symbol() -> None:
    async with exchange(symbols=(SYMBOL, "BOOM500")) as venue, feed(venue.url) as source:
        offered = await source.contracts(SYMBOL)
        assert offered.multipliers == (50, 100, 200, 300, 500)
        assert {span.unit for span in offered.durations} == {"ticks", "seconds"}
        assert (await source.contracts("BOOM500")).durations == ()
        with pytest.raises(UnknownSymbol, match="no 'BOOM300'; did you mean BOOM500"):
            await source.contracts("BOOM300")


async def test_a_hole_nobody_can_fill_is_told_once() -> None:
    faults = (Fault(kind="lost", tick=20, count=3), Fault(kind="drop_all", tick=24))
    async with exchange(speed=200.0, faults=faults) as venue, feed(venue.url) as source:
        after = start(venue, 10)
        events = await take(source, after, 60)
        gaps = [event for event in events if isinstance(event, FeedGap)]
        base = venue.config.start_epoch
        assert gaps == [FeedGap(SYMBOL, (base + 23) * SECOND, (base + 19) * SECOND)]
        following = events[events.index(gaps[0]) + 1]
        assert following.time == gaps[0].time
        assert plain(events) == ledger(venue.tape(SYMBOL), after, 59)
        assert source.stats.gaps == 1


async def test_a_start_the_venue_has_forgotten_is_a_gap() -> None:
    async with exchange() as venue, feed(venue.url) as source:
        first = int(venue.tape(SYMBOL).times[0])
        events = await take(source, first - 50 * SECOND, 20)
        assert events[0] == FeedGap(SYMBOL, first, first - 50 * SECOND)
        assert plain(events) == ledger(venue.tape(SYMBOL), 0, 19)


async def test_a_drop_heals_in_a_second() -> None:
    async with exchange() as venue, feed(venue.url, backoff_first=0.1) as source:
        broken: list[float] = []
        healed: list[float] = []

        async def cut(n: int) -> None:
            if source.live and len(healed) < len(broken):
                healed.append(monotonic())
            elif n % 15 == 0:
                await venue.drop_all()
                broken.append(monotonic())

        await take(source, start(venue, 5), 70, cut)
        assert len(healed) >= 3
        assert max(np.array(healed) - np.array(broken[: len(healed)])) < 1.0


async def test_many_feeds_over_one_exchange_agree_with_its_ledger() -> None:
    drops = tuple(Fault(kind="drop_all", tick=15 + 20 * k) for k in range(3))
    async with exchange(faults=drops, speed=100.0) as venue:
        after = start(venue, 20)

        async def one(k: int) -> tuple[str, list[Event]]:
            symbol = (SYMBOL, "R_75")[k % 2]
            async with feed(venue.url, symbol, seed=k) as source:
                return symbol, await take(source, after, 60)

        for symbol, events in await asyncio.gather(*(one(k) for k in range(6))):
            assert plain(events) == ledger(venue.tape(symbol), after, 60)


@settings(max_examples=6, deadline=None)
@given(
    faults=st.lists(
        st.builds(
            Fault,
            kind=st.sampled_from(["drop_all", "drop", "duplicate", "late", "gap", "garbage"]),
            tick=st.integers(1, 40),
            count=st.integers(1, 4),
        ),
        max_size=8,
    )
)
def test_no_mixture_of_faults_loses_or_doubles_a_tick(faults: list[Fault]) -> None:
    async def run() -> None:
        async with exchange(faults=tuple(faults), speed=200.0) as venue, feed(venue.url) as source:
            after = start(venue, 10)
            assert plain(await take(source, after, 70)) == ledger(venue.tape(SYMBOL), after, 70)

    asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what others do is looked at, not told
            await asyncio.sleep(0.005)


async def test_a_venue_that_comes_back_is_waited_for() -> None:
    async with exchange() as venue:
        port, after = venue.port, start(venue, 5)
        tape = venue.tape(SYMBOL)
        async with feed(venue.url, timeout=1.0) as source:
            taking = asyncio.create_task(take(source, after, 60))
            await until(lambda: source.stats.received > 0 and source.live)
            await venue.stop()
            await asyncio.sleep(0.3)
            now = int(venue.now)
            assert not taking.done()
            # The same tape goes on: it depends on seed and symbol, not on when the process began.
            ahead = now - venue.config.start_epoch + 10
            again = venue.config.model_copy(
                update={
                    "port": port,
                    "start_epoch": venue.config.start_epoch + ahead,
                    "history_seconds": venue.config.history_seconds + ahead,
                }
            )
            async with DerivExchange(again) as back:
                events = await taking
                assert plain(events) == ledger(back.tape(SYMBOL), after, 60)
                assert events[0].time == tape.after(after).times[0]
        assert source.stats.reconnects == 1


async def test_what_the_venue_refuses_for_good_is_raised() -> None:
    async with exchange() as venue, feed(venue.url, "R_7500") as source:
        with pytest.raises(UnknownSymbol, match="no 'R_7500'; did you mean R_75"):
            await take(source, 0, 1)
        with pytest.raises(UnknownSymbol, match="no 'R_7500'; did you mean R_75"):
            await source.history("R_7500", 0)


async def test_a_venue_behind_what_was_seen_is_told_apart() -> None:
    async with exchange(speed=0.0) as venue, feed(venue.url, backoff_most=0.02) as source:
        ahead = (venue.config.start_epoch + 100) * SECOND
        with pytest.raises(VenueRejected, match=r"clock is behind .* new journal"):
            await take(source, ahead, 1)
        assert venue.connections == REFUSALS


async def test_an_unreachable_venue_is_named(unused_tcp_port: int) -> None:
    async with feed(f"ws://127.0.0.1:{unused_tcp_port}", backoff_most=0.02) as source:
        with pytest.raises(VenueUnreachable, match=f"can't connect to .*:{unused_tcp_port}"):
            await source.history(SYMBOL, 0)


async def test_a_token_logs_in_and_stays_out_of_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    async with exchange() as venue, feed(venue.url) as source:
        monkeypatch.setenv("DERIV_TOKEN", "anything")
        assert len(await take(source, 0, 2)) == 2
    async with exchange() as venue, feed(venue.url) as source:
        monkeypatch.setenv("DERIV_TOKEN", "expired")
        with pytest.raises(VenueRejected, match="InvalidToken") as caught:
            await take(source, 0, 1)
        assert "expired" not in str(caught.value)
    async with feed("ws://deriv.example") as source:
        with pytest.raises(ConfigError, match="must be wss:// where DERIV_TOKEN is set"):
            await take(source, 0, 1)


async def test_close_ends_the_events() -> None:
    async with exchange() as venue, feed(venue.url) as source:

        async def leave(n: int) -> None:
            if n == 5:
                await source.close()

        assert len(await take(source, 0, 100, leave)) == 5
        await source.close()


async def test_nothing_is_left_running() -> None:
    async with exchange() as venue:
        before = len(asyncio.all_tasks())
        async with feed(venue.url) as source:
            await source.history(SYMBOL, 0)
            stream = source.events(0)
            await anext(stream)
            await venue.drop_all()
            await anext(stream)
            await stream.aclose()
        await until(lambda: len(asyncio.all_tasks()) <= before)


async def test_a_quiet_market_is_no_lost_connection() -> None:
    async with (
        exchange(speed=0.0) as venue,
        feed(venue.url, stale_least=0.05, stale_after=0.1) as source,
    ):
        stream = source.events(0)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.5)
        await venue.advance(1.0)
        tick = await asyncio.wait_for(first, 5)
        assert tick.time == (venue.config.start_epoch + 1) * SECOND
        assert venue.connections == 1
        await stream.aclose()


async def test_a_consumer_that_is_too_slow_still_gets_everything() -> None:
    async with exchange(speed=1000.0) as venue, feed(venue.url, backlog=100) as source:
        after = start(venue, 5)
        events = await take(source, after, 600, lambda n: asyncio.sleep(0.3 if n == 50 else 0))
        assert plain(events) == ledger(venue.tape(SYMBOL), after, 600)
        assert source.stats.reconnects > 0
