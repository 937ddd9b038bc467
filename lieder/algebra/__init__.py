"""Coefficients only, no point: named Lie algebras, their brackets, subalgebras, products and names."""

from ._affine import aff as aff
from ._affine import e as e
from ._affine import se as se
from ._affine import t as t
from ._algebra import LieAlgebra as LieAlgebra
from ._algebra import Span as Span
from ._by_name import by_name as by_name
from ._classical import gl as gl
from ._classical import heisenberg as heisenberg
from ._classical import o as o
from ._classical import scalings as scalings
from ._classical import sl as sl
from ._classical import so as so
from ._classical import sp as sp
from ._given import affine as affine
from ._given import matrices as matrices
from ._product import product as product
from ._spacetime import conformal as conformal
from ._spacetime import galilean as galilean
from ._spacetime import poincare as poincare
from ._unitary import su as su
from ._unitary import u as u
