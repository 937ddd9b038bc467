"""The `lieder` command and its verbs."""

import sys
import warnings
from typing import Annotated

import typer

from ._conserved import conserved
from ._discover import discover
from ._dynamics import dynamics
from ._finite import finite
from ._pde import pde
from ._promote import promote
from ._show import show

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Continuous symmetry of data, models and dynamical systems.",
)
for verb in (discover, finite, conserved, pde, dynamics, promote, show):
    app.command()(verb)


@app.command()
def version() -> None:
    """Print the version."""
    from .. import __version__

    print(__version__)


def _version(asked: bool) -> bool:
    if asked:
        version()
        raise typer.Exit
    return asked


@app.callback()
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Continuous symmetry of data, models and dynamical systems."""


def main() -> None:
    """The `lieder` command: a mistake in the arguments or the data is one line on the standard error, not a
    traceback."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: print(f"lieder: warning: {message}", file=sys.stderr)
        try:
            app()
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            sys.stderr.close()  # the interpreter would complain once more
            raise SystemExit(141) from None
        except (ValueError, TypeError, OSError, ModuleNotFoundError) as error:
            print(f"lieder: {error}", file=sys.stderr)
            raise SystemExit(2) from None
