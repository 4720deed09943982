"""Entropy of the directions: how predictable the words are that up, flat and down moves spell.

Three moves are a word. The window's words are counted as they come and go, and ``c log2 c`` of each
count is looked up, so that no event costs a logarithm. Prices that never stand still know but 8 of
the 27 words, whose entropy is at most .63 of the most there is: compare a symbol with itself.
"""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, back

__all__ = ["FAMILIES"]

_WORDS = 27
_HEAD = 4
"""The newest word, the one forgotten last, the running sum of ``c log2 c``, and how many words it
has run for; then ``c``, how often each word is in the window."""
_TABLE = 3
"""In the parameters: ``n``, its log2, the most bits there can be; then ``c log2 c``, c = 0 … n."""


@compiled
def _spelled(word: float, change: float) -> int:
    """Return the word that follows when the price changes so."""
    return (int(word) * 3 + 1 + int(change > 0.0) - int(change < 0.0)) % _WORDS


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    count = int(h[COUNT])
    n = int(param[0])
    if count < 2:
        return
    new = _spelled(state[0], h[CHANGE])
    state[0] = new
    if count < 4:
        return
    if count >= n + 2:
        state[1] = _spelled(state[1], back(h, CHANGE, n))
    if count >= n + 4:
        old = _HEAD + int(state[1])
        kept = int(state[old]) - 1
        state[2] += param[_TABLE + kept] - param[_TABLE + kept + 1]
        state[old] = kept
    seen = int(state[_HEAD + new]) + 1
    state[_HEAD + new] = seen
    state[2] += param[_TABLE + seen] - param[_TABLE + seen - 1]
    state[3] += 1.0
    if state[3] >= n:
        # summed anew now and then, so that rounding errors don't gather
        state[3] = fresh = 0.0
        for word in range(_WORDS):
            fresh += param[_TABLE + int(state[_HEAD + word])]
        state[2] = fresh
    out[0] = min(max((param[1] - state[2] / n) / param[2], 0.0), 1.0)


def _params(args: Args) -> tuple[float, ...]:
    n = args[0]
    most = math.log2(min(n, _WORDS))
    return float(n), math.log2(n), most, *(c * math.log2(c or 1) for c in range(n + 1))


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "entropy_{n}",
                "-sum p log2 p / log2 min(n, 27), p the shares of the 27 words of three successive "
                "directions (up, flat, down) among the last n words",
                low=0.0,
                high=1.0,
            ),
        ),
        source="Shannon (1948); López de Prado (2018), 18.2",
        fields=("n",),
        defaults=((128,),),
        params=_params,
        size=lambda args: _HEAD + _WORDS,
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 3,
        least=(2,),
    ),
)
