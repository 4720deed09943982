"""How the tests of ``pregao data`` run it."""

from __future__ import annotations

import re

from typer.testing import CliRunner

from market.plainly import console
from pregao import app


def pregao(*arguments: object) -> tuple[int, str]:
    """Run a command; return its exit code and all it says, without colours and line breaks."""
    given = [str(one) for one in arguments]
    before, console.width = console.width, 400  # no path is so long that it would be broken
    try:
        result = CliRunner().invoke(app, given)
    finally:
        console.width = before
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(re.sub(r"\x1b\[[\d;]*m", "", result.output).split())
