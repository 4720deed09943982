"""A compiled order book: every level there is, by price tick, at millions of changes a second."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import inf, nan

import numpy as np
import numpy.typing as npt

from market import bookkernel
from market.bookkernel import Sides
from market.errors import DataError
from market.events import BookUpdate
from market.ladder import ASK, BEST, BID, COUNT, LIMIT, Floats, Ints, empty, roomier, size_at

__all__ = ["Book", "grid"]


def grid(tick: float | str) -> tuple[int, int]:
    """Return a price step as the smallest ``(n, d)`` with ``n / d == tick``, ``d`` a power of ten.

    The price of ``k`` ticks is then ``k * n / d``, to the last bit the number that the venue's
    decimals are.

    Raises
    ------
    DataError
        The step is not positive and finite, or has more than 15 digits.

    Examples
    --------
    >>> grid("0.01000000"), grid(0.5), grid(25)
    ((1, 100), (5, 10), (25, 1))
    """
    try:
        step = Decimal(str(tick))
    except InvalidOperation:
        step = Decimal(0)
    if not step.is_finite() or step <= 0:
        raise DataError(f"a price step must be positive and finite, was {tick}", reason="price")
    _, digits, exponent = step.as_tuple()
    assert isinstance(exponent, int)
    n = int("".join(map(str, digits)))
    while exponent < 0 and n % 10 == 0:
        n, exponent = n // 10, exponent + 1
    if not -15 <= exponent <= 15 or n >= 10**15:
        raise DataError(f"a price step must have at most 15 digits, was {tick}", reason="price")
    return n * 10 ** max(exponent, 0), int(10 ** max(-exponent, 0))


class Book:
    """Both sides of one symbol's order book.

    Parameters
    ----------
    symbol
        The instrument.
    tick
        Its price step, as the venue writes it (``"0.01"``) or as a number. A price of fewer than
        2³¹ steps fits.

    Attributes
    ----------
    time, last
        Of the last update applied with :meth:`update`: its venue time, ns, and its number; -1
        before the first.

    Notes
    -----
    Memory goes with the levels: 520 bytes for each 64 steps that have one. Nothing here checks
    that no update is missing; that is the venue's own sync (:class:`venues.binance.depth.DepthSync`
    for Binance). A book that is :attr:`crossed` after an update is wrong: fetch a new snapshot.

    Examples
    --------
    >>> book = Book("BTCUSDT", "0.1")
    >>> book.update(BookUpdate("BTCUSDT", 1, 7, 7, ((9.9, 2.0), (9.7, 1.0)), ((10.2, 4.0),),
    ...     snapshot=True))
    >>> book.best_bid, book.best_ask, round(book.imbalance(1), 3), len(book)
    (9.9, 10.2, -0.333, 3)
    >>> book.apply(np.array([1], np.int8), np.array([99]), np.array([0.0]))
    >>> book.bids(5).tolist(), book.crossed
    ([[9.7, 1.0]], False)
    """

    def __init__(self, symbol: str, tick: float | str) -> None:
        self.symbol = symbol
        self._n, self._d = grid(tick)
        self.clear()

    def clear(self) -> None:
        """Take every level away."""
        self._tree, self._sizes = empty()
        self.time = self.last = -1

    def __len__(self) -> int:
        """Count the levels of both sides."""
        return int(self._tree[COUNT + BID] + self._tree[COUNT + ASK])

    @property
    def step(self) -> tuple[int, int]:
        """The price step ``n / d``, as :func:`grid` gives it."""
        return self._n, self._d

    @property
    def levels(self) -> tuple[Ints, Floats]:
        """The levels as compiled code takes them (:mod:`market.ladder`); only to be read."""
        return self._tree, self._sizes

    def price(self, tick: int) -> float:
        """Return the price of so many steps."""
        return tick * self._n / self._d

    def ticks(self, prices: npt.ArrayLike) -> Ints:
        """Return prices as steps.

        Raises
        ------
        DataError
            A price is no whole number of steps, or none at all.
        """
        wanted = np.asarray(prices, np.float64)
        # The double nearest to a decimal is not the decimal: one part in 10¹² may be missing.
        good = (wanted > 0.0) & (wanted < self.price(LIMIT))
        steps = np.rint(np.where(good, wanted, 0.0) * self._d / self._n)
        good &= np.abs(steps * self._n / self._d - wanted) <= 1e-12 * wanted
        if not good.all():
            raise DataError(
                f"{self.symbol}: a book's prices must be positive multiples of {self.price(1)}, "
                f"was {wanted[np.argmin(good)]}",
                reason="price",
            )
        return steps.astype(np.int64)

    def apply(self, sides: npt.ArrayLike, ticks: npt.ArrayLike, sizes: npt.ArrayLike) -> None:
        """Apply changes of levels in order.

        Parameters
        ----------
        sides
            1 for a bid, -1 for an ask.
        ticks
            Prices in steps, positive.
        sizes
            What is there now; 0 takes the level away.

        Raises
        ------
        DataError
            A row is impossible; then none was applied.
        """
        rows = self._checked(sides, ticks, sizes)
        row = 0
        while True:
            row = bookkernel.apply(self._tree, self._sizes, *rows, row, len(rows[1]))
            if row == len(rows[1]):
                return
            self._tree, self._sizes = roomier(self._tree, self._sizes)

    def replay(
        self, ends: npt.ArrayLike, sides: npt.ArrayLike, ticks: npt.ArrayLike, sizes: npt.ArrayLike
    ) -> Floats:
        """Apply many updates and return the best quotes after each.

        Parameters
        ----------
        ends
            For each update the row after its last one; rows are as in :meth:`apply`.

        Returns
        -------
        ``float64[updates, 4]``: bid price, bid size, ask price, ask size; ``nan`` and 0 for a side
        that is empty.
        """
        rows = self._checked(sides, ticks, sizes)
        stops = np.asarray(ends, np.int64)
        if len(stops) and (np.diff(stops, prepend=0).min() < 0 or stops[-1] > len(rows[1])):
            raise DataError(f"{self.symbol}: ends must not decrease and not exceed the rows")
        tops, at = np.empty((len(stops), 4)), np.zeros(2, np.int64)
        while not bookkernel.replay(self._tree, self._sizes, *rows, stops, at, tops):
            self._tree, self._sizes = roomier(self._tree, self._sizes)
        for column, none in ((0, -1), (2, LIMIT)):
            steps = tops[:, column]
            tops[:, column] = np.where(steps == none, nan, steps * self._n / self._d)
        return tops

    def update(self, update: BookUpdate) -> None:
        """Apply one update, or put a snapshot in the place of all there is.

        Raises
        ------
        DataError
            It is another symbol's, a price is off the grid, or a size is impossible; then nothing
            was applied.
        """
        if update.symbol != self.symbol:
            raise DataError(
                f"a book of {self.symbol} was given an update of {update.symbol}", reason="symbol"
            )
        levels = np.array(update.bids + update.asks, np.float64).reshape(-1, 2)
        sides = np.ones(len(levels), np.int8)
        sides[len(update.bids) :] = -1
        rows = self._checked(sides, self.ticks(levels[:, 0]), levels[:, 1])
        if update.snapshot:
            self.clear()
        self.apply(*rows)
        self.time, self.last = update.time, update.last

    def _checked(
        self, sides: npt.ArrayLike, ticks: npt.ArrayLike, sizes: npt.ArrayLike
    ) -> tuple[Sides, Ints, Floats]:
        """Return rows of changes with the types they must have, none of them impossible."""
        which = np.ascontiguousarray(sides, np.int8)
        steps = np.ascontiguousarray(ticks, np.int64)
        sized = np.ascontiguousarray(sizes, np.float64)
        if not len(which) == len(steps) == len(sized):
            raise DataError(
                f"{self.symbol}: sides, ticks and sizes must be equally long, "
                f"were {len(which)}, {len(steps)} and {len(sized)}"
            )
        row = bookkernel.first_bad(which, steps, sized)
        if row >= 0:
            raise DataError(
                f"{self.symbol}: a level must have side 1 or -1, 0 < tick < {LIMIT} and a finite "
                f"size >= 0, row {row} has {which[row]}, {steps[row]} and {sized[row]}",
                reason="price" if not 0 < steps[row] < LIMIT else "size",
            )
        return which, steps, sized

    @property
    def best_bid(self) -> float:
        """Highest price bid; ``nan`` if there is none."""
        return self.price(int(self._tree[BEST + BID])) if self._tree[BEST + BID] >= 0 else nan

    @property
    def best_ask(self) -> float:
        """Lowest price asked; ``nan`` if there is none."""
        return self.price(int(self._tree[BEST + ASK])) if self._tree[BEST + ASK] < LIMIT else nan

    @property
    def bid_size(self) -> float:
        """Size at the best bid; 0 if there is none."""
        return float(size_at(self._tree, self._sizes, BID, self._tree[BEST + BID]))

    @property
    def ask_size(self) -> float:
        """Size at the best ask; 0 if there is none."""
        return float(size_at(self._tree, self._sizes, ASK, self._tree[BEST + ASK]))

    @property
    def crossed(self) -> bool:
        """Whether somebody bids what is asked, or more: no venue's book is so between updates."""
        return bool(self._tree[BEST + BID] >= self._tree[BEST + ASK])

    def bids(self, levels: int) -> Floats:
        """Return the best ``(price, size)``, highest first; fewer rows if there are fewer."""
        return self._levels(BID, levels)

    def asks(self, levels: int) -> Floats:
        """Return the best ``(price, size)``, lowest first; fewer rows if there are fewer."""
        return self._levels(ASK, levels)

    def _levels(self, side: int, levels: int) -> Floats:
        steps, sizes = np.empty(levels, np.int64), np.empty(levels)
        n = bookkernel.top(self._tree, self._sizes, side, steps, sizes)
        return np.stack((steps[:n] * self._n / self._d, sizes[:n]), axis=1)

    def depth(self, levels: int, within: float = inf) -> tuple[float, float]:
        """Return the summed sizes of bids and asks.

        Parameters
        ----------
        levels
            How many levels of each side at most.
        within
            Farthest price from the side's best one that counts.
        """
        far = LIMIT if within == inf else int(within * self._d / self._n + 1e-9)
        bids = bookkernel.total(self._tree, self._sizes, BID, levels, far)
        return float(bids), float(bookkernel.total(self._tree, self._sizes, ASK, levels, far))

    def imbalance(self, levels: int) -> float:
        """Return ``(bids - asks) / (bids + asks)`` of the summed sizes; ``nan`` if empty."""
        bid, ask = self.depth(levels)
        return (bid - ask) / (bid + ask) if bid + ask > 0.0 else nan
