"""Pieces of an ensemble's fit as Ray tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import ray

from models.fitting.study import FitError, Result, Study, Task, perform
from models.nets.config import NetConfig

__all__ = ["AHEAD", "RETRIES", "InTasks", "resources"]

AHEAD = 2
"""Pieces handed to Ray for each of the cluster's cores: one at work, one to follow."""

RETRIES = 3
"""How often a piece is begun again whose process died."""

# Of a module that imports no more than a fit needs: each worker imports it.
_perform: Any = ray.remote(perform)


class InTasks:
    """Does pieces of a study in Ray tasks, side by side; see :data:`models.fitting.study.Runner`.

    The study is sent once to each node, where all tasks read the same memory. A task whose process
    dies is done again. Where one fails, or the caller goes away, no more are begun; those under way
    are let run out, as Ray ends the whole process if one is cancelled in the moment it completes.
    """

    def __init__(self) -> None:
        self._sent: tuple[Study, ray.ObjectRef[Study]] | None = None

    def __call__(self, study: Study, tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        """Do them; raises :class:`~models.fitting.study.FitError` where one can't be done."""
        shared, waiting = self._shared(study), dict[Any, int]()
        shares = [_gpus(study, task) for task in tasks]
        # Networks that wait for a GPU shall not keep others from the cores: each has a queue.
        queues = {share: deque[int]() for share in shares}
        for number, share in enumerate(shares):
            queues[share].append(number)
        try:
            while waiting or any(queues.values()):
                most = AHEAD * max(1, int(resources().get("CPU", 1.0)))
                for share, queue in queues.items():
                    begun = sum(shares[number] == share for number in waiting.values())
                    options = _perform.options(num_gpus=share, max_retries=RETRIES)
                    for _ in range(min(len(queue), most - begun)):
                        number = queue.popleft()
                        waiting[options.remote(shared, tasks[number])] = number
                (done,), _ = ray.wait(list(waiting), num_returns=1)
                number = waiting.pop(done)
                yield number, _result(done, study, tasks[number])
        finally:
            # Failures that came meanwhile are asked for: Ray prints those that nobody asks for.
            if waiting:
                for one in ray.wait(list(waiting), num_returns=len(waiting), timeout=0)[0]:
                    with suppress(ray.exceptions.RayError):
                        ray.get(one)

    def _shared(self, study: Study) -> ray.ObjectRef[Study]:
        if self._sent is None or self._sent[0] is not study:
            self._sent = None  # the last one's memory is free before this one's is taken
            self._sent = study, ray.put(study.prepared())
        return self._sent[1]


def _gpus(study: Study, task: Task) -> float:
    """Return the share of a GPU that a piece asks for: networks alone have use for one."""
    net = task.member >= 0 and isinstance(study.config.members[task.member], NetConfig)
    return study.config.gpus if net else 0.0


def _result(done: Any, study: Study, task: Task) -> Result:
    try:
        result: Result = ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        told = " ".join(str(error).split())
        raise FitError(
            f"{study.dataset.symbol}, {study.told(task)}: its process died {RETRIES + 1} times "
            f"({told}); give it more memory or leave the member out, and run again: what is done "
            "is kept"
        ) from error
    return result


def resources() -> dict[str, float]:
    """Return what the cluster has, used or not: ``CPU``, ``GPU`` and so on."""
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return found
