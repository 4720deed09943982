"""Readers of what venues tell of an account: orders, executions, contracts."""

from __future__ import annotations

from typing import Any

from tests.decoder import Decoder, deriv_reader
from venues.binance.answers import Listing
from venues.binance.orders import decode_order, decode_trades_told
from venues.binance.user_stream import decode_report
from venues.deriv.contract import (
    decode_bought,
    decode_contract,
    decode_portfolio,
    decode_proposal,
    decode_statement,
    decode_transaction,
)
from venues.deriv.reports import closing_status, opening_status

LISTED = Listing("BTCUSDT", "BTC", "USDT", True, 0.01, 1e-05, 1e-05, 9000.0, 5.0)


def _report(data: bytes) -> object:
    told = decode_report(data)
    if isinstance(told, str):
        return told
    return told.fill("ours", LISTED), told.status("ours", 0.5)


def _trades_told(data: bytes) -> object:
    return [one.fill("ours", LISTED) for one in decode_trades_told(data)]


def _contract(frame: Any) -> object:
    """A contract is read with all that is told of it."""
    contract = decode_contract(frame)
    told = (opening_status(contract, ""), contract.price, contract.units)
    return told if contract.open else (*told, closing_status(contract, ""))


ACCOUNTS = (
    Decoder(
        "deriv account",
        deriv_reader(
            decode_bought,
            _contract,
            decode_portfolio,
            decode_statement,
            decode_transaction,
            decode_proposal,
        ),
        (
            b'{"msg_type":"buy","echo_req":{},"buy":{"contract_id":5,"purchase_time":1775001600,'
            b'"buy_price":4.5,"balance_after":995.5,"transaction_id":9}}',
            b'{"msg_type":"proposal_open_contract","echo_req":{},"proposal_open_contract":{'
            b'"contract_id":5,"contract_type":"MULTUP","symbol":"R_75","status":"open","is_sold":0,'
            b'"buy_price":4.5,"purchase_time":1775001600,"multiplier":50,"entry_spot":34000.5,'
            b'"entry_spot_time":1775001602,"commission":0.15,"current_spot":34001.25,'
            b'"transaction_ids":{"buy":9},"limit_order":{"stop_out":{"order_amount":-4.5},'
            b'"stop_loss":{"order_amount":-2.0},"take_profit":{"order_amount":3.0}}}}',
            b'{"msg_type":"proposal_open_contract","echo_req":{},"proposal_open_contract":{'
            b'"contract_id":6,"contract_type":"MULTDOWN","underlying_symbol":"R_75",'
            b'"status":"sold","is_sold":1,"buy_price":"4.50","purchase_time":1775001600,'
            b'"multiplier":"50","entry_spot":"34000.5","commission":"0.15","sell_price":"5.25",'
            b'"sell_time":1775001660,"transaction_ids":{"buy":9,"sell":11}}}',
            b'{"msg_type":"proposal_open_contract","echo_req":{},"proposal_open_contract":{'
            b'"contract_id":7,"contract_type":"CALL","symbol":"R_75","status":"won","is_sold":1,'
            b'"buy_price":10,"purchase_time":1775001600,"entry_spot":34000.5,"sell_price":19.5,'
            b'"sell_time":1775001610,"transaction_ids":{"buy":9,"sell":11}}}',
            b'{"msg_type":"portfolio","echo_req":{},"portfolio":{"contracts":[{"contract_id":5,'
            b'"contract_type":"MULTUP","symbol":"R_75","buy_price":4.5,'
            b'"purchase_time":1775001600}]}}',
            b'{"msg_type":"statement","echo_req":{},"statement":{"count":2,"transactions":['
            b'{"action_type":"sell","contract_id":5,"transaction_time":1775001660,"amount":5.25},'
            b'{"action_type":"deposit","transaction_time":1775001600,"amount":1000}]}}',
            b'{"msg_type":"transaction","echo_req":{},"transaction":{"action":"buy","amount":-4.5,'
            b'"contract_id":5,"symbol":"R_75","transaction_id":9,"transaction_time":1775001600}}',
            b'{"msg_type":"proposal","echo_req":{},"proposal":{"id":"p","spot":34000.5,'
            b'"commission":0.15,"ask_price":4.5}}',
        ),
    ),
    Decoder(
        "binance account's events",
        _report,
        (
            b'{"e":"executionReport","E":1723161255343,"s":"BTCUSDT","c":"ours","S":"SELL",'
            b'"o":"MARKET","x":"TRADE","X":"PARTIALLY_FILLED","r":"NONE","i":5,"l":"0.2","z":"0.3",'
            b'"L":"61837.63","n":"0.5","N":"USDT","T":1723161255342,"t":7,"C":"","Z":"18551.2"}',
            b'{"subscriptionId":0,"e":"executionReport","s":"BTCUSDT","c":"cancel-1","C":"ours",'
            b'"S":"BUY","x":"CANCELED","X":"CANCELED","r":"NONE","i":5,"l":"0","z":"0","L":"0",'
            b'"n":"0","N":null,"T":1723161255342,"t":-1,"Z":"0"}',
            b'{"stream":"key","data":{"e":"ORDER_TRADE_UPDATE","E":1723161255343,"T":1723161255342,'
            b'"o":{"s":"BTCUSDT","c":"ours","S":"BUY","x":"TRADE","X":"FILLED","i":5,"l":"0.2",'
            b'"z":"0.2","L":"61837.6","ap":"61837.6","n":"0.1","N":"BNB","T":1723161255342,"t":7}}}',
            b'{"e":"ACCOUNT_UPDATE","E":1723161255343,"a":{"B":[],"P":[]}}',
            b'{"e":"serverShutdown","E":1723161255343}',
        ),
    ),
    Decoder(
        "binance order",
        lambda data: decode_order(data).state("ours", LISTED),
        (
            b'{"symbol":"BTCUSDT","orderId":5,"clientOrderId":"ours","transactTime":1723161255342,'
            b'"origQty":"0.2","executedQty":"0.2","cummulativeQuoteQty":"12367.5",'
            b'"status":"FILLED","side":"BUY","fills":[{"price":"61837.63","qty":"0.2",'
            b'"commission":"0.0002","commissionAsset":"BTC","tradeId":7}]}',
            b'{"symbol":"BTCUSDT","orderId":5,"clientOrderId":"c","origClientOrderId":"ours",'
            b'"updateTime":1723161255342,"executedQty":"0","avgPrice":"0.00","status":"CANCELED",'
            b'"side":"SELL"}',
        ),
    ),
    Decoder(
        "binance own trades",
        _trades_told,
        (
            b'[{"symbol":"BTCUSDT","id":7,"orderId":5,"price":"61837.63","qty":"0.2",'
            b'"commission":"0.0002","commissionAsset":"BTC","time":1723161255342,"isBuyer":true}]',
            b'[{"symbol":"BTCUSDT","id":8,"orderId":6,"price":"61837.6","qty":"0.2",'
            b'"commission":"6.1","commissionAsset":"USDT","time":1723161255342,"buyer":false}]',
        ),
    ),
)
