"""An order's average price, as far as the venue's own decimals go."""

import json

from tests.binance_venue import SYMBOL
from venues.binance.answers import Listing
from venues.binance.orders import decode_order
from venues.binance.user_stream import decode_report

LISTED = Listing(SYMBOL, "BTC", "USDT", True, 0.01, 1e-05, 1e-05, 9000.0, 5.0)


def test_an_average_has_no_more_digits_than_the_fills():
    paid, size = 59.69709, 0.001
    assert paid / size != 59_697.09
    told = {
        "e": "executionReport", "s": SYMBOL, "c": "ours", "S": "BUY", "x": "TRADE", "X": "FILLED",
        "i": 1, "l": "0.001", "z": "0.001", "L": "59697.09", "T": 1723161255343, "t": 5,
        "Z": repr(paid), "C": "",
    }  # fmt: skip
    report = decode_report(json.dumps(told).encode())
    assert report.status("ours", 0.0, LISTED.tick).price == 59_697.09
    answer = {
        "symbol": SYMBOL, "orderId": 1, "clientOrderId": "ours", "status": "FILLED", "side": "BUY",
        "executedQty": "0.001", "cummulativeQuoteQty": repr(paid),
    }  # fmt: skip
    told_again = decode_order(json.dumps(answer).encode())
    assert told_again.state("ours", LISTED).price == 59_697.09
    unlisted = Listing(SYMBOL, "BTC", "USDT", True)
    assert told_again.state("ours", unlisted).price == paid / size
