"""Runs compared: what a journal says was decided, and where two of them part."""

import msgspec

from market.account import Account
from market.orders import Fill
from trading.decision import Decision
from trading.journal import SqlJournal
from trading.state import decode

KINDS = ("decision", "order", "fill", "drift")


def entries(journal, symbol):
    """Return ``(kind, payload)`` of everything the digest stands for, and of alarms."""
    return [(one.kind, one.payload) for one in journal.entries(symbol) if one.kind in KINDS]


def written(spec):
    """Return a journal's entries and the state it left."""
    journal = SqlJournal.open(spec.journal)
    try:
        return entries(journal, spec.symbol), decode(journal.load(spec.symbol), spec.symbol)
    finally:
        journal.close()


def decisions(found):
    return [msgspec.json.decode(text, type=Decision) for kind, text in found if kind == "decision"]


def same(found, expected, who):
    """Fail with the first entry, and its fields, in which two runs differ."""
    for i, ((kind, text), (wanted, reference)) in enumerate(zip(found, expected, strict=False)):
        assert kind == wanted, f"{who}: entry {i} is a {kind}, expected a {wanted}: {text!r}"
        if text != reference:
            got, want = msgspec.json.decode(text), msgspec.json.decode(reference)
            apart = {name: (got[name], want[name]) for name in want if got[name] != want[name]}
            raise AssertionError(f"{who}: {kind} {i} at {want['time']} differs in {apart}")
    assert len(found) == len(expected), f"{who}: {len(found)} entries, expected {len(expected)}"


def account(found, capital):
    """Return what the fills on record make of a sleeve that began with ``capital``."""
    held = Account(cash=capital)
    for kind, text in found:
        if kind == "fill":
            held = held.apply(msgspec.json.decode(text, type=Fill))
    return held
