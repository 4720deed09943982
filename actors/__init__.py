"""Thin Ray shells around the loop: symbol, supervisor, collector, trainer, start-up."""

import os
import sys

# Ray settles its authentication mode while it is imported, and a driver that disagrees with its
# cluster about it only learns "failed to connect" after twenty seconds: so it is set on purpose,
# before any module of this room imports Ray, and left alone where Ray was there first.
if "ray" not in sys.modules:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    os.environ.setdefault("RAY_AUTH_MODE", "token")
