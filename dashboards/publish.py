"""Put the board into a Grafana: ``GRAFANA_TOKEN=... python -m dashboards.publish URL [FOLDER]``."""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

from grafana_api.grafana_api import GrafanaException
from grafana_api.grafana_face import GrafanaFace
from requests import RequestException

from dashboards.board import board
from market.errors import ConfigError, PregaoError, VenueRejected, VenueUnreachable
from market.shown import without_secrets

__all__ = ["publish"]


def publish(url: str, token: str, folder: str | None = None) -> str:
    """Create the board or overwrite it, and return its address.

    Parameters
    ----------
    url
        Where Grafana answers; a path in it is kept.
    token
        A service account's token, with the right to edit boards.
    folder
        UID of the folder to put it in; Grafana's general folder by default.

    Raises
    ------
    ConfigError
        ``url`` is none, or ``token`` is empty.
    VenueUnreachable
        Nothing answers there.
    VenueRejected
        Grafana refused, and in what words.
    """
    where, address = urlsplit(url), without_secrets(url)
    if where.scheme not in ("http", "https") or not where.hostname:
        raise ConfigError(f"Grafana's address must look like http://host:3000, was {address!r}")
    if not token:
        raise ConfigError("GRAFANA_TOKEN must hold a service account's token; it is not set")
    grafana = GrafanaFace(
        auth=token,
        host=where.hostname,
        port=where.port,
        url_path_prefix=where.path.strip("/") + "/" if where.path.strip("/") else "",
        protocol=where.scheme,
    )
    request = {"dashboard": board(), "overwrite": True, "message": "from dashboards/board.py"}
    if folder is not None:
        request["folderUid"] = folder
    try:
        answer = grafana.dashboard.update_dashboard(request)
    except GrafanaException as error:
        # For some codes the client keeps its own word as the message, and Grafana's in the answer.
        said = error.response.get("message") if isinstance(error.response, dict) else None
        raise VenueRejected(f"Grafana {error.status_code}", str(said or error.message)) from error
    except RequestException as error:
        raise VenueUnreachable(
            f"no Grafana answers at {url}: is it up, is the port right?"
        ) from error
    return f"{where.scheme}://{where.netloc}{answer['url']}"


def main(arguments: list[str]) -> int:
    """Run from the command line; the token comes from the environment alone."""
    if len(arguments) not in (1, 2):
        sys.stderr.write("usage: GRAFANA_TOKEN=... python -m dashboards.publish URL [FOLDER_UID]\n")
        return 2
    try:
        address = publish(arguments[0], os.environ.get("GRAFANA_TOKEN", ""), *arguments[1:])
    except PregaoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{address}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
