"""A trained policy as the floor runs it: ONNX Runtime, one thread, no Ray and no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import onnxruntime

from envs.spec import PolicySpec
from market.errors import SchemaMismatch, StateError

__all__ = ["OnnxPolicy"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


class OnnxPolicy:
    """Answers with the likeliest action; equal observations get equal answers.

    One with a memory (:attr:`memory` above 0) fills :class:`policies.policy.Remembering` too: its
    answers depend on what it was asked since :meth:`reset`, and on nothing else.

    Parameters
    ----------
    session
        The graph, ``observation[n, size] -> logits[n, actions]``, and with a memory
        ``state[n, memory] -> after[n, memory]`` beside it.
    name, version, spec, facts
        From the file; see :func:`policies.export.export`.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        name: str,
        version: str,
        spec: PolicySpec,
        facts: Mapping[str, str] = _NOTHING,
    ) -> None:
        self.name, self.version, self.spec, self.facts = name, version, spec, dict(facts)
        self._session = session
        shapes = {one.name: one.shape for one in session.get_inputs()}
        self.memory = int(shapes["state"][1]) if "state" in shapes else 0
        self._state = np.zeros((1, self.memory), np.float32)

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
        return cls(session, name, version, spec, facts)

    def logits(self, observations: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return ``float32[n, actions]`` for ``float32[n, size]``; a memory is empty at each."""
        given = {"observation": observations}
        if self.memory:
            given["state"] = np.zeros((len(observations), self.memory), np.float32)
        out: npt.NDArray[np.float32] = self._session.run(None, given)[0]
        return out

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Answer one observation; the first of equally likely actions."""
        if not self.memory:
            return int(self.logits(observation[None])[0].argmax())
        given = {"observation": observation[None], "state": self._state}
        logits, self._state = self._session.run(["logits", "after"], given)
        return int(logits[0].argmax())

    def reset(self) -> None:
        """Forget all that was seen."""
        self._state = np.zeros((1, self.memory), np.float32)

    def snapshot(self) -> bytes:
        """Return what is remembered; empty without a memory."""
        return self._state.astype("<f4").tobytes()

    def restore(self, snapshot: bytes) -> None:
        """Go on from what was remembered.

        Raises
        ------
        StateError
            It is another policy's.
        """
        if len(snapshot) != 4 * self.memory:
            raise StateError(
                f"{self.name}: a memory of {4 * self.memory} bytes was expected, there are "
                f"{len(snapshot)}; reset the policy instead"
            )
        self._state = np.frombuffer(snapshot, "<f4").astype(np.float32).reshape(1, -1)
