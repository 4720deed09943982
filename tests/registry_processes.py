"""Processes that use one registry at once, or die in it.

Run as a program: it imports MLflow once and forks, so that a dozen processes cost one start.
"""

import os
import signal
import sys
from pathlib import Path

from models.registry import Registry
from models.registry.client import _mlflow
from tests.registry_ensembles import EDGE, SCHEMA, lineage

WRITES = ("register", "put", "add", "promote", "rollback", "note", "call")


def together(root, times, *folders):
    """Let a process for each folder count and register, all at once, from nothing."""
    children = [forked(use, root, times, folder) for folder in folders]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(folders)


def use(root, times, folder):
    registry = Registry(root)
    for i in range(times):
        number = registry.tried("R_75", f"{folder} {i}")
        registry.found("R_75", number, {"sharpe": i / 10})
        registry.register("R_75", folder, {"by": i}, EDGE, lineage())


def killed(root, folder, act, every):
    """Let processes register, or promote, each killed a few lines later than the one before.

    Between two of them another looks at what is left: nothing that isn't whole.
    """
    at, died = 1, True
    while died and at < 100:  # a registration is some 40 lines
        status = os.waitpid(forked(dying, root, folder, act, at), 0)[1]
        died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert died or status == 0, status
        look(root)
        at += every
    assert not died


def dying(root, folder, act, at):
    left = at

    def count(frame, event, argument):
        nonlocal left
        if "models/registry" not in frame.f_code.co_filename or frame.f_code.co_name not in WRITES:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return count

    registry = Registry(root)
    if act == "rollback":  # there must be one to go back to, however many went back before
        registry.promote("R_75", 1)
        registry.promote("R_75", 2)
    sys.settrace(count)
    if act == "register":
        registry.register("R_75", folder, {"log_loss": 1.0}, EDGE, lineage())
    elif act == "rollback":
        registry.rollback("R_75")
    else:
        registry.promote("R_75", 2 if registry.resolve("R_75", "champion").number == 1 else 1)
    sys.settrace(None)


def look(root):
    with Registry(root) as registry:  # closed: a fork must not share a database
        entries = registry.list()
        for entry in (*entries[:1], *entries[-1:]):
            registry.fetch(entry, Path(root).parent / "fetched" / entry.run, SCHEMA)
        assert registry.trials("R_75") >= 3
        if any("champion" in one.aliases for one in entries):
            assert registry.resolve("R_75", "champion").promoted


def forked(call, *arguments):
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        call(*arguments)
        status = 0
    finally:
        sys.stdout.flush()
        os._exit(status)


if __name__ == "__main__":
    _mlflow()
    often, root, *folders = int(sys.argv[1]), *sys.argv[2:]
    together(root, often, *folders)
    # the more often, the fewer lines lie between one death and the next
    killed(root, folders[0], "register", every=max(21 // often**2, 1))
    with Registry(root) as before:
        for number in (1, 2, 1):
            before.promote("R_75", number)
    killed(root, folders[0], "promote", every=max(12 // often**2, 1))
    killed(root, folders[0], "rollback", every=max(14 // often**2, 1))
