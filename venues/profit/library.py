"""ProfitDLL loaded: each function with its types, errors as ours."""

from __future__ import annotations

import ctypes as c
import sys
from pathlib import Path
from typing import Any

from market.errors import ConfigError, UnknownSymbol, VenueRejected, VenueUnreachable
from venues.profit import abi

__all__ = ["checked", "load"]

_TEXT = c.c_wchar_p
_LOGIN = [_TEXT] * 3 + [c.c_void_p] * 11
_ASSET = [_TEXT, _TEXT]

_FUNCTIONS: dict[str, tuple[list[Any], Any]] = {
    "DLLInitializeLogin": (_LOGIN, c.c_int),
    "DLLInitializeMarketLogin": (_LOGIN[:-3], c.c_int),
    "DLLFinalize": ([], c.c_int),
    "SubscribeTicker": (_ASSET, c.c_int),
    "UnsubscribeTicker": (_ASSET, c.c_int),
    "SubscribePriceBook": (_ASSET, c.c_int),
    "UnsubscribePriceBook": (_ASSET, c.c_int),
    "GetHistoryTrades": ([_TEXT] * 4, c.c_int),
    "TranslateTrade": ([c.c_size_t, c.POINTER(abi.ConnectorTrade)], c.c_int),
    "FreePointer": ([c.c_void_p, c.c_int], c.c_int),
    "SendOrder": ([c.POINTER(abi.SendOrder)], c.c_int64),
    "SendCancelOrderV2": ([c.POINTER(abi.CancelOrder)], c.c_int),
    "GetOrderDetails": ([c.POINTER(abi.OrderOut)], c.c_int),
    "GetPositionV2": ([c.POINTER(abi.AccountPosition)], c.c_int),
    "EnumerateAllOrders": (
        [c.POINTER(abi.AccountIdentifier), c.c_uint8, c.c_ssize_t, abi.EnumerateOrders],
        c.c_int,
    ),
    "SetOrderCallback": ([abi.OrderCallback], c.c_int),
    "SetPriceBookCallbackV2": ([abi.PriceBookCallback], c.c_int),
}
"""Without these we can't work."""

_OPTIONAL: dict[str, tuple[list[Any], Any]] = {
    "SetTradeCallbackV2": ([abi.TradeV2Callback], c.c_int),
    "SetHistoryTradeCallbackV2": ([abi.TradeV2Callback], c.c_int),
}
"""Older versions lack these; the login takes their forerunners."""


def load(path: Path) -> Any:
    """Load the DLL and tell ctypes every function's types.

    Raises
    ------
    VenueUnreachable
        This is no Windows, or the file can't be loaded.
    ConfigError
        It is another library, or a version without a function we need.
    """
    if path.suffix.lower() == ".dll" and sys.platform != "win32":
        raise VenueUnreachable(
            f"ProfitDLL runs on Windows only, this is {sys.platform}; collect on a Windows machine "
            "with Profit, or import Profit's exports with `pregao data import`"
        )
    try:
        library = getattr(c, "WinDLL", c.CDLL)(str(path.absolute()))
    except OSError as error:
        raise VenueUnreachable(
            f"{path} can't be loaded ({error}); set `library` to the DLL that came with your "
            "licence, ProfitDLL64.dll for 64-bit Python"
        ) from error
    for name, (arguments, result) in (_FUNCTIONS | _OPTIONAL).items():
        function = getattr(library, name, None)
        if function is None:
            if name in _OPTIONAL:
                continue
            raise ConfigError(f"{path} has no {name}; take ProfitDLL 4.0 or later", key="library")
        function.argtypes, function.restype = arguments, result
    return library


def checked(call: str, result: int, ticker: str = "") -> int:
    """Return a result that is none of the errors.

    Raises
    ------
    UnknownSymbol
        The DLL doesn't know the ticker.
    VenueRejected
        Any other error, in words.
    """
    if result >= 0:
        return result
    code = result & 0xFFFFFFFF
    if code == 0x8000001F:
        raise UnknownSymbol(f"B3 has no {ticker!r}; WDOFUT is the front mini-dollar contract")
    raise VenueRejected(f"0x{code:08X}", f"{call}: {abi.ERRORS.get(code, 'unknown error')}")
