"""A dictionary that is fixed, or one that takes its width from the data."""

from collections.abc import Callable

from ._dictionary import AbstractDictionary
from ._names import by_name


def sized(given: "AbstractDictionary | str | Callable[[int], AbstractDictionary]", width: int) -> AbstractDictionary:
    """The dictionary on `width` variables.

    Arguments: `given`, a dictionary; or its text without the width, as `by_name` reads it ("polynomials(2)"); or a
    function from the width to a dictionary, such as `lambda n: ld.dictionary.fourier(n, 2)`. `width`, of the data.
    Returns: the dictionary.
    Raises: TypeError when `given` is of another kind; ValueError for a text that cannot be read, and for a dictionary
    of another width.
    """
    if isinstance(given, str):
        return by_name(given, width)
    made = given if isinstance(given, AbstractDictionary) else _made(given, width)
    if not isinstance(made, AbstractDictionary):
        raise TypeError(
            "dictionary: expected a family that is linear in its coefficients, such as ld.dictionary.polynomials(3, 2),"
            ' its text "polynomials(2)", or a function from the number of columns to one; got'
            f" {'a' if made is given else 'a function that returns a'} {type(made).__name__}. For models that are not"
            " linear in their parameters there is ld.promote.penalty."
        )
    if made.width != width:
        raise ValueError(
            f"dictionary: it takes {made.width} variables, but the data have {width} feature(s). Give it as text, such"
            ' as "polynomials(2)", and it takes as many as there are.'
        )
    return made


def _made(given, width: int):
    """What a function makes of the width; anything else, and what cannot take a number, comes back as it is."""
    if not callable(given):
        return given
    try:
        return given(width)
    # A model is a function, too, but of an example: it may raise anything at all when given a number.
    except Exception:
        return given
