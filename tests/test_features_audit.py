"""The audit: what is right passes, and whatever may go wrong with a column or a label is caught."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba import types
from numba.extending import intrinsic
from rich.console import Console

from features import catalogue, kernel, layout
from features.audit import checks as auditor
from features.audit.checks import Audited, able, audit
from features.audit.report import Subject, _number, run
from features.audit.specimen import specimen
from features.catalogue import EVERY
from features.column import Column, Family
from features.compiled import compiled
from features.config import FeatureConfig
from features.history import CHANGE, COUNT
from features.labels import LabelConfig
from features.labels.purge import Labeller, labellers, purge
from market.beside import Beside
from market.events import BookUpdate, Trade
from market.series import Series
from market.tape import Tape
from tests.data_commands import pregao

BARS = 400


@pytest.fixture(scope="module")
def market() -> tuple[Tape, Beside]:
    return specimen(np.random.default_rng(1), BARS)


def test_every_column_there_is_passes_and_warms_up_as_it_says(
    market: tuple[Tape, Beside],
) -> None:
    names, missing = able(EVERY, market[1])
    assert not missing
    config = FeatureConfig(columns=names, peer="B")
    done = audit(config, *market, np.random.default_rng(2), cuts=2)
    assert {one.found.name: one.faults for one in done if one.faults} == {}
    too_short = {one.found.name for one in done if one.warmup != one.found.warmup}
    assert too_short <= {"trade_vpin_50"}


def test_what_fell_silent_is_unknown_and_no_fault(market: tuple[Tape, Beside]) -> None:
    """Twenty bars without trades, and as many without a book."""
    tape, beside = market
    events: list[Trade | BookUpdate] = [
        event for event in beside.events(tape) if isinstance(event, Trade | BookUpdate)
    ]
    quiet, dark = tape.times[[100, 120]], tape.times[[200, 220]]
    trades = [one for one in events if isinstance(one, Trade)]
    book = [one for one in events if isinstance(one, BookUpdate)]
    silent = replace(
        beside,
        trades=Series.from_events("A", [x for x in trades if not quiet[0] < x.time < quiet[1]]),
        book=Series.from_events("A", [x for x in book if not dark[0] < x.time < dark[1]]),
    )
    columns = ("imbalance_5", "trade_run", "realised_spread_32", "rsi_14")
    config = FeatureConfig(columns=columns, stale=1.0, peer="B")
    done = audit(config, tape, silent, np.random.default_rng(2), cuts=2)
    assert [one.faults for one in done] == [()] * 4
    before = audit(config, tape, beside, np.random.default_rng(2), cuts=2)
    for one, other in zip(done[:3], before[:3], strict=True):
        assert one.unknown > other.unknown + 15 / len(tape)


def test_what_is_not_recorded_is_left_out_and_what_is_unknown_is_no_fault() -> None:
    tape = Tape.of_ticks("X", np.arange(1, 301), 100.0 + np.arange(300) % 7)
    can, can_not = able(("rsi_14", "mfi_14", "imbalance_5", "peer_return_1", "trade_run"), Beside())
    assert can == ("rsi_14", "mfi_14")
    assert can_not == ("imbalance_5", "peer_return_1", "trade_run")
    rsi, mfi = audit(FeatureConfig(columns=can), tape, Beside(), np.random.default_rng(1))
    assert (rsi.warmup, rsi.faults) == (15, ())
    assert (mfi.warmup, mfi.unknown, mfi.faults) == (0, 1.0, ())


# A family that reads what it was not handed can only be one that goes behind the engine's back.
OUTSIDE = np.zeros(2 * BARS)
"""What the planted families share with nobody: the closes of a tape, and a counter."""


@intrinsic
def outside(typing, address):
    """Return the pointer at an address."""

    def code(context, builder, signature, args):
        kind = context.get_value_type(signature.return_type)
        return builder.inttoptr(args[0], kind)

    return types.CPointer(types.float64)(types.int64), code


@compiled
def peeking(h, state, param, out):
    """Tell the next close."""
    out[0] = outside(int(param[0]))[int(h[COUNT])]


@compiled
def forgetful(h, state, param, out):
    """Keep a sum where no snapshot finds it."""
    kept = outside(int(param[0]))
    kept[0] += h[CHANGE]
    out[0] = kept[0]


@compiled
def late(h, state, param, out):
    """Be unknown for longer than the family says."""
    out[0] = 1.0 if h[COUNT] > 7.0 else np.nan


@compiled
def wild(h, state, param, out):
    """Be infinite once, and beyond one's range at the end."""
    out[0] = 1.0 / (h[COUNT] - 50.0)
    out[1] = 2.0 if h[COUNT] > 390.0 else 0.5


