"""A generator and a point: representations, lifts, candidate fields, products, finite flows."""

from ._abstract import AbstractAction as AbstractAction
from ._abstract import AbstractFibreAction as AbstractFibreAction
from ._bracket import bracket_constants as bracket_constants
from ._families import dictionary_fields as dictionary_fields
from ._families import fields as fields
from ._families import polynomial_fields as polynomial_fields
from ._fields import FieldAction as FieldAction
from ._fields import scalars as scalars
from ._flow import flow as flow
from ._flow import orbits as orbits
from ._flow import velocities as velocities
from ._grammar import parse as parse
from ._lifts import Lift as Lift
from ._lifts import cotangent as cotangent
from ._lifts import density as density
from ._lifts import tangent as tangent
from ._lifts import tensor as tensor
from ._representations import covectors as covectors
from ._representations import independent as independent
from ._representations import linear as linear
from ._representations import points as points
from ._representations import tensors as tensors
from ._representations import vectors as vectors
from ._total import TotalAction as TotalAction
from ._total import check_same_algebra as check_same_algebra
from ._total import total as total
