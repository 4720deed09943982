"""What a configuration file holds: a floor, and the door it is served through."""

from __future__ import annotations

from actors.config import FloorConfig
from serve.config import ServeConfig

__all__ = ["FileConfig"]


class FileConfig(FloorConfig):
    """A whole configuration file.

    Parameters
    ----------
    serve
        HTTP and WebSocket door.
    """

    serve: ServeConfig = ServeConfig(model_dirs={})

    @property
    def floor(self) -> FloorConfig:
        """The floor alone, which is what its actors are given."""
        return FloorConfig(**{name: getattr(self, name) for name in FloorConfig.model_fields})

    @property
    def ports(self) -> dict[str, int]:
        """Every port the floor listens on, by the key that changes it."""
        ports = {"serve.port": self.serve.port, "ray.metrics_port": self.ray.metrics_port}
        if self.exchange is not None:
            ports |= self.exchange.ports
        return ports
