"""Files of tables in, columns of numbers out; records in and out, whole or not at all. Only NumPy is needed, and for a
format of its own the package that reads it, so that a mistake in a file is said at once."""

from ._columns import Columns as Columns
from ._csv import read_csv as read_csv
from ._fingerprint import fingerprint as fingerprint
from ._gridded import Gridded as Gridded
from ._gridded import read_gridded as read_gridded
from ._record import read_checkpoint as read_checkpoint
from ._record import read_record as read_record
from ._record import record_kind as record_kind
from ._record import write_record as write_record
from ._rows import Rows as Rows
from ._rows import rows as rows
from ._write import check_path as check_path
from ._write import write_text as write_text
