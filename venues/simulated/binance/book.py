"""A limit order book with price-time priority, in whole ticks and lots."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field

__all__ = ["BUY", "SELL", "Book", "Match", "Outcome", "Resting"]

BUY, SELL = 1, -1


class Resting:
    """An order that rests, or may come to rest, in a book.

    Parameters
    ----------
    side
        ``BUY`` or ``SELL``.
    tick
        Its price.
    lots
        What is left of it.
    owner
        Whose it is; ``None`` for the anonymous flow, which never meets itself.
    """

    __slots__ = ("left", "owner", "side", "slot", "tick")

    def __init__(self, side: int, tick: int, lots: int, owner: object = None) -> None:
        self.side, self.tick, self.left, self.owner = side, tick, lots, owner
        self.slot = -1


@dataclass(frozen=True)
class Match:
    """``lots`` of a resting order were executed at its price."""

    maker: Resting
    tick: int
    lots: int


@dataclass
class Outcome:
    """What became of an order that came.

    Parameters
    ----------
    matches
        Executions, best price first, then the older first.
    expired
        Resting orders of the same owner that gave way.
    stopped
        Whether the rest of the order that came gives way to a resting one of the same owner.
    """

    matches: list[Match] = field(default_factory=list)
    expired: list[Resting] = field(default_factory=list)
    stopped: bool = False


class _Level:
    __slots__ = ("lots", "queue")

    def __init__(self) -> None:
        self.lots = 0
        self.queue: dict[Resting, None] = {}


class Book:
    """The resting orders of one symbol.

    Parameters
    ----------
    update
        Number of the last change so far.
    stride
        How much the number grows a change: futures' numbers leave some out.

    Attributes
    ----------
    touched
        ``(side, tick)`` of every level changed since somebody cleared the list.

    Examples
    --------
    >>> book = Book(update=10)
    >>> book.add(Resting(SELL, 101, 5)); book.add(Resting(SELL, 101, 5))
    >>> [match.lots for match in book.take(BUY, 7, worst=101).matches]
    [5, 2]
    >>> book.best(SELL), book.lots(SELL, 101), book.update
    (101, 3, 13)
    """

    def __init__(self, update: int, stride: int = 1) -> None:
        self.update = update
        self.stride = stride
        self.touched: list[tuple[int, int]] = []
        # The best price is the last key of its side: bids by tick, asks by its negative.
        self._keys: dict[int, list[int]] = {BUY: [], SELL: []}
        self._levels: dict[int, _Level] = {}

    def best(self, side: int) -> int | None:
        """Return the best price of a side; ``None`` where nothing rests."""
        keys = self._keys[side]
        return side * keys[-1] if keys else None

    def lots(self, side: int, tick: int) -> int:
        """Return what rests at a price; 0 where nothing does."""
        level = self._levels.get(side * tick)
        return level.lots if level is not None else 0

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """Return the best ``count`` levels of a side, best first, as ``(tick, lots)``."""
        keys = self._keys[side]
        return [(side * k, self._levels[k].lots) for k in keys[: -count - 1 : -1]]

    def available(self, side: int, worst: int | None) -> int:
        """Return how many lots an order of ``side`` could take at ``worst`` or better."""
        total = 0
        for key in reversed(self._keys[-side]):
            if worst is not None and side * abs(key) > side * worst:
                break
            total += self._levels[key].lots
        return total

    def crosses(self, side: int, tick: int) -> bool:
        """Whether an order of ``side`` at ``tick`` would execute at once."""
        keys = self._keys[-side]
        return bool(keys) and side * abs(keys[-1]) <= side * tick

    def add(self, order: Resting) -> None:
        """Let an order rest, behind those at its price."""
        key = order.side * order.tick
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = _Level()
            insort(self._keys[order.side], key)
        level.lots += order.left
        level.queue[order] = None
        self._touch(order.side, order.tick)

    def remove(self, order: Resting) -> None:
        """Take a resting order out."""
        level = self._levels[order.side * order.tick]
        del level.queue[order]
        level.lots -= order.left
        self._close(order.side, order.tick, level)

    def take(
        self,
        side: int,
        lots: int,
        worst: int | None = None,
        owner: object = None,
        prevention: str = "NONE",
    ) -> Outcome:
        """Execute against the other side, best price first, the older order first.

        Parameters
        ----------
        side, lots
            Of the order that comes.
        worst
            Price it goes to; ``None``: any.
        owner, prevention
            Whose it is, and which of two orders of one owner expires instead of trading:
            ``EXPIRE_TAKER``, ``EXPIRE_MAKER``, ``EXPIRE_BOTH`` or ``NONE``.
        """
        outcome = Outcome()
        keys = self._keys[-side]
        while lots and keys and not outcome.stopped:
            tick = abs(keys[-1])
            if worst is not None and side * tick > side * worst:
                break
            level = self._levels[keys[-1]]
            while lots and level.queue:
                maker = next(iter(level.queue))
                if owner is not None and maker.owner is owner and prevention != "NONE":
                    outcome.stopped = prevention != "EXPIRE_MAKER"
                    if prevention != "EXPIRE_TAKER":
                        del level.queue[maker]
                        level.lots -= maker.left
                        outcome.expired.append(maker)
                    if outcome.stopped:
                        break
                    continue
                done = min(lots, maker.left)
                maker.left -= done
                level.lots -= done
                lots -= done
                if not maker.left:
                    del level.queue[maker]
                outcome.matches.append(Match(maker, tick, done))
            self._close(-side, tick, level)
        return outcome

    def _close(self, side: int, tick: int, level: _Level) -> None:
        """Forget a level that is empty, and number the change."""
        if not level.queue:
            key = side * tick
            keys = self._keys[side]
            del keys[bisect_left(keys, key)]
            del self._levels[key]
        self._touch(side, tick)

    def _touch(self, side: int, tick: int) -> None:
        self.update += self.stride
        self.touched.append((side, tick))
