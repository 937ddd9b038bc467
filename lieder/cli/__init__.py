"""The command line: arguments in, report out. Heavy rooms are imported when a command runs, so that --help is quick."""

from ._app import app as app
from ._app import main as main
