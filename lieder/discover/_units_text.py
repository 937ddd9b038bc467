"""Units as texts, "kg m^-3", read as powers of dimensions."""

import re
from collections.abc import Mapping
from fractions import Fraction

LENGTH, MASS, TIME, CURRENT, TEMPERATURE = "length", "mass", "time", "current", "temperature"

# Each known unit as powers of dimensions; factors such as kilo change no dimension.
_NAMED: list[tuple[str, dict[str, int]]] = [
    ("m km cm mm um nm AU ly pc ft in", {LENGTH: 1}),
    ("kg g mg t", {MASS: 1}),
    ("s ms us ns min h d day days yr year years", {TIME: 1}),
    ("A mA", {CURRENT: 1}),
    ("K degC", {TEMPERATURE: 1}),
    ("mol", {"amount": 1}),
    ("1 rad deg %", {}),
    ("Hz kHz MHz GHz", {TIME: -1}),
    ("N kN mN", {MASS: 1, LENGTH: 1, TIME: -2}),
    ("Pa hPa kPa MPa GPa bar mbar", {MASS: 1, LENGTH: -1, TIME: -2}),
    ("J kJ MJ eV keV MeV", {MASS: 1, LENGTH: 2, TIME: -2}),
    ("W kW MW", {MASS: 1, LENGTH: 2, TIME: -3}),
    ("C", {CURRENT: 1, TIME: 1}),
    ("V kV mV", {MASS: 1, LENGTH: 2, TIME: -3, CURRENT: -1}),
    ("ohm", {MASS: 1, LENGTH: 2, TIME: -3, CURRENT: -2}),
    ("L ml mL", {LENGTH: 3}),
]
_KNOWN = {name: powers for names, powers in _NAMED for name in names.split()}
_POWER = r"(?:\^?(?P<power>-?\d+)|\^\((?P<share>-?\d+(?:/\d+)?)\))?"
_FACTOR = re.compile(rf"(?P<unit>[^\W\d]+|%|1){_POWER}")


def powers_of(unit: str | Mapping[str, int | Fraction], column: str) -> dict[str, Fraction]:
    """The powers of dimensions in a unit; of unknown names their own.

    Arguments: `unit`, a text such as "kg m^-3", "m/s^2", "N s", "K^(1/2)"; or powers of named units; `column`, for
        messages.
    Returns: {dimension: power}, without zeros.
    Raises: ValueError for a text that cannot be read; TypeError for another kind.
    """
    if isinstance(unit, Mapping):
        parts = [(str(name), Fraction(power)) for name, power in unit.items()]
    elif isinstance(unit, str):
        parts = _parsed(unit, column)
    else:
        raise TypeError(f"units: column '{column}' has {unit!r}; write a text such as 'kg m^-3', or '1' for none.")
    out: dict[str, Fraction] = {}
    for name, power in parts:
        for base, own in _KNOWN.get(name, {name: 1}).items():
            out[base] = out.get(base, Fraction(0)) + own * power
    return {base: power for base, power in out.items() if power}


def _parsed(text: str, column: str) -> list[tuple[str, Fraction]]:
    parts, sign = [], 1
    # A slash inside brackets belongs to a power.
    for piece in re.split(r"(/(?![^()]*\)))|[\s*·]+(?!\*)(?<!\*\*)", text.replace("**", "^").strip()):
        if piece == "/":
            sign = -1
        elif piece:
            factor = _FACTOR.fullmatch(piece)
            if factor is None:
                raise ValueError(
                    f"units: '{text}' of column '{column}' cannot be read at '{piece}'. Write factors with powers, such"
                    " as 'kg m^-3', 'm/s^2' or 'K^(1/2)'; '1' for none."
                )
            parts.append((factor["unit"], sign * Fraction(factor["share"] or factor["power"] or 1)))
            sign = 1
    return parts
