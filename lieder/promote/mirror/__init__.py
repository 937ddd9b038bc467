"""Mirror symmetries of the parameters: made, for sparse, low-rank and merged models, or removed."""

from ._constrain import Constrained as Constrained
from ._constrain import Projected as Projected
from ._constrain import constrain as constrain
from ._defect import defect as defect
from ._layer_symmetries import permutation as permutation
from ._layer_symmetries import rescaling as rescaling
from ._layer_symmetries import rotation as rotation
from ._mirror import Mirror as Mirror
from ._mirror import entries as entries
from ._mirror import own as own
from ._remove import Shifted as Shifted
from ._remove import remove as remove
