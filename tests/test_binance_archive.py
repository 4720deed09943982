"""The files of Binance's archive, with and without header, in milli- and microseconds."""

import zipfile
from contextlib import suppress
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import DataError
from venues.binance.archive import ArchiveFile, files_between
from venues.binance.archive_table import read_archive

MS = 1_700_000_040_000
KLINE = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)
AGG = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
QUOTE = (
    "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time"
)


def kline(number, unit=1, price="10.5", **changed):
    opened = (MS + number * 60_000) * unit
    last = opened + 60_000 * unit - 1
    row = {"t": opened, "o": price, "h": "11", "l": "10", "c": "10.7", "v": "5", "T": last,
           "q": "50", "n": 3, "V": "2", "Q": "20", "i": 0}  # fmt: skip
    return ",".join(str(value) for value in (row | changed).values())


def agg(number, unit=1, price="10.5", size="1", maker="true", best=""):
    time = (MS + number) * unit
    return f"{number},{price},{size},{number},{number},{time},{maker}{best}"


def packed(folder, name, lines, *, header="", members=None):
    path = folder / f"{name}.zip"
    text = "\n".join([*([header] if header else []), *lines, ""])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members or [f"{name}.csv"]:
            archive.writestr(member, text)
    return path


@pytest.mark.parametrize(("unit", "header"), [(1, ""), (1, KLINE), (1000, ""), (1000, KLINE)])
def test_klines_are_bars_timed_at_their_close(tmp_path, unit, header):
    rows = [kline(number, unit) for number in (0, 1, 4)]
    series = read_archive(packed(tmp_path, "BTCUSDT-1m-2023-11-14", rows, header=header))
    assert (series.kind, series.symbol, series.step) == ("bars", "BTCUSDT", 60 * 10**9)
    assert series.times.tolist() == [(MS + n * 60_000) * 10**6 for n in (1, 2, 5)]
    assert series.fresh.tolist() == [False, False, True]
    first = {name: float(column[0]) for name, column in series.columns.items()}
    assert first == {"open": 10.5, "high": 11, "low": 10, "close": 10.7, "volume": 5, "trades": 3,
                     "buy_volume": 2}  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "header", "maker", "best"),
    [(1, AGG, "true", ""), (1, "", "True", ",True"), (1000, "", "False", ",True")],
)
def test_agg_trades_are_trades_with_the_aggressors_side(tmp_path, unit, header, maker, best):
    rows = [agg(number, unit, maker=maker, best=best) for number in (7, 8, 11)]
    series = read_archive(packed(tmp_path, "BTCUSDT-aggTrades-2023-11", rows, header=header))
    assert series.kind == "trades"
    assert series.columns["id"].tolist() == [7, 8, 11]
    assert series.columns["side"].tolist() == [-1 if maker.lower() == "true" else 1] * 3
    assert series.fresh.tolist() == [False, False, True]
    assert series.times.tolist() == [(MS + number) * 10**6 for number in (7, 8, 11)]


def test_single_trades_of_futures_leave_numbers_out_and_that_is_no_hole(tmp_path):
    rows = [f"{n},10.5,1,10.5,{MS + n},true" for n in (1, 2, 5)]
    name = "BTCUSDT-trades-2023-11-14"
    header = "id,price,qty,quote_qty,time,is_buyer_maker"
    assert not read_archive(packed(tmp_path, name, rows, header=header)).fresh.any()
    spot = read_archive(packed(tmp_path, name, [f"{row},True" for row in rows]))
    assert spot.fresh.tolist() == [False, False, True]


def test_quotes_of_one_millisecond_are_kept_apart(tmp_path):
    rows = [f"{n},10,1,11,2,{MS + n // 3},{MS + n}" for n in range(7)]
    series = read_archive(packed(tmp_path, "BTCUSDT-bookTicker-2023-11-14", rows, header=QUOTE))
    assert series.kind == "ticks"
    start = MS * 10**6
    assert (series.times - start).tolist() == [0, 1, 2, 10**6, 10**6 + 1, 10**6 + 2, 2 * 10**6]
    assert series.columns["price"].tolist() == [10.5] * 7


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (kline(1, price="0"), "price"),
        (kline(1, price="nan"), "price"),
        (kline(1, h="10.6"), "price"),
        (kline(1, v="-1"), "size"),
        (kline(1, T=5), "time"),
        (kline(1, t=17), "time"),
        (kline(0), "time"),
    ],
)
def test_a_wrong_row_is_an_error_or_told_beside_the_others(tmp_path, row, reason):
    path = packed(tmp_path, "BTCUSDT-1m-2023-11-14", [kline(0), row, kline(2)], header=KLINE)
    with pytest.raises(DataError, match=rf"2023-11-14.zip:3: wrong {reason}"):
        read_archive(path)
    bad = []
    assert len(read_archive(path, bad)) == 2
    assert [(one.where, one.reason) for one in bad] == [(f"{path.name}:3", reason)]