def _planted(step: object, *names: str) -> Family:
    columns = tuple(Column(name, "none", low=-1.0, high=1.0) for name in names)
    address = float(OUTSIDE.ctypes.data)
    return Family(step, columns, "none", params=lambda args: (address,))


PLANTED = (
    _planted(peeking, "peeking"),
    _planted(forgetful, "forgetful"),
    _planted(late, "late"),
    _planted(wild, "wild", "too_high"),
)


def _forget() -> None:
    for cached in (catalogue._patterns, catalogue.find, layout.lay, kernel.address):
        cached.cache_clear()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeatureConfig]:
    """Put the families into the catalogue, and the tape that is computed where they find it."""
    modules: tuple[ModuleType, ...] = (catalogue, layout, kernel)
    for module in modules:
        monkeypatch.setattr(module, "FAMILIES", (*catalogue.FAMILIES, *PLANTED))
    _forget()
    compute = auditor.compute

    def computing(config: FeatureConfig, tape: Tape, beside: Beside) -> np.ndarray:
        OUTSIDE[:] = np.nan
        OUTSIDE[: len(tape)] = tape.close / tape.close.max() / 2.0
        OUTSIDE[0] = 0.0
        return compute(config, tape, beside)

    monkeypatch.setattr(auditor, "compute", computing)
    names = (name for family in PLANTED for name in family.names(()))
    yield FeatureConfig(columns=(*names, "rsi_14"))
    monkeypatch.undo()
    _forget()


def test_planted_families_are_caught(planted: FeatureConfig) -> None:
    tape, _ = specimen(np.random.default_rng(1), BARS, gap=False)
    done = audit(planted, tape, Beside(), np.random.default_rng(3))
    faults: dict[str, Audited] = {one.found.name: one for one in done}
    assert [fault.split(":")[0] for fault in faults["peeking"].faults][:1] == ["looks ahead"]
    assert "streaming differs from batch" in " ".join(faults["forgetful"].faults)
    assert "a restart in the middle differs" in " ".join(faults["forgetful"].faults)
    assert faults["late"].faults == ("unknown though what it needs is known, first at row 0",)
    assert (faults["late"].found.warmup, faults["late"].warmup) == (1, 8)
    assert "infinite, first at row 49" in faults["wild"].faults
    assert faults["too_high"].faults == ("above 1, first at row 390",)
    assert faults["rsi_14"].faults == ()


def test_a_fault_is_shown_and_ends_with_status_1(planted: FeatureConfig) -> None:
    tape, _ = specimen(np.random.default_rng(1), BARS, gap=False)
    told = StringIO()
    subject = Subject(tape, Beside(), planted, LabelConfig())
    assert run([subject], Console(file=told, width=80)) == 1
    assert "\n✗ peeking: looks ahead" in told.getvalue()
    assert "faults:" in told.getvalue()


def test_all_that_is_found_can_be_read_in_a_terminal_of_80() -> None:
    """Names whole, figures whole, a verdict on every line; what is never known is counted."""
    tape, _ = specimen(np.random.default_rng(1), BARS, gap=False)
    columns = ("volatility_of_volatility_256", "log_return_1", "close", "mfi_14", "obv", "weekday")
    values = tape.values.copy()
    values[:, 4:] = np.nan
    subject = Subject(
        replace(tape, values=values), Beside(), FeatureConfig(columns=columns), LabelConfig()
    )
    told = StringIO()
    assert run([subject], Console(file=told, width=80), cuts=1) == 0
    lines = told.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in told.getvalue()
    for name in columns:
        [line] = (line.rstrip() for line in lines if line.startswith(f" {name} "))
        assert line.endswith("–" if name in ("mfi_14", "obv") else "✓"), line
    assert "– never known, for no volume is: 2 columns" in lines


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0"),
        (-0.25341, "-0.2534"),
        (0.5, "0.5"),
        (-0.0008014, "-8e-4"),
        (0.00012345, "1.2e-4"),
        (-1.64e-10, "-2e-10"),
        (-3.7621, "-3.762"),
        (34042.4, "34,042"),
        (-123456.0, "-1.2e5"),
        (math.nan, ""),
    ],
)
def test_a_figure_takes_seven_characters(value: float, told: str) -> None:
    assert _number(value) == told


