"""The bundled Binance's book: orders meet by price, then by time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from venues.simulated.binance.book import BUY, SELL, Book, Resting


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([BUY, SELL]), st.integers(90, 110), st.integers(1, 9), st.booleans()
        ),
        max_size=60,
    )
)
def test_book_matches_by_price_then_time(steps: list[tuple[int, int, int, bool]]) -> None:
    """Against a list of orders searched from one end to the other."""
    book, plain = Book(update=0), []
    for number, (side, tick, lots, cancels) in enumerate(steps):
        if cancels and plain:
            victim = plain.pop(number % len(plain))
            book.remove(victim)
            continue
        order = Resting(side, tick, lots)
        taken = [(m.maker, m.tick, m.lots) for m in book.take(side, lots, tick).matches]
        expected = []
        for other in sorted(
            (o for o in plain if o.side == -side and side * o.tick <= side * tick),
            key=lambda o: side * o.tick,
        ):
            done = min(order.left, lots_of(other, taken))
            if done:
                expected.append((other, other.tick, done))
                order.left -= done
        assert taken == expected
        plain = [o for o in plain if o.left]
        if order.left:
            book.add(order)
            plain.append(order)
        for one in (BUY, SELL):
            levels: dict[int, int] = {}
            for o in plain:
                if o.side == one:
                    levels[o.tick] = levels.get(o.tick, 0) + o.left
            assert book.levels(one, 99) == sorted(levels.items(), key=lambda level: -one * level[0])
        best = book.best(BUY), book.best(SELL)
        assert None in best or best[0] < best[1]


def lots_of(order: Resting, taken: list[tuple[Resting, int, int]]) -> int:
    """What the order had before the match that is being checked."""
    return order.left + sum(lots for maker, _, lots in taken if maker is order)


def test_orders_of_one_owner_give_way_as_asked() -> None:
    for mode, traded, left in (
        ("NONE", 5, 5),
        ("EXPIRE_MAKER", 5, 0),
        ("EXPIRE_TAKER", 0, 10),
        ("EXPIRE_BOTH", 0, 5),
    ):
        book, owner = Book(update=0), object()
        book.add(Resting(SELL, 100, 5, owner))
        book.add(Resting(SELL, 100, 5))
        outcome = book.take(BUY, 5, 100, owner, mode)
        assert sum(match.lots for match in outcome.matches) == traded, mode
        assert book.lots(SELL, 100) == left, mode
        assert outcome.stopped == (mode in ("EXPIRE_TAKER", "EXPIRE_BOTH"))
        assert len(outcome.expired) == (mode in ("EXPIRE_MAKER", "EXPIRE_BOTH"))