@pytest.mark.parametrize(
    "lines", [["a,b,c"], ["1,2,3"], [agg(1), "1,2"], [agg(1, price="x")], [agg(1, maker="2")], []]
)
def test_what_is_no_table_of_the_archive_is_an_error(tmp_path, lines):
    with pytest.raises(DataError, match="BTCUSDT-aggTrades"):
        read_archive(packed(tmp_path, "BTCUSDT-aggTrades-2023-11-14", lines))


def test_a_zip_must_hold_its_file_alone_and_of_a_likely_length(tmp_path):
    name = "BTCUSDT-aggTrades-2023-11-14"
    for members in (["other.csv"], [f"{name}.csv", "more.csv"], [f"../{name}.csv"]):
        with pytest.raises(DataError, match="alone"):
            read_archive(packed(tmp_path, name, [agg(1)], members=members))
    bomb = tmp_path / f"{name}.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", b"0" * 2**24)
    with pytest.raises(DataError, match="unpack"):
        read_archive(bomb)
    whole = packed(tmp_path, name, [agg(n) for n in range(5000)]).read_bytes()
    for broken in (whole[: len(whole) // 2], b"", whole[:1000] + b"\0" * 50 + whole[1050:]):
        bomb.write_bytes(broken)
        with pytest.raises(DataError, match=r"BTCUSDT.*again"):
            read_archive(bomb)
    with pytest.raises(DataError, match="can't be read"):
        read_archive(tmp_path / "ETHUSDT-trades-2023-11-14.zip")


def test_a_csv_is_read_as_well(tmp_path):
    path = tmp_path / "BTCUSDT-aggTrades-2023-11-14.csv"
    path.write_text(agg(1) + "\n")
    assert len(read_archive(path)) == 1


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    path = folder / "BTCUSDT-aggTrades-2023-11-14.csv"
    path.write_bytes(content)
    with suppress(DataError):
        assert len(read_archive(path)) >= 0
    path = folder / "BTCUSDT-aggTrades-2023-11-15.zip"
    path.write_bytes(b"PK\x03\x04" + content)
    with pytest.raises(DataError):
        read_archive(path)


@pytest.mark.parametrize(
    "name",
    ["", "a.zip", "BTCUSDT-7m-2024-01-01.zip", "BTCUSDT-1m-2024-13-01.zip", "../-1m-2024-01-01.zip",
     "BTCUSDT-1m-2024-01-01.zip.part", "BTCUSDT-bookDepth-2024-01-01.zip"],
)  # fmt: skip
def test_other_names_are_refused(name):
    with pytest.raises(DataError):
        ArchiveFile.named(name)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["spot", "usdm"]),
    st.sampled_from(["klines", "aggTrades", "trades", "bookTicker"]),
    st.dates(date(2017, 1, 1), date(2030, 1, 1)),
    st.integers(0, 100),
    st.booleans(),
)
def test_files_hold_each_day_once_and_know_their_names(market, kind, first, more, months):
    last = date.fromordinal(first.toordinal() + more)
    interval = "1h" if kind == "klines" else ""
    files = files_between(market, kind, "BTCUSDT", first, last, interval, months=months)
    days = []
    for file in files:
        assert ArchiveFile.named(file.path.rsplit("/")[-1], market) == file
        ordinal = file.day.toordinal()
        end = date.fromordinal(ordinal + 31).replace(day=1).toordinal() if file.monthly else 0
        days += range(ordinal, end or ordinal + 1)
    assert days == list(range(first.toordinal(), last.toordinal() + 1))


def test_many_trades_are_read_as_written(tmp_path):
    n = 100_000
    ids = np.arange(n)
    rows = [f"{i},{60000 + i % 97}.5,0.{1 + i % 9},{i},{i},{MS + i // 7},true" for i in range(n)]
    series = read_archive(packed(tmp_path, "BTCUSDT-aggTrades-2023-11-14", rows, header=AGG))
    assert (series.columns["id"] == ids).all()
    assert (series.columns["price"] == 60000.5 + ids % 97).all()


def test_a_zip_whose_member_has_no_readable_name_is_refused(tmp_path):
    path = packed(tmp_path, "BTCUSDT-1m-2023-11-14", [kline(0)], members=["é.csv"])
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xc3\x28"))
    with pytest.raises(DataError, match=r"can't be read.*fetch it again"):
        read_archive(path)