def _shifted(tape: Tape, rows: np.ndarray, by: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether the close ``by`` events later is above, said to end ``end`` events later."""
    known = (rows + by < len(tape)) & (rows + end < len(tape))
    last = np.where(known, rows + by, rows)
    labels = np.where(known, tape.close[last] > tape.close[rows], -1).astype(np.int8)
    return labels, np.where(known, rows + end, rows)


WRONG: dict[str, Labeller] = {
    "changes with what comes after its end": lambda tape, rows, _: _shifted(tape, rows, 5, 3),
    "known before its end": lambda tape, rows, _: (
        np.zeros(len(rows), np.int8),
        np.minimum(rows + 3, len(tape) - 1),
    ),
    "ends before it could be known": lambda tape, rows, _: _shifted(tape, rows, 3, 0),
    "ends behind a hole": lambda tape, rows, _: _shifted(tape, rows, 5, 5),
    "ends without being known": lambda tape, rows, _: (np.full(len(rows), -1), rows + 1),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_label_that_tells_the_future_is_caught(fault: str) -> None:
    tape, _ = specimen(np.random.default_rng(4), 200)
    rows = np.arange(200)
    [done] = purge({"wrong": WRONG[fault]}, tape, rows, np.full(200, 1e-3))
    assert any(told.startswith(fault) for told in done.faults)


@pytest.mark.parametrize("horizon", [1, 12])
@pytest.mark.parametrize("bars", [False, True])
def test_all_labels_end_with_what_settles_them(horizon: int, bars: bool) -> None:
    tape, _ = specimen(np.random.default_rng(5), 300)
    if not bars:
        ticks = Tape.of_ticks("X", tape.times, tape.close)
        tape = Tape("X", False, ticks.times, ticks.values, tape.fresh)
    rows = np.arange(0, 300, 2)
    kinds = labellers(LabelConfig(horizon=horizon))
    for done in purge(kinds, tape, rows, np.full(len(rows), 5e-4)):
        assert done.faults == (), done.name
        assert done.unknown < len(rows) / 4, done.name


def test_the_command_takes_a_made_up_market_or_recordings(tmp_path: Path) -> None:
    code, said = pregao("features", "audit", "--columns", "rsi_14", "--columns", "imbalance_5")
    assert code == 0, said
    assert "A: 3,000 bars" in said
    assert "2 columns and 8 kinds of label" in said
    assert "no fault" in said
    rows = "".join(f",{1_775_001_600 + 2 * i},R_75,{100 + i % 3}\n" for i in range(120))
    (tmp_path / "R_75.csv").write_text("timestamp,unix_time,instrument,price\n" + rows)
    code, said = pregao("features", "audit", "--data", tmp_path, "--columns", "core,")
    assert code == 1
    assert "no column 'core,'" in said
    code, said = pregao(
        "features", "audit", "--data", tmp_path, "--columns", "rsi_14", "--columns", "book"
    )
    assert code == 0, said
    assert "R_75: 120 ticks" in said
    assert "left out, for nothing is recorded that they need: 30 of book" in said
    path = tmp_path / "floor.yaml"
    path.write_text(
        "symbols:\n  - {symbol: R_75, interval: 2.0}\nlabels: {horizon: 5}\n"
        "features: {columns: [rsi_14, mfi_14, peer_return_1], peer: R_10}\n"
    )
    code, said = pregao("features", "audit", path)
    assert code == 0, said
    assert "3 columns and 8 kinds of label" in said
    (tmp_path / "R_10.csv").write_text(
        "timestamp,unix_time,instrument,price\n" + rows.replace("R_75", "R_10")
    )
    code, said = pregao("features", "audit", path, "--data", tmp_path)
    assert code == 0, said
    assert "R_75: 120 ticks, 120 prices of R_10" in said
    assert "– never known, for no volume is: 1 columns" in said
    assert "R_10: 120 ticks" not in said
    code, said = pregao("features", "audit", path, "--data", tmp_path, "--symbol", "R_10")
    assert code == 0, said
    assert "left out, for nothing is recorded that they need: 1 of peer" in said
    code, said = pregao("features", "audit", "--data", tmp_path, "--symbol", "R_7")
    assert code == 1
    assert "no recording of 'R_7'" in said
