"""Delimited text in, columns of numbers out. Only NumPy is needed, so that a mistake in a file is said at once."""

from ._columns import Columns as Columns
from ._csv import read_csv as read_csv
