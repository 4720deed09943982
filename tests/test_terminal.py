"""The table shows an old price as one."""

from rich.console import Console

from actors.snapshot import FloorState, RiskState, SymbolState
from actors.terminal import floor_table


def drawn(age):
    state = SymbolState("R_75", policy="ppo", price=1234.5, time=1, feed_age=age)
    floor = FloorState(1, 1.0, "paper", (state,), RiskState(), 1_000.0, 0.0)
    console = Console(width=100)
    with console.capture() as captured:
        console.print(floor_table(floor, console.width))
    return captured.get()


def test_a_venue_that_fell_silent_is_seen():
    assert "1,234.5, 75 s old" in drawn(75.0)
    assert "1,234.5" in drawn(2.0)
    assert "old" not in drawn(2.0)
