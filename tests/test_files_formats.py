"""Every file format: known by its header, read into our units and UTC, what is bad told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from market.errors import DataError, UnknownSymbol
from market.events import SECOND
from market.series import BadRow, Series
from venues.files import FileFeed, find, read_recording

FLOW = "timestamp,open,high,low,close,volume,trades,buy_volume,sell_volume,vwap,symbol"
PROFIT = "Ativo;Data;Hora;Abertura;Máximo;Mínimo;Fechamento;Volume;Quantidade"
MT5_BARS = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
MT5_TICKS = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>"


def write(folder: Path, name: str, header: str, *rows: str, end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes((end.join([header, *rows]) + end).encode())
    return path


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def only(path: Path, **options: object) -> Series:
    recording = read_recording(path, **options)  # type: ignore[arg-type]
    (series,) = recording.series
    return series


def test_bars_with_order_flow_of_several_contracts(tmp_path: Path) -> None:
    row = (
        "2025-02-03 09:0{},5909.5,5910.0,5894.5,5904.0,799456430.0,13543,394124542.5,405331887.5,{}"
    )
    rows = [row.format(f"{k}:00", f"5904.0,WDO{month}25") for k in range(5) for month in "HJ"]
    recording = read_recording(write(tmp_path, "wdo.csv", FLOW, *rows))
    assert [one.symbol for one in recording.series] == ["WDOH25", "WDOJ25"]
    bars = recording.series[0]
    assert (len(bars), bars.step, recording.bad) == (5, 60 * SECOND, ())
    assert bars.times[0] == utc("2025-02-03 12:01:00")  # the close, UTC
    volume = bars.columns["volume"][0]
    assert volume == pytest.approx(799456430.0 / 59040.0)
    assert bars.columns["buy_volume"][0] == pytest.approx(394124542.5 / 59040.0)
    assert bars.columns["trades"][0] == 13543.0
    assert len(only(tmp_path / "wdo.csv", symbol="WDOJ25")) == 5
    with pytest.raises(UnknownSymbol, match="holds WDOH25, WDOJ25, not WDOK25"):
        read_recording(tmp_path / "wdo.csv", "WDOK25")
    assert find(tmp_path) == dict.fromkeys(("WDOH25", "WDOJ25"), tmp_path / "wdo.csv")
    assert FileFeed(tmp_path / "wdo.csv", "WDOJ25").tape.symbol == "WDOJ25"
    with pytest.raises(DataError, match="holds WDOH25, WDOJ25; say which symbol to play"):
        FileFeed(tmp_path / "wdo.csv")


def test_a_contract_seldom_traded_has_the_step_of_its_file_and_no_holes(tmp_path: Path) -> None:
    flow = "10,10,10,10,1000,5,500,500,10"
    rows = [f"2025-02-03 10:{k:02}:00,{flow},WDOH25" for k in range(60)]
    rows += [f"2025-02-03 10:{k:02}:00,{flow},WDOJ25" for k in (1, 2, 9, 30)]
    liquid, seldom = read_recording(write(tmp_path, "a.csv", FLOW, *rows)).series
    assert (liquid.step, seldom.step) == (60 * SECOND, 60 * SECOND)
    assert not seldom.fresh.any()


def profit_rows(count: int) -> list[str]:
    return [
        f"WDOFUT;22/11/2021;10:{k:02}:00;5.668,937;5.670,457;5.668,430;5.669,444;51.754.940,00;1.925"
        for k in reversed(range(count))
    ]


def test_profit_newest_first_with_brazilian_numbers(tmp_path: Path) -> None:
    bars = only(write(tmp_path, "WDO_1m_profit.csv", PROFIT, *profit_rows(30)))
    assert (bars.symbol, len(bars)) == ("WDOFUT", 30)  # the column wins over the name
    assert bars.times[0] == utc("2021-11-22 13:01:00")
    assert bars.columns["open"][0] == 5668.937
    assert bars.columns["volume"][0] == 1925.0  # contracts, not BRL
    assert np.isnan(bars.columns["trades"]).all()


def test_profit_in_the_code_page_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join([PROFIT, *profit_rows(30)]).encode("cp1252"))
    assert len(only(path)) == 30
    path.write_bytes(path.read_bytes().replace("Máximo".encode("cp1252"), b"High\xe9"))
    with pytest.raises(DataError, match="is not CSV in UTF-8"):
        read_recording(path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "5.668,937",
            "5668.937",
            "open must be a number, was '5668.937 where 1.234,5 is the form'",
        ),
        ("5.668,937", "56.68,937", "open must be a number, was '56.68,937 where 1.234,5 is the"),
        ("22/11/2021", "11/22/2021", "month must be in 1..12"),
        ("22/11/2021", "31/11/2021", "day is out of range for month"),
        ("22/11/2021", "20/11/2021", "Saturday 2021-11-20 has no session"),
        ("WDOFUT", "", "symbol is missing"),
        ("1.925", "-1.925", "volume must be finite and not negative, was -1925"),
    ],
)
def test_a_row_written_otherwise_is_told_not_mended(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    rows = profit_rows(30)
    rows[3] = rows[3].replace(old, new, 1)
    path = write(tmp_path, "x.csv", PROFIT, *rows)
    recording = read_recording(path, tolerate=0.1)
    (bad,) = recording.bad
    assert (bad.where, bad.row) == ("x.csv:5", rows[3])
    assert bad.reason.startswith(reason)
    assert len(recording.series[0]) == 29
    with pytest.raises(DataError, match="1 of 30 rows are bad, the first in line 5"):
        read_recording(path)


def mt5_row(stamp: str, price: float = 3300.0) -> str:
    return f"{stamp}\t{price}\t{price + 1}\t{price - 1}\t{price}\t43\t148\t500"


def test_metatrader_bars_across_the_end_of_summer_time(tmp_path: Path) -> None:
    """In 2018 São Paulo was at -2 until 17 February, at -3 from then on."""
    rows = [mt5_row(f"2018.02.{day}\t{hour:02}:{m:02}:00")
            for day in (16, 19) for hour in range(9, 18) for m in range(0, 60, 5)]  # fmt: skip
    bars = only(write(tmp_path, "WDO_5m_2018_mt5.csv", MT5_BARS, *rows, end="\r\n"))
    assert bars.symbol == "WDO"
    assert bars.times[0] == utc("2018-02-16 11:05:00")
    assert bars.times[-1] == utc("2018-02-19 21:00:00")
    assert bars.columns["volume"][0] == 148.0
    # Until 9 March the session lasted until 18:15: these recordings end a quarter of an hour early.
    assert np.flatnonzero(bars.fresh).tolist() == [108]
    assert bars.times[108] == utc("2018-02-19 12:05:00")


def test_an_hour_that_was_there_twice_is_told(tmp_path: Path) -> None:
    rows = [mt5_row(f"2018.02.17\t{h:02}:{m:02}:00") for h in (22, 23) for m in range(0, 60, 5)]
    recording = read_recording(
        write(tmp_path, "X.csv", MT5_BARS, *rows), zone="America/Sao_Paulo", tolerate=1.0
    )
    assert len(recording.series[0]) == 12
    assert {bad.reason[19:] for bad in recording.bad} == {
        " was there twice: daylight saving time ended"
    }


def test_a_servers_zone_is_asked_for(tmp_path: Path) -> None:
    rows = [mt5_row(f"2024.07.01\t10:{m:02}:00").replace("148", "0") for m in range(0, 60, 5)]
    path = write(tmp_path, "EURUSD_5m.csv", MT5_BARS, *rows)
    with pytest.raises(DataError, match="EURUSD is no future of B3: say the zone"):
        read_recording(path)
    bars = only(path, zone="Europe/Athens")
    assert bars.times[0] == utc("2024-07-01 07:05:00")
    assert np.isnan(bars.columns["volume"]).all()  # a server that doesn't know it says 0


def test_metatrader_ticks_are_quotes_and_trades(tmp_path: Path) -> None:
    changes = [
        ("08:55:23.338", "0.0", "0.0", "0.0", "0.00000000"),  # no quote yet
        ("09:00:02.322", "5500.0", "5220.0", "", ""),  # an auction: crossed
        ("09:03:09.658", "", "", "5257.5", "20.0"),
        ("09:03:09.658", "", "", "5257.5", "20.0"),  # another trade, not a double
        ("09:03:10.000", "5257.0", "", "", ""),  # crossed still: the ask is from the auction
        ("09:03:10.001", "", "5258.0", "", ""),
        ("09:03:10.001", "5257.5", "", "", ""),  # the same millisecond: this stands at its end
        ("09:03:11.000", "", "", "5258.0", "5.0"),
        ("09:03:10.500", "", "5259.0", "", ""),  # late
        ("09:03:12.000", "", "5258.5", "", ""),
        ("09:03:13.000", "", "", "5258.5", ""),  # half a trade
        ("19:30:00.138", "0.0", "0.0", "0.0", "0.0"),
        ("19:30:01.000", "5257.0", "", "", ""),  # one side only
    ]
    path = write(
        tmp_path, "DOLK20_ticks_mt5.csv", MT5_TICKS,
        *("2020.04.02\t" + "\t".join(row) for row in changes), end="\r\n",
    )  # fmt: skip
    recording = read_recording(path, tolerate=0.5)
    ticks, trades = recording.series
    assert (ticks.kind, trades.kind, trades.symbol) == ("ticks", "trades", "DOLK20")
    nine = utc("2020-04-02 12:00:00")
    seconds = (ticks.times - nine) / SECOND - 180.0
    assert seconds.tolist() == pytest.approx([10.001, 12.0])
    assert ticks.columns["bid"].tolist() == [5257.5, 5257.5]
    assert ticks.columns["ask"].tolist() == [5258.0, 5258.5]
    assert ticks.columns["price"].tolist() == [5257.75, 5258.0]
    assert trades.columns["price"].tolist() == [5257.5, 5257.5, 5258.0]
    assert trades.columns["size"].tolist() == [20.0, 20.0, 5.0]
    assert trades.columns["side"].tolist() == [0, 0, 0]
    assert [(bad.where.split(":")[1], bad.reason.split(":")[0]) for bad in recording.bad] == [
        ("3", "bid 5500 is above ask 5220"),
        ("6", "bid 5257 is above ask 5220"),
        ("10", "time runs backwards"),
        ("12", "a trade needs both <LAST> and <VOLUME>"),
    ]
    assert FileFeed(path, "DOLK20") is not None


def test_flags_say_who_was_the_aggressor(tmp_path: Path) -> None:
    rows = [f"2020.04.02\t10:00:0{k}.000\t\t\t5250.0\t5\t{flags}"
            for k, flags in enumerate((56, 88, 120, 24))]  # fmt: skip
    trades = only(write(tmp_path, "WDOK20.csv", MT5_TICKS + "\t<FLAGS>", *rows))
    assert trades.columns["side"].tolist() == [1, -1, 0, 0]


def test_plain_trades(tmp_path: Path) -> None:
    rows = ["1700000000,10,0.5,1,7", "1700000000,10,0.5,1,8", "1700000001,11,2,-1,9"]
    trades = only(write(tmp_path, "BTCUSDT_trades.csv", "time,price,size,side,id", *rows))
    assert (trades.symbol, trades.kind) == ("BTCUSDT", "trades")
    assert trades.columns["id"].tolist() == [7, 8, 9]
    assert trades.columns["side"].tolist() == [1, 1, -1]
    with pytest.raises(DataError, match="holds trades only; make bars of them first"):
        _ = FileFeed(tmp_path / "BTCUSDT_trades.csv").tape


def test_utf_16_as_metatrader_writes_it(tmp_path: Path) -> None:
    rows = [mt5_row(f"2024.07.01\t10:{m:02}:00") for m in range(0, 60, 5)]
    plain = write(tmp_path, "WDO_a.csv", MT5_BARS, *rows)
    wide = tmp_path / "WDO_b.csv"
    wide.write_bytes(plain.read_text().encode("utf-16"))
    assert only(wide, symbol="WDO").columns["close"].tolist() == [3300.0] * 12


def test_a_quoted_file_reads_as_the_bare_one(tmp_path: Path) -> None:
    rows = [f"{1_700_000_000 + k},{10 + k}" for k in range(9)]
    bare = only(write(tmp_path, "a.csv", "time,price", *rows), symbol="X")
    quoted = [",".join(f'"{cell}"' for cell in row.split(",")) for row in rows]
    assert only(write(tmp_path, "b.csv", '"time","price"', *quoted), symbol="X").columns["price"] \
        .tolist() == bare.columns["price"].tolist()  # fmt: skip


def test_an_unknown_header_is_refused_with_what_was_seen_and_what_is_known(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "wann;preis", "1;2")
    with pytest.raises(DataError) as told:
        read_recording(path)
    for part in ("preis, wann", "Profit export (Ativo;", "MetaTrader 5 ticks (<DATE>", "ticks (a"):
        assert part in str(told.value)


def test_the_recorded_files_of_b3(data_folder: Path) -> None:
    folder = data_folder / "wdo"
    bars = read_recording(folder / "WDO_5m_2018_mt5.csv")
    assert (len(bars.series[0]), int(bars.series[0].fresh.sum()), len(bars.bad)) == (24_517, 7, 9)
    assert {bad.reason for bad in bars.bad} == {
        "Saturday 2018-11-10 has no session: a rehearsal's price"
    }
    profit = read_recording(folder / "WDO_1m_2021_profit.csv")
    assert (profit.series[0].symbol, len(profit.series[0]), profit.bad) == ("WDOFUT", 6_000, ())
    assert profit.series[0].fresh.sum() == 1  # 19 November began at 09:03
    ticks, trades = read_recording(folder / "DOLK20_ticks_mt5.csv").series
    assert (len(ticks), len(trades)) == (24_672, 33_118)
    assert (ticks.columns["bid"] <= ticks.columns["ask"]).all()
    assert sorted(find(folder)) == ["DOLK20", "WDO", "WDOFUT"]


def test_the_recorded_files_that_are_dirty(data_folder: Path) -> None:
    path = data_folder / "dirty" / "BTCUSDT_1m_bad_prices.csv"
    recording = read_recording(path, tolerate=1.0)
    assert recording.series[0].symbol == "BTCUSDT"
    assert len(recording.bad) == 597
    jump = next(bad for bad in recording.bad if "562 %" in bad.reason)
    assert jump == BadRow(
        "BTCUSDT_1m_bad_prices.csv:5002",
        "price jumps from 284333 to 1.88173e+06 (+562 %)",
        "2025-08-03 18:45:00+00:00,1881726.8,1881726.8,1881726.8,1881726.8,0.0,0.0",
    )
    series = recording.series[0]
    after = np.flatnonzero(series.fresh)
    assert 802 in ((series.times[after] - series.times[after - 1]) // (60 * SECOND)).tolist()
    with pytest.raises(DataError, match=r"empty\.feather is empty"):
        read_recording(data_folder / "dirty" / "empty.feather")
