"""Policies anybody must beat: rules in the open, without a thing that was trained."""

from collections.abc import Callable

from policies.baselines.bracket import Bracket
from policies.baselines.follow import Follow
from policies.baselines.plain import Flat, Hold, Probe
from policies.baselines.sizing import KellyFraction, VolatilityTarget
from policies.baselines.zones import Patient, Zone
from policies.policy import Policy

__all__ = [
    "BASELINES",
    "Bracket",
    "Flat",
    "Follow",
    "Hold",
    "KellyFraction",
    "Patient",
    "Probe",
    "VolatilityTarget",
    "Zone",
]

BASELINES: dict[str, Callable[[], Policy]] = {
    "flat": Flat,
    "hold": Hold,
    "follow": Follow,
    "bracket": Bracket,
    "volatility-target": VolatilityTarget,
    "kelly": KellyFraction,
    "zone": Zone,
    "patient": Patient,
}
"""Those that a trained policy is shown beside, by name, each as it is without being told more."""
