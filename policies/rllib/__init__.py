"""Training on Ray's RLlib, with a path of whole arrays where its own goes item by item."""

from policies.rllib.train import TrainingResult, build, train

__all__ = ["TrainingResult", "build", "train"]
