"""The registry: every ensemble that was kept, every trial there was, and who is champion."""

from models.registry.config import RegistryConfig
from models.registry.entry import ALIASES, Entry, Move, Trial
from models.registry.lineage import Lineage
from models.registry.registry import Registry

__all__ = ["ALIASES", "Entry", "Lineage", "Move", "Registry", "RegistryConfig", "Trial"]
