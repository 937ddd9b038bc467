"""Discover: which generators are symmetries of a model, a data set, a cloud or a dynamical system, and how sure that
is."""

from typing import TYPE_CHECKING

from ..late import door as _door
from ._certificate import Certificate as Certificate
from ._cloud import cloud as cloud
from ._cloud import graph as graph
from ._conserved import conserved as conserved
from ._conserved_evidence import ConservedEvidence as ConservedEvidence
from ._conserved_record import Conserved as Conserved
from ._dataset import dataset as dataset
from ._dimensionless import Dimensionless as Dimensionless
from ._dimensionless import dimensionless as dimensionless
from ._evidence import Evidence as Evidence
from ._evidence import Verdict as Verdict
from ._finite_search import finite_search as finite_search
from ._finite_symmetries import FiniteSymmetries as FiniteSymmetries
from ._function import function as function
from ._group import finite as finite
from ._group_decision import FiniteEvidence as FiniteEvidence
from ._level_set import level_set as level_set
from ._noether import noether as noether
from ._pairs import Learnt as Learnt
from ._pairs import Pairs as Pairs
from ._pairs import pairs as pairs
from ._part import Part as Part
from ._part import merge as merge
from ._part import reduce as reduce
from ._part import units as units
from ._pde import pde as pde
from ._section import section as section
from ._symmetries import Symmetries as Symmetries
from ._vector_field import vector_field as vector_field

# Verbs of the room above, `learn`, that are met here. Each is also imported below `if TYPE_CHECKING`, for checkers.
if TYPE_CHECKING:
    from ..learn import Encoding as Encoding
    from ..learn import Losses as Losses
    from ..learn import adversarial as adversarial
    from ..learn import generative as generative
    from ..learn import latent as latent

_LEARNT = {name: "lieder.learn" for name in ("Encoding", "Losses", "adversarial", "generative", "latent")}

__getattr__ = _door(__name__, _LEARNT)
