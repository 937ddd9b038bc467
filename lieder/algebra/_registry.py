"""The one list of algebras known by name: constructors enter it with a decorator."""

from collections.abc import Callable
from operator import index
from typing import Any, TypeVar

_Constructor = TypeVar("_Constructor", bound=Callable[..., Any])

# Name -> constructor. `by_name` reads it and `identify` compares with what it builds, in order of entry.
NAMED: dict[str, Callable[..., Any]] = {}


def named(constructor: _Constructor) -> _Constructor:
    """Enter a constructor into the list under its own name."""
    NAMED[constructor.__name__] = constructor
    return constructor


# Name -> constructor of other finite groups of one size. No algebra is compared with them.
SIZED: dict[str, Callable[..., Any]] = {}


def sized(constructor: _Constructor) -> _Constructor:
    """Enter a constructor into the list of finite groups known by a name and a size."""
    SIZED[constructor.__name__] = constructor
    return constructor


# Letter -> constructor of a finite group, "S" in "S_5". No algebra is compared with them.
FINITE: dict[str, Callable[..., Any]] = {}


def finite(letter: str) -> Callable[[_Constructor], _Constructor]:
    """Enter a constructor into the list of finite groups."""

    def enter(constructor: _Constructor) -> _Constructor:
        FINITE[letter] = constructor
        return constructor

    return enter


def size(n: int, of: str, least: int = 1) -> int:
    """Check the size in `gl(n)`; `of` is how the call is written in the message.

    Returns: n as a Python int.
    Raises: TypeError if n is not an integer, ValueError if it is below `least`.
    """
    try:
        if isinstance(n, bool):
            raise TypeError
        n = index(n)
    except TypeError:
        raise TypeError(f"{of} needs a whole number, got {n!r} of type {type(n).__name__}") from None
    if n < least:
        raise ValueError(f"{of} needs a size of at least {least}, got {n}")
    return n


def numbered(letter: str, *indices: int, of: int) -> str:
    """A generator's name from coordinate numbers, counted from 1: "J12", or "J1,12" in more than 9 coordinates."""
    return letter + ("," if of > 9 else "").join(str(i) for i in indices)
