"""Direction, size, speed and runs of ticks against plain numpy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.families.ticks import FAMILIES
from tests.micro_tapes import (
    Case,
    Piece,
    bars,
    check,
    check_degenerate,
    check_units,
    degenerate,
    divided,
    last,
    ticks,
)

TICK, WINDOW, INTENSITY = FAMILIES


@pytest.fixture(scope="module", params=["ticks", "bars"])
def case(request: pytest.FixtureRequest) -> Case:
    return ticks() if request.param == "ticks" else bars()


def test_a_tick_has_a_direction_and_a_size(case: Case) -> None:
    def reference(p: Piece) -> dict[str, np.ndarray]:
        size = divided(np.abs(p.r), p.volatility)
        return {"tick_direction": np.sign(p.r), "tick_size": size}

    check(TICK, (), case, reference)


def runs(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each move is against the last, and how long the run is."""
    moves = pd.Series(np.sign(r))
    moves = moves[moves != 0.0].iloc[1:]  # the first is no move
    turned = moves != moves.shift()
    length = moves.groupby(turned.cumsum()).cumcount() + 1
    if len(turned):
        turned.iloc[0] = False
    every = range(len(r))
    return (
        turned.astype(float).reindex(every, fill_value=0.0).to_numpy(),
        length.astype(float).reindex(every).ffill().fillna(0.0).to_numpy(),
    )


def window(p: Piece, n: int) -> dict[str, np.ndarray]:
    elapsed = np.full(len(p.r), np.nan)
    elapsed[n:] = (p.times[n:] - p.times[:-n]) / 1e9
    turned, length = runs(p.r)
    sign = np.sign(p.r)
    moved = last(np.abs(sign), n, np.sum)
    return {
        f"tick_velocity_{n}": np.minimum(n / elapsed, 1e6),
        f"tick_imbalance_{n}": (last(sign > 0, n, np.sum) - last(sign < 0, n, np.sum)) / n,
        f"unchanged_share_{n}": last(sign == 0.0, n, np.mean),
        f"reversal_rate_{n}": divided(last(turned, n, np.sum), moved),
        f"longest_run_{n}": last(length, n, np.max),
    }


@pytest.mark.parametrize("n", [1, 5, 16, 100])
def test_a_window_of_moves_equals_numpy(case: Case, n: int) -> None:
    check(WINDOW, (n,), case, window, unchanged_share=1e-15)  # 1 - (n - 1) / n rounds


def test_a_hand_made_window() -> None:
    """Up, up, unchanged, up, down, down: one reversal of five moves, and a run of three."""
    close = np.array([10.0, 11.0, 12.0, 12.0, 13.0, 12.0, 11.0])
    piece = Piece(np.arange(7) * 500_000_000, close, close, close, close)
    found = {name: column[-1] for name, column in window(piece, 6).items()}
    case = ticks()
    case.tape.values[:7, :4] = close[:, None]
    case.tape.times[:7] = case.tape.times[0] + piece.times
    got = {name: column[6] for name, column in case.columns(WINDOW, (6,)).items()}
    want = [2.0, 1 / 6, 1 / 6, 1 / 5, 3.0]
    assert list(found.values()) == pytest.approx(want)
    assert list(got.values()) == pytest.approx(want)


@pytest.mark.parametrize("h", [1, 16])
def test_intensity_equals_pandas(case: Case, h: int) -> None:
    def reference(p: Piece, h: int) -> dict[str, np.ndarray]:
        waits = pd.Series(p.times).diff()
        fast, slow = (waits.ewm(halflife=half).mean().to_numpy() for half in (h, 8 * h))
        return {f"intensity_{h}": np.log(slow / fast)}

    # it crosses 0: a log of two nearly equal means
    check(INTENSITY, (h,), case, reference, intensity=1e-14)


@pytest.mark.parametrize(("family", "args"), [(TICK, ()), (WINDOW, (16,)), (INTENSITY, (4,))])
def test_nothing_is_infinite_and_units_do_not_matter(family, args) -> None:
    check_degenerate(family, args)
    check_units(family, args, bars(), rtol=1e-9, atol=1e-15)


def test_a_constant_price_is_still_and_a_saw_turns_every_time() -> None:
    still, saw = degenerate()["constant price"], degenerate()["to and fro"]
    last_of = {name: values[-1] for name, values in still.columns(WINDOW, (16,)).items()}
    assert list(last_of.values()) == [1.0, 0.0, 1.0, 0.0, 0.0]
    last_of = {name: values[-1] for name, values in saw.columns(WINDOW, (16,)).items()}
    assert list(last_of.values()) == [1.0, 0.0, 0.0, 1.0, 1.0]
