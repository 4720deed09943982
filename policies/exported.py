"""A trained policy as the floor runs it: ONNX Runtime, one thread, no Ray and no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from envs.spec import PolicySpec
from market.errors import SchemaMismatch, StateError

__all__ = ["OnnxPolicy"]


class OnnxPolicy:
    """Answers with the likeliest action; equal observations get equal answers.

    Parameters
    ----------
    session
        The graph, ``observation[n, SIZE] -> logits[n, actions]``.
    name, version, spec
        From the file; see :func:`policies.export.export`.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, name: str, version: str, spec: PolicySpec
    ) -> None:
        self.name, self.version, self.spec = name, version, spec
        self._session = session

    @classmethod
    def load(cls, path: Path) -> OnnxPolicy:
        """Load an exported policy.

        Raises
        ------
        StateError
            The file is missing, damaged, or not an exported policy.
        SchemaMismatch
            It was made for another observation.
        """
        if not path.is_file():
            raise StateError(f"no policy at {path}; train one first")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            # From memory: read from a path, a graph could pull in files beside it.
            session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
            facts = session.get_modelmeta().custom_metadata_map
            name, version = facts["name"], facts["version"]
            spec, schema = PolicySpec.model_validate_json(facts["spec"]), facts["schema"]
        except KeyError as error:
            raise StateError(f"{path}: not an exported policy, it doesn't say {error}") from error
        except Exception as error:  # the runtime's own exceptions share no narrower base
            raise StateError(f"{path}: can't be read ({error}); export it again") from error
        if schema != spec.digest:
            raise SchemaMismatch(
                f"{path}: made for observation {schema}, this is {spec.digest}; train it again"
            )
        return cls(session, name, version, spec)

    def logits(self, observations: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return ``float32[n, actions]`` for ``float32[n, SIZE]``."""
        out: npt.NDArray[np.float32] = self._session.run(None, {"observation": observations})[0]
        return out

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Answer one observation; the first of equally likely actions."""
        return int(self.logits(observation[None])[0].argmax())
