"""Points, batches and tables: data checked, streamed and sampled; no generator is known here."""

from ._containers import check_computed as check_computed
from ._containers import check_container as check_container
from ._dimension import intrinsic_dimension as intrinsic_dimension
from ._flags import checked_flag as checked_flag
from ._neighbours import Scale as Scale
from ._neighbours import Tangents as Tangents
from ._neighbours import surface_distances as surface_distances
from ._neighbours import tangent_scale as tangent_scale
from ._neighbours import tangents as tangents
from ._outliers import apart as apart
from ._outliers import common_spread as common_spread
from ._outliers import drawn_in as drawn_in
from ._repeats import distinct_rows as distinct_rows
from ._repeats import folds as folds
from ._repeats import shuffled as shuffled
from ._reservoir import Reservoir as Reservoir
from ._stream import Stream as Stream
from ._stream import gather as gather
from ._stream import paired as paired
from ._stream import stream as stream
from ._table import Table as Table
from ._table import check_rows as check_rows
from ._table import check_size as check_size
from ._table import check_varying as check_varying
from ._table import table as table
