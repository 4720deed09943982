"""One published state and the answers made from it, each encoded at most once."""

from __future__ import annotations

from functools import cached_property

from actors.snapshot import FloorState, SymbolState
from serve.schema import (
    Floor,
    Lease,
    Position,
    Positions,
    Prediction,
    Probabilities,
    Risk,
    Symbol,
    Symbols,
)

__all__ = ["Board"]


class Board:
    """What hangs on the wall until the next state replaces it.

    However many clients ask, each answer is built and encoded once a state. JSON has no nan: what
    isn't known is written as null.

    Parameters
    ----------
    state
        The published state.
    """

    def __init__(self, state: FloorState) -> None:
        self.state = state
        self._by_symbol = {entry.symbol: entry for entry in state.symbols}

    @property
    def names(self) -> tuple[str, ...]:
        """The symbols, in the config's order."""
        return tuple(self._by_symbol)

    def symbol(self, name: str) -> SymbolState | None:
        """Return what ``name`` reported, or ``None`` if the floor doesn't trade it."""
        return self._by_symbol.get(name)

    def prediction(self, name: str) -> Prediction | None:
        """Return the live prediction of ``name``; ``None`` while it has made none."""
        entry = self._by_symbol[name]
        if entry.probabilities is None:
            return None
        return Prediction(
            symbol=name,
            source="live",
            time=entry.time,
            price=entry.price,
            exposure=entry.exposure,
            probabilities=_probabilities(entry.probabilities),
            disagreement=entry.disagreement,
            model_version=entry.model_version,
        )

    @cached_property
    def floor(self) -> bytes:
        """:class:`~serve.schema.Floor` as JSON."""
        state = self.state
        floor = Floor(
            time=state.time,
            uptime=state.uptime,
            mode=state.mode,
            equity=state.equity,
            pnl=state.pnl,
            risk=self._risk(),
            symbols=self._symbols(),
        )
        return floor.model_dump_json().encode()

    @cached_property
    def symbols(self) -> bytes:
        """:class:`~serve.schema.Symbols` as JSON."""
        answer = Symbols(time=self.state.time, mode=self.state.mode, symbols=self._symbols())
        return answer.model_dump_json().encode()

    @cached_property
    def positions(self) -> bytes:
        """:class:`~serve.schema.Positions` as JSON."""
        state = self.state
        positions = tuple(
            Position(
                symbol=entry.symbol,
                exposure=entry.exposure,
                units=entry.units,
                entry_price=entry.entry_price or None,
                price=entry.price,
                equity=entry.equity,
                pnl=entry.pnl,
                fees=entry.fees,
                trades=entry.trades,
            )
            for entry in state.symbols
        )
        answer = Positions(
            time=state.time,
            mode=state.mode,
            equity=state.equity,
            pnl=state.pnl,
            positions=positions,
        )
        return answer.model_dump_json().encode()

    @cached_property
    def risk(self) -> bytes:
        """:class:`~serve.schema.Risk` as JSON."""
        return self._risk().model_dump_json().encode()

    def _symbols(self) -> tuple[Symbol, ...]:
        return tuple(_symbol(entry) for entry in self.state.symbols)

    def _risk(self) -> Risk:
        risk = self.state.risk
        leases = tuple(
            Lease(
                symbol=entry.symbol,
                notional=entry.lease_notional,
                used=entry.lease_used,
                state=entry.lease_state,
            )
            for entry in self.state.symbols
        )
        return Risk(
            time=self.state.time,
            limit_notional=risk.limit_notional,
            granted_notional=risk.granted_notional,
            used_notional=risk.used_notional,
            state=risk.state,
            reasons=risk.reasons,
            leases=leases,
        )


def _symbol(entry: SymbolState) -> Symbol:
    values = {name: getattr(entry, name) for name in Symbol.model_fields}
    values["probabilities"] = entry.probabilities and _probabilities(entry.probabilities)
    values["entry_price"] = entry.entry_price or None
    return Symbol(**values)


def _probabilities(values: tuple[float, float, float]) -> Probabilities:
    return Probabilities(down=values[0], flat=values[1], up=values[2])
