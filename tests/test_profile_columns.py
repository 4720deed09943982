"""The volume profile against a histogram made anew of each window."""

from __future__ import annotations

import numpy as np
import pytest

from features.families.profile import FAMILIES
from tests.micro_tapes import (
    HOLE,
    Case,
    Piece,
    bars,
    check,
    check_degenerate,
    check_units,
    degenerate,
    known_now_and_then,
    ticks,
)

(PROFILE,) = FAMILIES


def lots() -> Case:
    """Volumes of a few lots of 0.1: rows are often equal, and tenths round."""
    case = bars()
    case.tape.values[:, 4] = 0.1 * (1 + np.arange(len(case.tape)) % 4)
    return case


def rows_laid(x: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Middle of row 24 and width of a row, at each event."""
    middles, widths = np.empty(len(x)), np.empty(len(x))
    middle, width = 0.0, 0.0
    for i in range(len(x)):
        if i == 0 or (i + 1) % n == 0 or not -24.5 <= (x[i] - middle) / width < 23.5:
            part = x[max(i + 1 - n, 0) : i + 1]
            middle = (part.min() + part.max()) / 2
            width = max((part.max() - part.min()) / 24, 1e-9)
        middles[i], widths[i] = middle, width
    return middles, widths


def value_area(volumes: np.ndarray) -> tuple[int, int, int]:
    """Point of control, and lowest and highest row of the value area."""
    control = int(np.argmax(volumes))
    low = high = control
    while volumes[low : high + 1].sum() < 0.7 * volumes.sum():
        below = volumes[low - 2 : low].sum() if low >= 2 else -1.0
        above = volumes[high + 1 : high + 3].sum() if high <= 45 else -1.0
        low, high = low - 2 * (below >= above), high + 2 * (above >= below)
    return control, low, high


def reference(p: Piece, n: int) -> dict[str, np.ndarray]:
    # log close as the sum of returns: rows may be as narrow as 1e-9, and then its rounding shows
    x = np.concatenate([[0.0], np.cumsum(p.r[1:])])
    weights = np.where(np.isnan(p.volume), 1.0, np.float32(p.volume)).astype(float)
    middles, widths = rows_laid(x, n)
    found = np.full((4, len(x)), np.nan)
    for i in range(n - 1, len(x)):
        window = slice(i + 1 - n, i + 1)
        lowest = middles[i] - 24.5 * widths[i]
        rows = np.floor((x[window] - lowest) / widths[i]).astype(int)
        volumes = np.bincount(rows, weights[window], minlength=48)
        assert len(volumes) == 48
        if not volumes.any():
            found[:, i] = 0.0
            continue
        control, first, final = value_area(volumes)
        low, high = lowest + first * widths[i], lowest + (final + 1) * widths[i]
        unit = p.volatility[i] * np.sqrt(n)
        found[:, i] = (
            np.clip((x[i] - lowest - (control + 0.5) * widths[i]) / unit, -16.0, 16.0),
            np.clip((2.0 * x[i] - high - low) / (high - low), -16.0, 16.0),
            np.clip((high - low) / unit, 0.0, 16.0),
            volumes[rows[-1]] / volumes.sum(),
        )
    names = ("poc_distance", "value_area_place", "value_area_width", "profile_volume_share")
    return {f"{name}_{n}": found[i] for i, name in enumerate(names)}


@pytest.mark.parametrize("n", [16, 37, 128])
@pytest.mark.parametrize("make", [ticks, bars, lambda: known_now_and_then(bars()), lots])
def test_the_profile_equals_a_histogram_made_anew(make, n: int) -> None:
    # places cross 0, in rows of some hundredths
    check(
        PROFILE, (n,), make(), reference,
        poc_distance=1e-12, value_area_place=1e-12, 
    )  # fmt: skip


def test_nothing_is_infinite_and_units_do_not_matter() -> None:
    check_degenerate(PROFILE, (64,))
    check_units(PROFILE, (64,), bars(), rtol=1e-9, atol=1e-11)


def test_the_point_of_control_is_where_the_volume_was() -> None:
    """All but one in ten events trade near one price, the last far above it."""
    case = bars()
    close = np.where(np.arange(HOLE) % 10 == 9, 104.0, 100.0 + 0.01 * (np.arange(HOLE) % 3))
    case.tape.values[:HOLE, :4] = close[:, None]
    case.tape.values[:HOLE, 4] = 5.0
    got = {name: values[999] for name, values in case.columns(PROFILE, (100,)).items()}
    distance = np.log(104.0 / 100.0) / (
        case_volatility := Piece(*[close[:1000]] * 5).volatility[-1] * 10.0
    )
    assert got["poc_distance_100"] == pytest.approx(distance, rel=0.01)
    assert got["value_area_width_100"] == pytest.approx(np.log(1.04) / 24 / case_volatility)
    assert got["value_area_place_100"] == 16.0
    assert got["profile_volume_share_100"] == pytest.approx(0.1)


def test_volume_long_gone_leaves_nothing_behind() -> None:
    case: Case = degenerate()["one huge volume"]
    case.tape.values[201:, 4] = 0.0
    for name, column in case.columns(PROFILE, (70,)).items():
        assert (column[-100:] == 0.0).all(), name
