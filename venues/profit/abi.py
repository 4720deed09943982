"""ProfitDLL's binary interface: structures, callback types, enumerations, error codes.

Restated from the vendor's public manual (4.0). Fields are naturally aligned, text is UTF-16 on
Windows (``wchar_t``). Field names are the vendor's, so that the manual can be read beside them.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from typing import Any

__all__ = [
    "ERRORS",
    "AccountIdentifier",
    "AccountIdentifierOut",
    "AccountPosition",
    "AssetID",
    "AssetIdentifier",
    "AssetIdentifierOut",
    "CancelOrder",
    "ConnectorOrder",
    "ConnectorTrade",
    "EnumerateOrders",
    "HistoryTradeCallback",
    "OrderCallback",
    "OrderIdentifier",
    "OrderOut",
    "PriceBookCallback",
    "ProgressCallback",
    "SendOrder",
    "StateCallback",
    "SystemTime",
    "TinyBookCallback",
    "TradeCallback",
    "TradeV2Callback",
]

# On x64 there is one calling convention; on 32-bit Windows callbacks are stdcall.
_callback: Callable[..., Any] = getattr(c, "WINFUNCTYPE", c.CFUNCTYPE)


class AssetID(c.Structure):
    """A ticker at an exchange, as the older callbacks name it."""

    _fields_ = (("ticker", c.c_wchar_p), ("bolsa", c.c_wchar_p), ("feed", c.c_int))


class AssetIdentifier(c.Structure):
    """A ticker at an exchange, as the newer functions name it."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("Ticker", c.c_wchar_p),
        ("Exchange", c.c_wchar_p),
        ("FeedType", c.c_uint8),
    )


class AssetIdentifierOut(c.Structure):
    """As :class:`AssetIdentifier`, with buffers of ours for the texts."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("Ticker", c.c_wchar_p),
        ("TickerLength", c.c_int),
        ("Exchange", c.c_wchar_p),
        ("ExchangeLength", c.c_int),
        ("FeedType", c.c_uint8),
    )


class AccountIdentifier(c.Structure):
    """An account at a broker."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("BrokerID", c.c_int),
        ("AccountID", c.c_wchar_p),
        ("SubAccountID", c.c_wchar_p),
        ("Reserved", c.c_int64),
    )


class AccountIdentifierOut(c.Structure):
    """As :class:`AccountIdentifier`, with room for the texts."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("BrokerID", c.c_int),
        ("AccountID", c.c_wchar * 100),
        ("AccountIDLength", c.c_int),
        ("SubAccountID", c.c_wchar * 100),
        ("SubAccountIDLength", c.c_int),
        ("Reserved", c.c_int64),
    )


class SystemTime(c.Structure):
    """A moment in São Paulo's local time, to the millisecond."""

    _fields_ = tuple(
        (name, c.c_uint16)
        for name in (
            "wYear", "wMonth", "wDayOfWeek", "wDay", "wHour", "wMinute", "wSecond",
            "wMilliseconds",
        )
    )  # fmt: skip


class ConnectorTrade(c.Structure):
    """A trade, as ``TranslateTrade`` writes it."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("TradeDate", SystemTime),
        ("TradeNumber", c.c_uint32),
        ("Price", c.c_double),
        ("Quantity", c.c_int64),
        ("Volume", c.c_double),
        ("BuyAgent", c.c_int32),
        ("SellAgent", c.c_int32),
        ("TradeType", c.c_uint8),
    )


class OrderIdentifier(c.Structure):
    """An order: a number of this session, and the text the broker knows it by."""

    _fields_ = (("Version", c.c_uint8), ("LocalOrderID", c.c_int64), ("ClOrderID", c.c_wchar_p))


class SendOrder(c.Structure):
    """An order on its way out."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("AccountID", AccountIdentifier),
        ("AssetID", AssetIdentifier),
        ("Password", c.c_wchar_p),
        ("OrderType", c.c_uint8),
        ("OrderSide", c.c_uint8),
        ("Price", c.c_double),
        ("StopPrice", c.c_double),
        ("Quantity", c.c_int64),
    )


