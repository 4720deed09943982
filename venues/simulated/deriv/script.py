"""The script of faults as it is played: which of them fall on a tick, which still wait."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from venues.simulated.deriv.fault import Fault

__all__ = ["OnTick", "Script"]


@dataclass(frozen=True)
class OnTick:
    """The faults of one tick.

    Parameters
    ----------
    begun
        Those that begin with it.
    lasting
        All that fall on it, the begun ones included.
    """

    begun: tuple[Fault, ...]
    lasting: tuple[Fault, ...]

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of the faults that fall on the tick."""
        return frozenset(fault.kind for fault in self.lasting)


class Script:
    """Plays the faults of a config: each once, at its place.

    Parameters
    ----------
    faults
        What is to happen, in any order.
    first
        The symbol of a fault that names none.

    Attributes
    ----------
    owed
        Faults that wait for a client to call (``rate_limit``, ``lost_answer``): kind to how often.

    Examples
    --------
    >>> script = Script((Fault(kind="gap", tick=2, count=2),), "R_75")
    >>> [sorted(script.at("R_75", number, 0).kinds) for number in (1, 2, 3, 4)]
    [[], ['gap'], ['gap'], []]
    """

    def __init__(self, faults: tuple[Fault, ...], first: str) -> None:
        self.owed: Counter[str] = Counter()
        self._waiting: dict[str, list[Fault]] = defaultdict(list)
        for fault in faults:
            self._waiting[fault.symbol or first].append(fault)
        self._lasting: dict[str, list[tuple[Fault, int]]] = defaultdict(list)

    def at(self, symbol: str, number: int, streamed: int) -> OnTick:
        """Play what falls on the ``number``-th live tick, ``streamed`` frames having gone out."""
        begun = tuple(
            fault
            for fault in self._waiting[symbol]
            if fault.tick == number or (fault.frames is not None and streamed >= fault.frames)
        )
        for fault in begun:
            self._waiting[symbol].remove(fault)
            if fault.kind in {"rate_limit", "lost_answer"}:
                self.owed[fault.kind] += fault.count
            else:
                self._lasting[symbol].append((fault, number + fault.count))
        lasting = [(fault, end) for fault, end in self._lasting[symbol] if number < end]
        self._lasting[symbol] = lasting
        return OnTick(begun, tuple(fault for fault, _ in lasting))

    def take(self, kind: str) -> bool:
        """Whether a fault of ``kind`` is owed; it is then paid."""
        if not self.owed[kind]:
            return False
        self.owed[kind] -= 1
        return True
