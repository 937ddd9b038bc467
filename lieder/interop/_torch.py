"""torch modules: exact Jacobians by torch.func, on the module's own device and in its own precision."""

import copy
import importlib
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..files import fingerprint
from ._foreign import ForeignModel, ancestors


def is_torch(obj) -> bool:
    """Whether an object is a torch module.

    Returns: True for instances of `torch.nn.Module`; torch is not imported for it.
    """
    return any(module.split(".")[0] == "torch" and name == "Module" for module, name in ancestors(obj))


def from_torch(module) -> ForeignModel:
    """A torch module as a model with exact Jacobians (`torch.func`, reverse or forward mode by the smaller side).

    The module is copied and put in evaluation mode: dropout and batch statistics are off, and later training does not
    change the model. It is called on batches (B, n), as torch modules are.

    Arguments: `module`, from (B, n) to (B, m) or (B,).
    Returns: the model; its answers have the precision of the module's parameters.
    Raises: ImportError when torch is not installed; TypeError when `module` is not a torch module.
    """
    if not is_torch(module):
        raise TypeError(f"module: expected a torch.nn.Module, got {type(module).__name__}.")
    try:
        torch = importlib.import_module("torch")
    except ImportError as fault:
        raise ImportError("torch is not installed; get it with: pip install 'lieder[torch]'") from fault
    frozen = copy.deepcopy(module).eval().requires_grad_(False)
    held = next(iter(frozen.parameters()), torch.zeros(()))
    batch = _Module(torch, frozen, held.dtype, held.device)
    return ForeignModel(batch.values, batch.jacobians, "exact (torch.func)", mark=batch.mark)


@dataclass(frozen=True, eq=False)
class _Module:
    torch: ModuleType
    module: Any
    dtype: Any
    device: Any

    def values(self, x: np.ndarray) -> np.ndarray:
        with self.torch.no_grad():
            return self.module(self._tensor(x)).reshape(len(x), -1).cpu().numpy()

    def jacobians(self, x: np.ndarray) -> np.ndarray:
        func = self.torch.func
        outputs = self.values(x[:1]).shape[1]
        differentiate = func.jacrev if outputs <= x.shape[1] else func.jacfwd
        # One example is a batch of one: modules are written for batches.
        one = differentiate(lambda row: self.module(row[None]).reshape(-1))
        with warnings.catch_warnings():
            # torch's own, on loading forward mode: nothing that the user could change.
            warnings.filterwarnings("ignore", category=FutureWarning, module="torch")
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="torch")
            return func.vmap(one)(self._tensor(x)).detach().cpu().numpy()

    def mark(self) -> str:
        """Of its class and parts, as they are printed, and of their numbers."""
        kind, state = type(self.module), self.module.state_dict()
        # Doubles hold numbers of all kinds that modules have, of some of which NumPy knows nothing.
        numbers = [one.double().cpu().numpy() for one in state.values()]
        kinds = [f"{name} {one.dtype}" for name, one in state.items()]
        return fingerprint(f"{kind.__module__}.{kind.__qualname__}: {self.module}", *kinds, *numbers)

    def _tensor(self, x: np.ndarray):
        return self.torch.as_tensor(np.array(x), dtype=self.dtype, device=self.device)
