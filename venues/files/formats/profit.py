"""The candles that Nelogica's Profit exports: semicolons, Brazilian numbers, newest first."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from market.calendar import SAO_PAULO
from venues.files.layout import Columns, Layout, pick

__all__ = ["BARS"]

_NUMBER = r"^-?(\d{1,3}(\.\d{3})*|\d+)(,\d+)?$"
_NAMES = {
    "symbol": ("ativo",),
    "day": ("data",),
    "time": ("hora", "time"),
    "open": ("abertura", "open"),
    "high": ("máximo", "maximo", "máxima", "high"),
    "low": ("mínimo", "minimo", "mínima", "low"),
    "close": ("fechamento", "último", "close"),
    "volume": ("quantidade",),
}


def _brazilian(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ``1.234,5`` as ``1234.5``; a cell written otherwise becomes what no number is.

    Left as it is, ``5668.9`` would be taken for a number, and ``5.668`` for another one.
    """
    bare = pc.replace_substring(pc.replace_substring(cells, ".", ""), ",", ".")
    wrong = pc.binary_join_element_wise(cells, "where 1.234,5 is the form", " ")
    return pc.if_else(pc.match_substring_regex(cells, _NUMBER), bare, wrong)


def _columns(columns: Columns) -> Columns:
    found = pick(columns, **_NAMES)
    day = pc.replace_substring_regex(found.pop("day"), r"^(\d\d)/(\d\d)/(\d{4})$", r"\3-\2-\1")
    for name in ("open", "high", "low", "close", "volume"):
        found[name] = _brazilian(found[name])
    return found | {"time": pc.binary_join_element_wise(day, found["time"], " ")}


BARS = Layout(
    "Profit export",
    "Ativo;Data;Hora;Abertura;Máximo;Mínimo;Fechamento;Volume;Quantidade",
    "bars",
    lambda header: all(not header.isdisjoint(names) for names in _NAMES.values()),
    _columns,
    SAO_PAULO,
)
"""Days as dd/mm/yyyy and the time of the bar's opening, in São Paulo.

``Volume`` is the turnover in BRL, ``Quantidade`` the contracts: the latter is our volume. Prices
of a continuous symbol such as ``WDOFUT`` are back-adjusted by Profit: in the recorded ones they are
no multiples of the tick, and turnover over contracts is 9.87 times the price, not 10.
"""
