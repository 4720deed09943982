"""From the trained module to a file that any machine can run without Ray or torch."""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import onnx
import torch
from gymnasium.spaces import Box
from onnx import helper
from ray.rllib.core.rl_module.rl_module import RLModule
from torch import Tensor, nn

from envs.spec import PolicySpec
from market.errors import StateError
from policies.network import Design, Network

__all__ = ["export"]

_OPSET = 17
_NOTHING: Mapping[str, str] = MappingProxyType({})


class _Answers(nn.Module):
    """A network as it is asked: masks and bounds included, value and exploration left behind."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, observation: Tensor, state: Tensor | None = None) -> Any:
        """Return what is answered, and with a memory its next state."""
        network = self.network
        if state is None:
            return self._final(network.answer(observation), observation)
        answer, _, after = network.step(observation, state)
        return self._final(answer, observation), after

    def _final(self, answer: Tensor, observation: Tensor) -> Tensor:
        if self.network.design.low:
            return self.network.bounded(answer)
        if self.network.design.spec is None:
            return answer
        return self.network.masked(answer, self.network.allowed(observation))


class _Foreign(_Answers):
    """RLlib's own DQN or SAC module: its expected returns, or the middle of its actions."""

    def __init__(self, module: Any, design: Design) -> None:
        super().__init__(Network(design))
        self.module = module

    def forward(self, observation: Tensor, state: Tensor | None = None) -> Tensor:
        """Return what is answered."""
        if self.network.design.low:
            encoded = self.module.pi_encoder({"obs": observation})["encoder_out"]
            return self.network.bounded(self.module.pi(encoded).chunk(2, -1)[0])
        # RLlib's own sum ignores infinite advantages, which an exporter can't and these needn't.
        encoded = self.module.encoder({"obs": observation})["encoder_out"]
        better = self.module.af(encoded)
        worth = self.module.vf(encoded) + better - better.mean(-1, keepdim=True)
        return self._final(worth, observation)


def export(
    module: Path,
    path: Path,
    name: str,
    spec: PolicySpec | None = None,
    schema: str = "",
    facts: Mapping[str, str] = _NOTHING,
) -> str:
    """Write a trained policy as ONNX; return its version.

    The graph is ``observation float32[n, size] -> logits float32[n, actions]``, or, where actions
    are continuous, ``-> action float32[n, k]``, the middle of what is tried, within its bounds.
    With a memory it takes ``state float32[n, memory]`` besides and returns ``after``, the next.
    Masks are part of it. Value network and exploration stay behind.

    Parameters
    ----------
    module
        Folder of RLlib's module, see :class:`policies.rllib.TrainingResult`.
    path
        File to write, whole or not at all.
    name
        What the policy is called from now on.
    spec
        What it was trained for; without one, what its masks are of, and then the default.
    schema
        Of a world that is no market: kept instead of a spec, and no trader takes the policy.
    facts
        Kept in the file beside all that; :attr:`policies.exported.OnnxPolicy.facts` has them.

    Raises
    ------
    StateError
        There is no module in the folder, or it was made for something else than ``spec``.
    """
    if not module.is_dir():
        raise StateError(f"no trained module in {module}; train a policy first")
    trained: Any = RLModule.from_checkpoint(str(module.resolve()))
    answers = _answers(trained, None if schema else spec or PolicySpec())
    design = answers.network.design
    if not schema:
        spec = spec or design.spec or PolicySpec()
        spec.refuse_waiting()
        if (spec.size, len(spec.table)) != (design.size, design.outputs):
            raise StateError(
                f"{module}: sees {design.size} numbers and has {design.outputs} answers, the spec "
                f"has {spec.size} and {len(spec.table)}; give the spec it was trained for"
            )
        schema = spec.digest
    digest = hashlib.sha256(f"{schema}{design}".encode())
    for key, values in trained.state_dict().items():
        digest.update(key.encode() + values.cpu().numpy().tobytes())
    version = digest.hexdigest()[:12]
    model = _graph(answers)
    told = dict(facts) | {"name": name, "version": version, "schema": schema}
    if spec is not None:
        told |= {"spec": spec.model_dump_json(), "components": json.dumps(spec.names)}
    helper.set_model_props(model, told)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".part")
    with scratch.open("wb") as file:
        file.write(model.SerializeToString())
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    return version


def _answers(trained: Any, spec: PolicySpec | None) -> _Answers:
    """Return what is asked of a module, ours or RLlib's own."""
    if isinstance(getattr(trained, "network", None), Network):
        return _Answers(trained.network).eval()
    size = int(trained.observation_space.shape[0])
    if isinstance(trained.action_space, Box):
        low, high = trained.action_space.low, trained.action_space.high
        design = Design(size, len(low), low=tuple(low), high=tuple(high), squash=True)
    else:
        design = Design(size, int(trained.action_space.n), spec=spec)
    return _Foreign(trained, design).eval()


def _graph(answers: _Answers) -> onnx.ModelProto:
    """Trace the network.

    torch's own successor of this exporter needs a package more, and this one is all that a chain
    of layers and a memory ask for.
    """
    network, file = answers.network, io.BytesIO()
    write: Any = torch.onnx.export  # its annotations don't know files in memory
    inputs: tuple[Tensor, ...] = (torch.zeros(2, network.design.size),)
    names = ["observation", "action" if network.design.low else "logits"]
    if network.memory:
        inputs += (torch.zeros(2, network.memory),)
        names = ["observation", "state", names[1], "after"]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        write(
            answers,
            inputs,
            file,
            input_names=names[: len(inputs)],
            output_names=names[len(inputs) :],
            dynamic_axes={one: {0: "n"} for one in names},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(file.getvalue())
    model.ir_version = 9
    return model
