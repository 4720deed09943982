"""What was done of a fit is kept, so that one that broke off goes on where it was."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from models.fitting.study import Result, Runner, Said, Study, Task
from models.member import Floats
from models.registry.lineage import config_digest, data_digest

__all__ = ["MOST", "kept", "prune"]

MOST = 2 << 30
"""Bytes that pieces may take on disk before the longest unused are removed."""

LATER = {
    "members", "selection", "combination", "calibration", "abstain", "regime", "gpus", "online",
    "column_drift",
}  # fmt: skip
"""Settings of an ensemble in which no fitted member has a say. A member's own, the columns chosen
for it, and the widest window are told beside the rest; whatever else there is counts in."""


class _Kept(msgspec.Struct, frozen=True):
    effort: int
    proba: bytes
    model: bytes
    rounded: bytes | None
    check: str


def kept(folder: str | Path, runner: Runner, code: str) -> Runner:
    """Let a runner do only what isn't in a folder yet, and put there what it does.

    A piece is known by everything that it is made of: dataset, member, seed, columns, the settings
    that members share, and the code. How members are put together is no part of it, so another
    combination, or one member more, does nothing twice. Only fitted members are kept; columns are
    chosen anew, in a fraction of the time. A file that is damaged, or cut short by a crash, counts
    as absent. Nothing is removed here; see :func:`prune`.

    Parameters
    ----------
    folder
        Made when first written to.
    runner
        Does what is left.
    code
        Digest of the code, as the process began with: :func:`models.registry.lineage.code_digest`.
    """

    def run(study: Study, tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        of = _digest(study, code)
        paths = [Path(folder) / f"{_name(of, study, task)}.piece" for task in tasks]
        left = []
        for number, (task, path) in enumerate(zip(tasks, paths, strict=True)):
            found = _read(path) if task.member >= 0 else None
            if found is None:
                left.append(number)
            else:
                yield number, found
        for place, result in runner(study, [tasks[number] for number in left]):
            if isinstance(result, Said):
                _write(paths[left[place]], result)
            yield left[place], result

    return run


def prune(folder: str | Path, most: int = MOST) -> int:
    """Remove the pieces that were not used for longest, until the rest takes ``most`` bytes.

    Using a piece marks its file with the time. Several processes may keep and prune at once: what
    is gone when it is wanted is done again.

    Returns
    -------
    How many files were removed, halves that a crash left among them.
    """
    found = []
    for path in Path(folder).glob("*.piece*"):
        with suppress(FileNotFoundError):
            about = path.stat()
            found.append((about.st_mtime_ns, about.st_size, path))
    total, removed = sum(size for _, size, _ in found), 0
    for _, size, path in sorted(found):
        if total <= most:
            break
        path.unlink(missing_ok=True)
        total, removed = total - size, removed + 1
    return removed


def _digest(study: Study, code: str) -> str:
    made = hashlib.sha256(data_digest(study.dataset).encode())
    shared = study.config.model_dump(mode="json", exclude=LATER)
    made.update(msgspec.json.encode([shared, study.window, study.seed], order="sorted"))
    made.update(code.encode())
    recorded = study.recorded
    if recorded is not None and study.config.augment is not None:
        told = (recorded.features, recorded.labels, recorded.every, recorded.costs)
        made.update(config_digest(*told).encode())
        for values in (recorded.tape.times, recorded.tape.values, recorded.tape.fresh):
            made.update(np.ascontiguousarray(values).tobytes())
    return made.hexdigest()


def _name(of: str, study: Study, task: Task) -> str:
    columns = None if task.chosen is None else task.chosen.names
    settings = study.config.members[task.member].model_dump(mode="json", exclude={"name"})
    told = msgspec.json.encode([of, task.fold, settings, columns, task.effort], order="sorted")
    return hashlib.sha256(told).hexdigest()[:32]


def _read(path: Path) -> Said | None:
    try:
        found = msgspec.msgpack.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if found.check != _check(found):
        return None
    with suppress(OSError):  # a folder that may only be read, or another's pruning
        os.utime(path)
    rounded = None if found.rounded is None else _floats(found.rounded)
    return Said(found.effort, _floats(found.proba), found.model, rounded)


def _write(path: Path, said: Said) -> None:
    proba = said.proba.astype("<f8").tobytes()
    rounded = None if said.rounded is None else said.rounded.astype("<f8").tobytes()
    found = _Kept(said.effort, proba, said.model, rounded, "")
    found = msgspec.structs.replace(found, check=_check(found))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".piece-{os.getpid()}")
    beside.write_bytes(msgspec.msgpack.encode(found))
    beside.rename(path)


def _floats(content: bytes) -> Floats:
    return np.frombuffer(content, "<f8").reshape(-1, 3)


def _check(found: _Kept) -> str:
    bare = msgspec.structs.replace(found, check="")
    return hashlib.sha256(msgspec.msgpack.encode(bare)).hexdigest()
