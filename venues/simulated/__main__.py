"""Run the bundled exchange: ``python -m venues.simulated --config configs/exchange.yaml``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import threading
from pathlib import Path

from market.config import load
from market.errors import PregaoError
from venues.simulated.config import ExchangeConfig
from venues.simulated.exchange import Exchange

__all__ = ["main"]


async def _serve(config: ExchangeConfig, until_eof: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stopped.set)

    if until_eof:
        threading.Thread(target=watch, daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with Exchange(config) as exchange:
        # At once: whoever starts this process waits for these lines to learn the ports.
        for venue, url in exchange.urls.items():
            sys.stdout.write(f"{venue} listens on {url}\n")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await stopped.wait()


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m venues.simulated", description=__doc__)
    parser.add_argument("--config", type=Path, help="YAML with the exchange's settings")
    parser.add_argument(
        "--until-eof",
        action="store_true",
        help="stop when standard input ends, as it does when "
        "the process that started this one is gone",
    )
    options = parser.parse_args(arguments)
    try:
        config = load(options.config, ExchangeConfig) if options.config else ExchangeConfig()
        asyncio.run(_serve(config, options.until_eof))
    except PregaoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
