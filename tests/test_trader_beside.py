"""A trader whose columns need trades, the book and another symbol: what it takes and decides."""

import numpy as np
import pytest

from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.beside import Beside
from market.book import Book
from market.errors import DataError
from market.events import SECOND, BookUpdate, FeedGap, Tick, Trade
from policies.baselines import Follow
from tests import toys
from tests.toys import lease
from trading.journal import MemoryJournal
from trading.paper import PaperBroker
from trading.recovery import start
from trading.rehearsal import rehearsal
from trading.seen import Seen
from trading.trader import Trader

FEATURES = FeatureConfig(
    columns=(*toys.FEATURES.columns, "trade_return_1", "imbalance_5", "peer_return_1"),
    volatility=8.0,
    peer="B",
)
INSTRUMENT = toys.INSTRUMENT.model_copy(update={"tick": "0.01"})


def trader(journal=None, every=1):
    engine = FeatureEngine(FEATURES, INSTRUMENT.tick)
    made = Trader(
        INSTRUMENT, engine, toys.Reverting(engine.names), Follow(enter=0.15),
        PaperBroker(INSTRUMENT), journal or MemoryJournal(), every, toys.CAPITAL,
    )  # fmt: skip
    made.take(lease())
    return made


def market(count=60):
    return list(rehearsal(INSTRUMENT, FEATURES, count))


def own(events):
    return [one for one in events if not isinstance(one, Trade | BookUpdate) and one.symbol != "B"]


def test_what_is_beside_moves_no_clock_and_fills_nothing():
    one, events = trader(), market()
    for event in events:
        before = (one.time, one.account, one.status().counters.events)
        decision = one.on_event(event, event.time)
        if event not in own(events):
            assert decision is None
            assert (one.time, one.account, one.status().counters.events) == before
    assert one.status().counters.events == 60
    assert one.status().counters.decisions > 20
    assert one.status().counters.fills > 5


def test_nothing_is_decided_while_a_column_is_unknown():
    one, events = trader(), market(40)
    for event in events:
        one.on_event(event, event.time)
    told = one.status().counters.decisions
    end = events[-1].time
    one.on_event(FeedGap(toys.SYMBOL, end + 1, end, "book"), end + 1)
    for event in market(60)[len(events) :]:
        if not isinstance(event, BookUpdate):
            assert one.on_event(event, event.time) is None
    status = one.status()
    assert (status.counters.decisions, status.counters.gaps) == (told, 1)
    assert status.window is not None, "rows of before are there still, but none is of now"


def test_a_hole_beside_leaves_the_decision_clock_alone():
    one, other, events = trader(every=3), trader(every=3), market(100)
    times = ([], [])
    for number, event in enumerate(events):
        if number == 4 * 68:
            for stream in ("trades", "book"):
                gap = FeedGap(toys.SYMBOL, event.time, event.time - SECOND, stream)
                one.on_event(gap, event.time)
        for made, each in zip(times, (one, other), strict=True):
            decision = each.on_event(event, event.time)
            made += [decision.time] if decision is not None else []
    assert one.status().counters.gaps == 2
    # A return of trades takes two of them; the clock goes on as if nothing had happened.
    assert set(times[0]) < set(times[1])
    assert len(times[1]) - len(times[0]) <= 2
    end = events[-1].time
    one.on_event(FeedGap("B", end, end - SECOND), end)
    assert one.status().counters.gaps == 3


def test_each_stream_keeps_its_order_and_other_symbols_are_refused():
    one = trader()
    one.on_event(Trade(toys.SYMBOL, 5, 1.0, 1.0), 5)
    one.on_event(Trade(toys.SYMBOL, 5, 1.0, 1.0), 5)
    with pytest.raises(DataError, match="trades: time must not decrease, event at 4 after 5"):
        one.on_event(Trade(toys.SYMBOL, 4, 1.0, 1.0), 4)
    one.on_event(Tick("B", 3, 1.0), 3)
    with pytest.raises(DataError, match="event of C given to the trader of R_75"):
        one.on_event(Tick("C", 9, 1.0), 9)
    with pytest.raises(DataError, match="event of C given to the trader of R_75"):
        one.on_event(Trade("C", 9, 1.0, 1.0), 9)


@pytest.mark.parametrize("cut", range(150, 160))
def test_saved_at_any_event_it_goes_on_bit_for_bit(cut):
    journal, events = MemoryJournal(), market()
    whole, part = trader(), trader(journal)
    start(part)
    for event in events[:cut]:
        whole.on_event(event, event.time)
        part.on_event(event, event.time)
    part.save()
    again = trader(journal)
    after = start(again).after
    # The feed tells again all that came after the last own event.
    for event in events:
        if event.time > after:
            again.on_event(event, event.time)
    for event in events[cut:]:
        whole.on_event(event, event.time)
    assert again._features.snapshot() == whole._features.snapshot()
    assert again.status().counters.decisions == whole.status().counters.decisions


def test_a_live_book_begins_anew_after_a_start_and_the_rest_goes_on():
    journal, events = MemoryJournal(), market(40)
    one = trader(journal)
    start(one)
    for event in events:
        one.on_event(event, event.time)
    one.save()
    again = trader(journal)
    after = start(again, live=True).after
    names = again._features.names
    rest = [event for event in market(60) if event.time > after]
    changes = [event for event in rest if isinstance(event, BookUpdate)]
    for event in rest[:8]:
        if event not in changes:
            again.on_event(event, event.time)
    unknown = [name for name, x in zip(names, again._features.values, strict=True) if np.isnan(x)]
    assert unknown == ["imbalance_5"]
    # The venue's clock may put the new whole book before the last change that was taken.
    whole = BookUpdate(toys.SYMBOL, after - 1, 1, 1, ((10.0, 2.0),), ((10.1, 1.0),), snapshot=True)
    again.on_event(whole, after)
    for event in rest[8:12]:
        if event not in changes:
            again.on_event(event, event.time)
    assert again._features.warm


def test_seen_takes_a_stream_for_new_once_it_is_forgotten():
    seen = Seen({"book": (9, 1), "trades": (9, 2)})
    seen.forget("book")
    assert seen.takes("book", 5)
    assert not seen.takes("trades", 9)
    assert seen.state == {"book": (5, 1), "trades": (9, 2)}


def test_the_rehearsal_has_all_that_the_columns_need():
    events = market(5)
    kinds = {(type(event), event.symbol) for event in events}
    assert len(kinds) == 4
    book = Book(toys.SYMBOL, "0.01")
    for event in events:
        if isinstance(event, BookUpdate):
            book.update(event)
    assert book.best_bid < book.best_ask
    assert list(Beside().events(toys.tape(5))) == list(toys.tape(5).events())
    assert len(list(rehearsal(INSTRUMENT, toys.FEATURES, 5))) == 5


def test_nothing_is_decided_on_a_book_that_fell_silent_until_it_tells_again():
    one, events, stale = trader(), market(40 + 400), FEATURES.stale
    silent = range(40, 40 + int(stale) + 50)
    decided = []
    for event in events:
        second = event.time // SECOND
        if not (isinstance(event, BookUpdate) and second in silent):
            decision = one.on_event(event, event.time)
            decided += [second] if decision is not None else []
    assert one.status().counters.gaps == 0
    late = {int(39 + stale) + 1 + i for i in range(50)}
    assert set(range(40, 440)) - set(decided) == late, "300 seconds old is the oldest"
