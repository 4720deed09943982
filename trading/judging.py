"""One look at a hold-out: counted, traded by the very trader, judged, and written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from features.labels import LabelConfig
from market.beside import Beside
from market.errors import PregaoError
from market.tape import Tape
from models import card as cards
from models.registry import Entry, Registry, Trial
from risk.lease import Condition
from trading.desk import DeskSpec
from trading.eligible import reaches
from trading.holdout import gather, traded
from trading.rival import Rival
from validation.evidence import Evidence
from validation.gate import GateConfig, judge
from validation.report import write
from validation.verdict import Verdict
from venues.library.words import moment

__all__ = ["BEGIN", "END", "Judgement", "Terms", "examine", "looks"]

BEGIN, END = "holdout_begin", "holdout_end"
"""Figures of a trial that say what it was judged by, seconds since 1970."""


@dataclass(frozen=True)
class Terms:
    """What everybody on a floor is judged by.

    Parameters
    ----------
    gate, labels
        Settings.
    names
        Every symbol of the floor: they share its limits.
    models
        Folder into which a champion's files are fetched.
    seed
        Of the gate's resampling.
    """

    gate: GateConfig
    labels: LabelConfig
    names: tuple[str, ...]
    models: Path
    seed: int


@dataclass(frozen=True)
class Judgement:
    """What came of a look at a hold-out.

    Parameters
    ----------
    entry
        What was judged, with the verdict beside it.
    verdict, evidence
        The gate's, and what it rests on.
    policy
        Who traded.
    trial
        Its number among everything ever judged on the symbol.
    before
        Trials before it that had looked at this hold-out, or a part of it.
    begin, end
        Venue time of the hold-out.
    incomparable
        Why the champion, if there is one, is not compared with.
    halted
        Whether a circuit breaker had ended trading before the hold-out's end.
    """

    entry: Entry
    verdict: Verdict
    evidence: Evidence
    policy: str
    trial: int
    before: int
    begin: int
    end: int
    incomparable: str = ""
    halted: bool = False

    @property
    def title(self) -> str:
        """What was judged, by what, as the how-manieth; in one line."""
        one = self.entry
        return (
            f"{one.symbol} {one.number} ({one.version}), traded by {self.policy} from "
            f"{moment(self.begin)} to {moment(self.end)}, trial {self.trial}"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know besides."""
        notes = []
        if self.before:
            notes.append(
                f"this hold-out was looked at by {self.before} "
                f"{'trial' if self.before == 1 else 'trials'} before: it is no longer untouched, "
                f"and the deflated Sharpe ratio counts {self.trial}; later data would be"
            )
        if self.halted:
            notes.append(
                "a circuit breaker of the floor's risk limits halted trading before the end: what "
                "follows is flat, and round trips and drawdown are of what came before"
            )
        if self.incomparable:
            notes.append(f"not compared with the champion: {self.incomparable}")
        return tuple(notes)

    def plain(self) -> dict[str, Any]:
        """Return the verdict, and under what terms it was found, for a registry and as JSON."""
        return self.verdict.as_dict() | {
            "policy": self.policy,
            "trial": self.trial,
            "looks_before": self.before,
            "holdout": [moment(self.begin), moment(self.end)],
            "notes": list(self.notes),
        }

    def report(self, folder: Path) -> Path:
        """Write JSON and the HTML page, named by version and trial; return the page's path."""
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / f"{self.entry.symbol}-{self.entry.number}-trial-{self.trial}.html"
        told = {"symbol": self.entry.symbol, "number": self.entry.number}
        told |= {"version": self.entry.version} | self.plain()
        page.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(told)))
        write(page, self.evidence, self.verdict, self.title, self.notes)
        return page


def examine(
    registry: Registry,
    entry: Entry,
    desk: DeskSpec,
    terms: Terms,
    unseen: int,
    tape: Tape,
    beside: Beside,
) -> Judgement:
    """Count a trial, run a desk over the hold-out, ask the gate, and put its verdict on the entry.

    Parameters
    ----------
    registry
        Counts the trial **before** anything is run, and keeps the verdict.
    entry
        The registered ensemble of the desk.
    desk
        Begun at the hold-out, see :meth:`~trading.desk.DeskSpec.beginning`.
    unseen
        Venue time behind which the hold-out lies.
    tape, beside
        The recording, from its beginning.
    """
    symbol, end = entry.symbol, int(tape.times[-1])
    earlier = registry.trial_figures(symbol)
    span = {BEGIN: unseen / 1e9, END: end / 1e9}
    number = registry.tried(symbol, f"{entry.version} by {desk.policy}", span, registered=True)
    sleeve = traded(desk, tape, beside, terms.names)
    rival, incomparable = _champion(registry, entry, desk, terms, unseen, tape, beside)
    evidence = gather(
        sleeve,
        tape.after(desk.warm_from),
        desk.features,
        terms.labels,
        desk.every,
        np.array(cards.read(desk.model)[0].frequencies),
        number,
        beside.after(desk.warm_from),
        [one.figures.get("sharpe", math.nan) for one in earlier],
        rival,
    )
    lease = sleeve.trader.lease
    verdict = judge(evidence, terms.gate, np.random.default_rng(terms.seed))
    registry.found(symbol, number, verdict.figures)
    found = Judgement(
        entry=entry,
        verdict=verdict,
        evidence=evidence,
        policy=desk.policy,
        trial=number,
        before=looks(earlier, span),
        begin=unseen + 1,
        end=end,
        incomparable=incomparable,
        halted=lease is not None and lease.state is Condition.HALTED,
    )
    return replace(found, entry=registry.attach_verdict(symbol, entry.number, found.plain()))


def looks(earlier: Sequence[Trial], span: dict[str, float]) -> int:
    """Count the trials whose hold-out has a part of this one's."""
    return sum(
        one.figures.get(BEGIN, math.inf) < span[END] and one.figures.get(END, 0.0) > span[BEGIN]
        for one in earlier
    )


def _champion(
    registry: Registry,
    entry: Entry,
    desk: DeskSpec,
    terms: Terms,
    unseen: int,
    tape: Tape,
    beside: Beside,
) -> tuple[Rival | None, str]:
    """Run the champion as the same desk over the same hold-out; else say why that can't be.

    Nobody is compared with itself.
    """
    held = [one for one in registry.list(entry.symbol) if "champion" in one.aliases]
    if not held or held[0].number == entry.number:
        return None, ""
    name = f"champion {held[0].number}"
    try:
        found = registry.resolve(entry.symbol, "champion")
        model = registry.fetch(found, terms.models / entry.symbol, entry.schema)
        card, _ = cards.read(model)
        if (card.every, card.labels) != (desk.every, terms.labels.model_dump(mode="json")):
            return None, f"{name} foretells something else, or on another clock"
        if reaches(card, tape, unseen):
            return None, f"{name} has learnt from this hold-out"
        sleeve = traded(
            replace(desk, model=model).beginning(tape, unseen), tape, beside, terms.names
        )
    except PregaoError as error:
        return None, str(error)
    return Rival(f"{name} ({found.version})", sleeve, card.frequencies), ""
