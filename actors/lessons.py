"""A policy's training from its first step to the exported file: the one path to it.

`pregao policy train` and the floor's trainer both call what is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from actors.schooling import note
from envs.tape import DecisionTape
from models.registry import RegistryConfig
from policies.checkpoints import Checkpoints
from policies.curriculum import Ladder
from policies.export import export
from policies.lineage import PolicyLineage
from policies.rllib import train
from policies.tracking import Tracker, flat
from policies.training import Training
from policies.world import MarketWorld

__all__ = ["TOGETHER", "school"]

TOGETHER = "floor"
"""Whose experiment a policy of several symbols is tracked in."""

Watch = Callable[[dict[str, float]], None]


def school(
    tapes: Sequence[DecisionTape],
    training: Training,
    seed: int,
    folder: Path,
    registry: RegistryConfig,
    ensembles: Mapping[str, str],
    code: str,
    watch: Watch,
    resume: bool = False,
) -> Path:
    """Train a policy, track it, export it, and note what it learnt from; Ray must be started.

    Parameters
    ----------
    tapes
        With out-of-fold predictions, one a symbol; features whose spec names no centre and scale
        get them of all these.
    training
        How.
    seed
        Of everything random in it.
    folder
        Holds its checkpoints, event files and, at the end, ``policy.onnx``.
    registry
        Where its figures are tracked.
    ensembles
        Version of the ensemble behind each symbol's tape.
    code
        Digest of the policies' code, from when the process began.
    watch
        Called after each iteration with its figures.
    resume
        Go on from the newest checkpoint.

    Returns
    -------
    Path
        The exported policy.

    Raises
    ------
    StateError
        ``resume``, and there is no checkpoint, or one of a training of other data or settings.
    """
    symbol = tapes[0].instrument.symbol if len(tapes) == 1 else TOGETHER
    training = training.fitted(tapes)
    # How long it goes on may be said anew when it is gone on with.
    lasting = training.model_copy(update={"steps": 1, "seconds": 0.0})
    made = PolicyLineage.of(tapes, lasting, seed, 0, ensembles, code)
    checkpoints = Checkpoints(folder / "checkpoints")
    saved = checkpoints.required() if resume else None
    plan = folder / "plan.json"
    if saved is None:
        checkpoints.clear()
        made.write(plan)
    else:
        made.refuse_other(plan)
    ladder = None
    if training.curriculum is not None:
        ladder = Ladder(training.curriculum, None if saved is None else saved.state.get("level"))
    world = MarketWorld(tuple(tapes), training.env, training.curriculum)
    done = 0 if saved is None else saved.steps
    # Networks this small are slower on two threads, and much slower where a core is not free.
    torch.set_num_threads(1)
    with Tracker(folder, registry, symbol, training.algorithm, flat(training), done) as tracker:

        def follow(told: dict[str, float]) -> None:
            tracker.iteration(told)
            watch(told)

        result = train(world, training, seed, folder, follow, resume, ladder)
        final = PolicyLineage.of(tapes, training, seed, result.steps, ensembles, code)
        policy = folder / "policy.onnx"
        export(result.module, policy, training.algorithm, training.env.spec, facts=final.facts())
        note(policy, tapes, final)
        tracker.keep(policy, policy.with_suffix(".json"))
    return policy
