"""What msgspec finds wrong with an answer, in the words that all messages here have."""

from __future__ import annotations

import re

__all__ = ["in_words"]

_FAULT = re.compile(r"Expected (?P<what>.+?)(?: - at `\$\.?(?P<where>.*)`)?")
_BOUND = re.compile(r"`(?:int|float)` (?P<side>>=|<=|>|<) (?P<bound>\S+)")
_KIND = re.compile(r"`(?P<kind>[^`]+)`(?: of length (?P<length>\d+))?(?:, got `(?P<got>\w+)`)?")
_MISSING = re.compile(
    r"Object missing required field `(?P<name>\w+)`(?: - at `\$\.?(?P<where>.*)`)?"
)

_SIDES = {">": "above", "<": "below", ">=": "at least", "<=": "at most"}
_KINDS = {
    "float": "a number", "int": "a whole number", "str": "text", "bool": "true or false",
    "array": "a list", "object": "an object", "null": "null",
}  # fmt: skip


def in_words(text: str) -> str:
    """Return msgspec's message in ours; one that is none of the usual ones as it is.

    Examples
    --------
    >>> in_words("Expected `float` > 0.0 - at `$.b`")
    'b must be above 0'
    >>> in_words("Expected `int`, got `null` - at `$.k.n`")
    'k.n must be a whole number, was null'
    >>> in_words("Expected `array` of length 2 - at `$[0]`"), in_words("Expected `object`")
    ('[0] must be a list of 2', 'it must be an object')
    >>> in_words("Object missing required field `u`")
    'u is missing'
    """
    if found := _MISSING.fullmatch(text):
        return f"{'.'.join(filter(None, (found['where'], found['name'])))} is missing"
    if not (fault := _FAULT.fullmatch(text)):
        return text
    where = fault["where"] or "it"
    if found := _BOUND.fullmatch(fault["what"]):
        return f"{where} must be {_SIDES[found['side']]} {_bound(found['bound'])}"
    if found := _KIND.fullmatch(fault["what"]):
        kind = " or ".join(_KINDS.get(one, one) for one in found["kind"].split(" | "))
        length = f" of {found['length']}" if found["length"] else ""
        got = f", was {_KINDS.get(found['got'], found['got'])}" if found["got"] else ""
        return f"{where} must be {kind}{length}{got}"
    return f"{where} must be {fault['what'].replace('`', '')}"


def _bound(bound: str) -> str:
    # Without the .0 of a whole one, and a very large one short.
    return bound if bound.isdecimal() else f"{float(bound):g}"
