"""Every reader of bytes from outside, in one list: what is fuzzed, by hypothesis and by atheris.

Whatever comes in, a reader gives an event or raises one of ours; no other exception.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.decoder import Decoder, deriv_reader
from tests.decoders_of_accounts import ACCOUNTS
from tests.decoders_of_archives import ARCHIVES
from venues.binance import answers, codec
from venues.deriv.candles import decode_candles, decode_ohlc
from venues.deriv.codec import decode_history, decode_tick
from venues.deriv.limits import decode_limits
from venues.deriv.listings import decode_contracts, decode_listings
from venues.deriv.otp import decode_address
from venues.files.recording import read_recording
from venues.profit.moments import of_text
from venues.profit.prices import levels_of

MINUTE = 60_000_000_000


def _binance_frame(data: bytes) -> object:
    frame = codec.decode_frame(data)
    inner = bytes(frame.data)
    readers: dict[str, Callable[[bytes], object]] = {
        "aggTrade": lambda raw: codec.decode_agg_trade(raw, "BTCUSDT"),
        "trade": lambda raw: codec.decode_trade(raw, "BTCUSDT"),
        "kline_1m": lambda raw: codec.decode_kline(raw, "BTCUSDT", "1m", MINUTE),
        "bookTicker": lambda raw: codec.decode_quote(raw, "BTCUSDT", 1),
        "depth@100ms": lambda raw: codec.decode_book(raw, "BTCUSDT"),
    }
    reader = readers.get(frame.stream.partition("@")[2])
    return frame if reader is None else reader(inner)


def _recording(suffix: str) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"WDOFUT{suffix}"
            path.write_bytes(data)
            return read_recording(path)

    return read


def _stream(name: str, body: bytes) -> bytes:
    return b'{"stream":"btcusdt@' + name.encode() + b'","data":' + body + b"}"


DECODERS = (
    Decoder(
        "deriv market data",
        deriv_reader(
            lambda f: decode_tick(f, "R_75"),
            lambda f: decode_history(f, "R_75"),
            lambda f: decode_candles(f, "R_75", 60),
            lambda f: decode_ohlc(f, "R_75", 60),
        ),
        (
            b'{"msg_type":"tick","echo_req":{},"tick":{"symbol":"R_75","epoch":1775001600,'
            b'"quote":34000.5,"bid":34000.1,"ask":34000.9,"pip_size":4}}',
            b'{"msg_type":"history","echo_req":{},"history":{"times":[1775001600,1775001602],'
            b'"prices":[34000.5,34001.25]},"pip_size":4}',
            b'{"msg_type":"candles","echo_req":{},"candles":[{"epoch":1775001600,"open":1.5,'
            b'"high":2.5,"low":1.25,"close":2.0}]}',
            b'{"msg_type":"ohlc","echo_req":{},"ohlc":{"symbol":"R_75","granularity":60,'
            b'"open_time":1775001600,"epoch":1775001630,"open":"1.5","high":"2.5","low":"1.25",'
            b'"close":"2.0"}}',
        ),
    ),
    Decoder(
        "deriv listings",
        deriv_reader(decode_listings, lambda f: decode_contracts(f, "R_75"), decode_limits),
        (
            b'{"msg_type":"active_symbols","echo_req":{},"active_symbols":[{"symbol":"R_75",'
            b'"display_name":"Volatility 75","market":"synthetic_index","submarket":"random_index",'
            b'"pip":0.0001,"exchange_is_open":1,"is_trading_suspended":0}]}',
            b'{"msg_type":"contracts_for","echo_req":{},"contracts_for":{"available":['
            b'{"contract_type":"MULTUP","multiplier_range":[50,100]},{"contract_type":"CALL",'
            b'"min_contract_duration":"1t","max_contract_duration":"10t"}]}}',
            b'{"msg_type":"website_status","echo_req":{},"website_status":{"api_call_limits":{'
            b'"max_requestes_general":{"minutely":180,"hourly":14400},"max_requests_outcome":'
            b'{"minutely":25,"hourly":1500},"max_requests_pricing":{"minutely":80,"hourly":3600}}}}',
        ),
    ),
    Decoder(
        "deriv password",
        lambda data: decode_address(200, data),
        (b'{"data":{"url":"wss://api.example/ws/demo?otp=1"},"meta":{}}',),
    ),
    Decoder(
        "binance frames",
        _binance_frame,
        (
            _stream(
                "aggTrade",
                b'{"e":"aggTrade","E":1723161255343,"s":"BTCUSDT","a":7,"p":"61837.63","q":"0.02",'
                b'"f":1,"l":1,"T":1723161255342,"m":true,"M":true}',
            ),
            _stream(
                "trade",
                b'{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":7,"p":"61837.63","q":"0.02",'
                b'"T":1723161255342,"m":true,"M":true}',
            ),
            _stream(
                "kline_1m",
                b'{"e":"kline","E":1723161255343,"s":"BTCUSDT","k":{"t":1723161240000,'
                b'"T":1723161299999,"s":"BTCUSDT","i":"1m","f":1,"L":2,"o":"1.5","c":"2.0",'
                b'"h":"2.5","l":"1.25","v":"3","n":2,"x":true,"q":"6","V":"1","Q":"2","B":"0"}}',
            ),
            _stream(
                "bookTicker",
                b'{"u":1,"s":"BTCUSDT","b":"61837.63","B":"3.7","a":"61837.64","A":"1.5"}',
            ),
            _stream(
                "depth@100ms",
                b'{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":1,"u":3,'
                b'"b":[["61737.63","0.5"]],"a":[["61837.64","0.0"]]}',
            ),
            b'{"result":null,"id":1}',
            b'{"error":{"code":2,"msg":"Invalid request"},"id":3}',
        ),
    ),
    *(
        Decoder(f"binance {name}", read, (example,))
        for name, read, example in (
            (
                "klines",
                lambda data: answers.decode_klines(data, "BTCUSDT", MINUTE),
                b'[[1723161240000,"1.5","2.5","1.25","2.0","3",1723161299999,"6",2,"1","2","0"]]',
            ),
            (
                "aggregate trades",
                lambda data: answers.decode_agg_trades(data, "BTCUSDT"),
                b'[{"a":7,"p":"1.5","q":"2","f":1,"l":1,"T":1723161240000,"m":true,"M":true}]',
            ),
            (
                "trades",
                lambda data: answers.decode_trades(data, "BTCUSDT"),
                b'[{"id":7,"price":"1.5","qty":"2","quoteQty":"3","time":1723161240000,'
                b'"isBuyerMaker":true,"isBestMatch":true}]',
            ),
            (
                "snapshot",
                lambda data: answers.decode_snapshot(data, "BTCUSDT", 1),
                b'{"lastUpdateId":7,"bids":[["1.5","2"]],"asks":[["1.75","3"]]}',
            ),
            (
                "listing",
                answers.decode_exchange,
                b'{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE",'
                b'"intervalNum":1,"limit":6000}],"symbols":[{"symbol":"BTCUSDT","status":"TRADING",'
                b'"baseAsset":"BTC","quoteAsset":"USDT","filters":[{"filterType":"PRICE_FILTER",'
                b'"minPrice":"0.01","maxPrice":"1000000","tickSize":"0.01"},{"filterType":'
                b'"LOT_SIZE","minQty":"0.00001","maxQty":"9000","stepSize":"0.00001"}]}]}',
            ),
            ("time", answers.decode_time, b'{"serverTime":1723161240000}'),
            ("error", answers.decode_trouble, b'{"code":-1121,"msg":"Invalid symbol."}'),
        )
    ),
    Decoder(
        "recording as CSV",
        _recording(".csv"),
        (
            b"timestamp,price\n" + b"".join(b"%d,10.5\n" % (1775001600 + i) for i in range(9)),
            b"open_time,open,high,low,close,volume\n"
            + b"".join(b"%d,1,2,0.5,1.5,3\n" % (1775001600 + 60 * i) for i in range(9)),
            b"Ativo;Data;time;open;high;low;close;Volume;Quantidade\n"
            + b"".join(
                b"WDOFUT;22/11/2021;18:%02d:00;5.668,5;5.670,0;5.668,0;5.669,5;51.754,00;925\n"
                % (19 - i)
                for i in range(9)
            ),
            b"<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\n"
            b"2020.04.02\t09:00:02.322\t5500.0\t5520.0\t\t\n"
            b"2020.04.02\t09:03:09.658\t\t\t5257.5\t20.0\n",
        ),
    ),
    Decoder("recording as Parquet", _recording(".parquet"), (b"PAR1" + bytes(16) + b"PAR1",)),
    Decoder(
        "profit book",
        levels_of,
        (b"\x01\x00\x00\x00\x20\x00\x00\x00" + bytes(20) + b"\x01\x00\x00\x00",),
    ),
    Decoder(
        "profit time",
        lambda data: of_text(data.decode(errors="replace")),
        (b"02/01/2024 09:00:00",),
    ),
    *ACCOUNTS,
    *ARCHIVES,
)
