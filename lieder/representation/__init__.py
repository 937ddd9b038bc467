"""Representation theory of stacks of matrices: summands, irreducible pieces, Schur's lemma, intertwining maps."""

from ._intertwiners import intertwiners as intertwiners
from ._irreducible import Isotypic as Isotypic
from ._irreducible import NotSplit as NotSplit
from ._irreducible import irreducible as irreducible
from ._maps import AbstractMaps as AbstractMaps
from ._probe import Probe as Probe
from ._probe import probe as probe
from ._summands import Summand as Summand
from ._summands import summands as summands