class CancelOrder(c.Structure):
    """An order to be taken back."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("AccountID", AccountIdentifier),
        ("OrderID", OrderIdentifier),
        ("Password", c.c_wchar_p),
    )


_ORDER_BODY = (
    ("Quantity", c.c_int64),
    ("TradedQuantity", c.c_int64),
    ("LeavesQuantity", c.c_int64),
    ("Price", c.c_double),
    ("StopPrice", c.c_double),
    ("AveragePrice", c.c_double),
    ("OrderSide", c.c_uint8),
    ("OrderType", c.c_uint8),
    ("OrderStatus", c.c_uint8),
    ("ValidityType", c.c_uint8),
    ("Date", SystemTime),
    ("LastUpdate", SystemTime),
    ("CloseDate", SystemTime),
    ("ValidityDate", SystemTime),
    ("TextMessage", c.c_wchar_p),
)


class ConnectorOrder(c.Structure):
    """An order, as ``EnumerateAllOrders`` shows it."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("OrderID", OrderIdentifier),
        ("AccountID", AccountIdentifier),
        ("AssetID", AssetIdentifier),
        *_ORDER_BODY,
        ("EventID", c.c_int64),
    )


class OrderOut(c.Structure):
    """An order, as ``GetOrderDetails`` writes it: once for the lengths, once for the texts."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("OrderID", OrderIdentifier),
        ("AccountID", AccountIdentifierOut),
        ("AssetID", AssetIdentifierOut),
        *_ORDER_BODY,
        ("TextMessageLength", c.c_int),
        ("EventID", c.c_int64),
    )


class AccountPosition(c.Structure):
    """What an account holds of one asset."""

    _fields_ = (
        ("Version", c.c_uint8),
        ("AccountID", AccountIdentifier),
        ("AssetID", AssetIdentifier),
        ("OpenQuantity", c.c_int64),
        ("OpenAveragePrice", c.c_double),
        ("OpenSide", c.c_uint8),
        ("DailyAverageSellPrice", c.c_double),
        ("DailySellQuantity", c.c_int64),
        ("DailyAverageBuyPrice", c.c_double),
        ("DailyBuyQuantity", c.c_int64),
        *(
            (f"DailyQuantity{name}", c.c_int64)
            for name in (
                "D1", "D2", "D3", "Blocked", "Pending", "Alloc", "Provision", "", "Available",
            )
        ),
        ("PositionType", c.c_uint8),
        ("EventID", c.c_int64),
    )  # fmt: skip


StateCallback = _callback(None, c.c_int, c.c_int)
ProgressCallback = _callback(None, AssetID, c.c_int)
TinyBookCallback = _callback(None, AssetID, c.c_double, c.c_int, c.c_int)
TradeCallback = _callback(
    None, AssetID, c.c_wchar_p, c.c_uint, c.c_double, c.c_double, c.c_int, c.c_int, c.c_int,
    c.c_int, c.c_int,
)  # fmt: skip
"""The last argument, whether it is an edit, is a ``char``: its upper bits may be garbage."""
HistoryTradeCallback = _callback(
    None, AssetID, c.c_wchar_p, c.c_uint, c.c_double, c.c_double, c.c_int, c.c_int, c.c_int, c.c_int
)
TradeV2Callback = _callback(None, AssetIdentifier, c.c_size_t, c.c_uint)
PriceBookCallback = _callback(
    None, AssetID, c.c_int, c.c_int, c.c_int, c.c_int64, c.c_int64, c.c_double, c.c_void_p,
    c.c_void_p,
)  # fmt: skip
"""The second version's: quantity and count have 64 bits."""
OrderCallback = _callback(None, OrderIdentifier)
EnumerateOrders = _callback(c.c_int, c.POINTER(ConnectorOrder), c.c_ssize_t)

ERRORS = {
    0x80000001: "internal error",
    0x80000002: "not initialised",
    0x80000003: "invalid arguments",
    0x80000004: "still waiting for the server",
    0x80000005: "not logged in",
    0x80000006: "no licence",
    0x80000009: "out of range",
    0x8000000A: "this login has market data only, no routing",
    0x8000000B: "no position",
    0x8000000C: "not found",
    0x8000000D: "version not supported",
    0x8000000F: "exchange unknown",
    0x80000012: "not allowed by the licence",
    0x8000001C: "no password given",
    0x8000001F: "invalid ticker",
    0x80000020: "not a master account",
}
"""What a negative result means, by its 32 bits."""
