"""Whether there was enough of everything to tell."""

from __future__ import annotations

from validation.evidence import Evidence
from validation.gate.config import GateConfig
from validation.gate.finding import Finding
from validation.verdict import Check

__all__ = ["jumps", "trades"]


def trades(evidence: Evidence, config: GateConfig) -> Finding:
    """Ask for round trips."""
    text = f"{evidence.trades} round trips; needs at least {config.min_trades}"
    passed = bool(evidence.trades >= config.min_trades)
    check = Check("trades", passed, text, "inconclusive")
    return Finding(check, {"trades": float(evidence.trades)})


def jumps(evidence: Evidence, config: GateConfig) -> Finding:
    """Ask for jumps, where a market lives by them."""
    if evidence.jumps is None:
        return Finding(Check("jumps", True, "not a jump market", "inconclusive"), {})
    text = (
        f"{evidence.jumps} jumps; needs at least {config.min_jumps} to tell skill from drift "
        "between them"
    )
    passed = bool(evidence.jumps >= config.min_jumps)
    return Finding(Check("jumps", passed, text, "inconclusive"), {"jumps": float(evidence.jumps)})
