"""Linear families of functions: polynomials, Fourier, radial, the user's own, and sums of them."""

from ._blocks import Blocks as Blocks
from ._blocks import blocks as blocks
from ._dictionary import AbstractDictionary as AbstractDictionary
from ._formulas import Formulas as Formulas
from ._formulas import formulas as formulas
from ._fourier import Fourier as Fourier
from ._fourier import fourier as fourier
from ._functions import Functions as Functions
from ._functions import functions as functions
from ._linear import Affine as Affine
from ._linear import Linear as Linear
from ._linear import affine as affine
from ._linear import linear as linear
from ._names import by_name as by_name
from ._polynomials import Polynomials as Polynomials
from ._polynomials import polynomials as polynomials
from ._radial import Radial as Radial
from ._radial import radial as radial
from ._read import read as read
from ._sized import sized as sized
from ._sum import sum_text as sum_text
from ._union import Union as Union
from ._union import union as union
