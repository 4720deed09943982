"""Damaged files: read at once or row by row with one result, and never another error than ours."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import ConfigError, DataError
from venues.files import read_recording
from venues.files.moments import moment, moments
from venues.files.order import LARGEST_JUMP, in_order

FLOW = "timestamp,open,high,low,close,volume,trades,buy_volume,sell_volume,vwap,symbol"
PROFIT = "Ativo;Data;Hora;Abertura;Máximo;Mínimo;Fechamento;Volume;Quantidade"
MT5_BARS = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
MT5_TICKS = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


CELLS = st.sampled_from(
    [
        "",
        "nan",
        "inf",
        "-1",
        "abc",
        "1_0",
        " 10.5",
        "10,5",
        "1e1",
        "0",
        "30",
        "99",
        "+10",
        "0x10",
        "\uff11\uff12",
        "\u0661\u0662",
        "\u300012",
        "12\xa0",
    ]
)
STAMPS = st.sampled_from(
    ["", "soon", "2024-01-01 00:00:30", "2024-01-01T00:00:40Z", "2024-02-30 00:00:00", "17e8",
     "0x65920080", "1704067230", " 1704067230", "2024-01-01 00:00:50.123456789",
     "2024-01-01 02:00:30+02:00", "9999-01-01 00:00:00",
     "\uff11\uff17\uff10\uff14\uff10\uff16\uff17\uff12\uff13\uff10"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 699), st.integers(0, 5), CELLS), max_size=12),
    st.lists(st.tuples(st.integers(0, 699), STAMPS), max_size=6),
    st.booleans(),
)
def test_at_once_or_row_by_row_is_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[tuple[int, int, str]],
    stamps: list[tuple[int, str]],
    dates: bool,
) -> None:
    rows = [
        [f"2024-01-01 00:{k // 60:02}:{k % 60:02}" if dates else str(1_704_067_200 + k),
         f"{10 + k % 3}.25", "14", "9", "11", str(k % 7)]
        for k in range(700)
    ]  # fmt: skip
    for row, column, cell in cells:
        rows[row][column] = cell
    for row, stamp in stamps:
        rows[row][0] = stamp
    path = write(
        tmp_path_factory.mktemp("same") / "X.csv", "ts,open,high,low,close,volume",
        *(",".join(row) for row in rows),
    )  # fmt: skip
    fast = read_recording(path, tolerate=1.0)
    slow = read_recording(path, tolerate=1.0, careful=True)
    assert (fast.bad, fast.duplicates) == (slow.bad, slow.duplicates)
    for a, b in zip(fast.series, slow.series, strict=True):
        assert a.times.tolist() == b.times.tolist()
        assert a.fresh.tolist() == b.fresh.tolist()
        for name, column in a.columns.items():
            np.testing.assert_array_equal(column, b.columns[name])


def plainly(times: list[int], prices: list[float], ties: bool) -> tuple[list[int], set[int], int]:
    """The rule of `in_order`, said in the simplest way."""
    kept: list[int] = []
    bad, doubles = set(), 0
    for row, (time, price) in enumerate(zip(times, prices, strict=True)):
        if kept and (time < times[kept[-1]] or (time == times[kept[-1]] and not ties)):
            twins = [k for k in kept if times[k] == time and prices[k] == price]
            if twins and not ties:
                doubles += 1
            else:
                bad.add(row)
        elif kept and abs(np.log(price / prices[kept[-1]])) > LARGEST_JUMP:
            bad.add(row)
        else:
            kept.append(row)
    return kept, bad, doubles


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from([10.0, 11.0, 12.0, 90.0])), max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_order_is_the_plain_rule(rows: list[tuple[int, float]], sort: bool, ties: bool) -> None:
    rows = sorted(rows) if sort else rows
    times, prices = [time for time, _ in rows], [price for _, price in rows]
    price = np.array(prices)
    stay = in_order(np.array(times, np.int64), price[:, None], price, ties)
    assert (np.flatnonzero(stay.kept).tolist(), set(stay.bad), stay.duplicates) == plainly(
        times, prices, ties
    )


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(*map(datetime.fromisoformat, ("1975-01-01", "2100-01-01"))),
    st.sampled_from(["UTC", "America/Sao_Paulo", "America/New_York", "Australia/Lord_Howe"]),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d", "%s"]),
)
def test_a_column_of_moments_is_its_cells(when: datetime, zone: str, form: str) -> None:
    aware = when.replace(tzinfo=UTC)
    cell = str(int(aware.timestamp())) if form == "%s" else when.strftime(form)
    try:
        expected = moment(cell, zone)
    except ValueError:
        with pytest.raises(ValueError, match=r".+"):
            moments(pa.chunked_array([[cell, cell]]), zone)
        return
    assert moments(pa.chunked_array([[cell, cell]]), zone).tolist() == [expected] * 2


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([FLOW, PROFIT, MT5_BARS, MT5_TICKS, "time,price", "time,price,size", ""]),
)
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, header: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "WDO.csv"
    path.write_bytes(header.encode() + b"\n" + body)
    try:
        read_recording(path, tolerate=1.0)
    except DataError:
        return


COLUMNS = st.sampled_from(
    [
        [1_700_000_000, 1_700_000_001, None],
        [1e9, float("nan"), 1.7e9],
        np.array([2**63, 5, 2**63 + 1], np.uint64),
        ["2024-01-01", "x", None],
        [datetime(2024, 1, 1, tzinfo=UTC), None, datetime(1001, 1, 1, tzinfo=UTC)],
        [datetime(2024, 1, 1, tzinfo=UTC).date()] * 3,
        [[1.0], [], None],
        [{"a": 1}, None, {"a": 2}],
        [b"\xff", b"1", None],
        [True, False, None],
        [10, 11, 12],
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([FLOW, PROFIT, MT5_BARS, MT5_TICKS, "time,price", "date,symbol,price,size"]),
    st.data(),
)
def test_whatever_a_parquet_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, header: str, data: st.DataObject
) -> None:
    names = header.replace(";", ",").replace("\t", ",").split(",")
    path = tmp_path_factory.mktemp("any") / "WDO.parquet"
    parquet.write_table(pa.table({name: pa.array(data.draw(COLUMNS)) for name in names}), path)
    try:
        read_recording(path, tolerate=1.0)
    except DataError:
        return


def test_a_row_of_more_cells_than_the_header_is_kept_aside(tmp_path: Path) -> None:
    rows = [f"{1_700_000_000 + 2 * k},100" for k in range(300)]
    rows[5] = "1700000010,1,000.5"  # which 1 would pass for the price
    rows[7] += ","
    recording = read_recording(write(tmp_path / "X.csv", "ts,price", *rows))
    [bad] = recording.bad
    assert (bad.where, bad.reason) == ("X.csv:7", "3 cells where the header names 2")
    assert len(recording.series[0]) == 299


def test_a_column_named_twice_is_not_chosen_among(tmp_path: Path) -> None:
    path = write(tmp_path / "X.csv", "ts,price,price", "1700000000,100,200")
    with pytest.raises(DataError, match="names price twice; leave one of them out"):
        read_recording(path)


def test_a_bar_without_a_vwap_has_no_volume_in_contracts(tmp_path: Path) -> None:
    row = "2024-01-02 09:{:02}:00,4900,4901,4899,4900.5,{},10,{},0,{},WDOG24"
    rows = [row.format(k, 490_000, 245_000, 4900) for k in range(5)]
    rows += [row.format(5, 0, 0, 0), row.format(6, 490_000, 245_000, 0)]
    [series] = read_recording(write(tmp_path / "WDO.csv", FLOW, *rows)).series
    assert series.columns["volume"][:5].tolist() == [10.0] * 5
    assert np.isnan(series.columns["volume"][5:]).all()
    assert np.isnan(series.columns["buy_volume"][5:]).all()


WIDE = str.maketrans("0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")
ARABIC = str.maketrans("0123456789", "".join(chr(0x660 + digit) for digit in range(10)))


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize("digits", [WIDE, ARABIC], ids=["wide", "Arabic"])
def test_only_the_digits_0_to_9_are_numbers(
    tmp_path: Path, digits: dict[int, int], careful: bool
) -> None:
    good = ["1704067200,10", "1704067210,11", "1704067260,10"]
    stamp, price, date = "1704067220", "10.5", "2024-01-01 00:00:30"
    odd = [
        f"{stamp.translate(digits)},10",
        f"1704067230,{price.translate(digits)}",
        f"{date.translate(digits)},10",
    ]
    path = write(tmp_path / "X.csv", "ts,price", *good[:2], *odd, good[2])
    read = read_recording(path, tolerate=1.0, careful=careful)
    assert len(read.series[0]) == 3
    assert [row.where for row in read.bad] == ["X.csv:4", "X.csv:5", "X.csv:6"]
    assert read.bad[0].reason.startswith("time must have the digits 0 to 9 alone, was ")
    assert read.bad[1].reason.startswith("price must be a number, was ")


@pytest.mark.parametrize("zone", ["Mars/X", "../UTC", "/etc/passwd", "America", "a\0b", "\ud800"])
def test_a_zone_that_is_none_is_told(tmp_path: Path, zone: str) -> None:
    path = write(tmp_path / "X.csv", "ts,price", "2024-01-01 00:00:00,10", "2024-01-01 00:01:00,11")
    with pytest.raises(ConfigError, match=r"no time zone .*(such as America/Sao_Paulo|mean)"):
        read_recording(path, zone=zone)
    with pytest.raises(ConfigError, match=r"did you mean Europe/Athens\?"):
        read_recording(path, zone="Europe/Athen")
