"""What a cell of a text file holds: a number, a gap, a time, or something else that can be explained."""

import re
from datetime import datetime

# What spreadsheets write where a formula failed: a gap, and no comment where it begins a line.
FAILED = ("#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!")
_GAPS = {"", "na", "n/a", "nan", "-nan", "null", "none", "?", "-", "--", *FAILED}


def number(cell: str, decimal: str) -> float:
    """The number in a cell; a ValueError for anything else, also for most gaps."""
    if decimal == ",":
        if "." in cell:  # 1.234 may mean a thousand and more: nobody can tell
            raise ValueError(cell)
        return float(cell.replace(",", "."))
    return float(cell)


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether `number` takes a cell."""
    try:
        number(cell, decimal)
    except ValueError:
        return False
    return True


def is_gap(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in _GAPS


def advice(cells: list[str], decimal: str) -> str:
    """What to do about the first of some cells of a column, which is no number and no gap."""
    cell = cells[0]
    if decimal == "," and is_number(cell.replace(".", "").replace(",", ".")):
        return "With --decimal ',' a number has no point; remove signs between thousands."
    if is_number(cell.replace(",", ".", 1)):
        return "If its comma stands before decimals, pass --decimal ','."
    if is_number(cell.replace(",", "")):
        return "Remove the commas between thousands."
    if all(_is_stamp(other) or is_gap(other) for other in cells):
        return "It is a time: leave the column out, or name it with --time in lieder dynamics."
    texts = list(dict.fromkeys(other for other in cells if not is_number(other, decimal) and not is_gap(other)))
    if len(texts) == 1 and len(cells) > 1:
        return "Mend that cell, or drop the row."
    if all(re.fullmatch(r"[-+]?[\d.,]+(?:e[-+]?\d+)?\s*[^\d\s].*", text, re.IGNORECASE) for text in texts):
        return "Remove what follows the numbers; units belong into the name of the column."
    shown = ", ".join(texts[:3]) + (f", ... ({len(texts)} different texts)" if len(texts) > 3 else "")
    return (
        f"The column holds text: {shown}. A category has no continuous symmetry: leave the column out, or treat the"
        " rows of each value apart."
    )


def _is_stamp(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return not cell.isdigit()
