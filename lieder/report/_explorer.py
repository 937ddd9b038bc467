"""What a page lets its reader move: a generator is picked, t dragged, and points flow beside the model's values."""

import base64
import hashlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..report._style import GREEN, ORANGE, VERMILLION
from ..report._words import clean

LOST = -32768  # a number that is not finite, where others are written in sixteen bits
_LEVELS = 32767
SETS = {"symmetric": GREEN, "undecided": ORANGE, "broken": VERMILLION}


@dataclass(frozen=True)
class Flow:
    """Points carried along one generator.

    Fields:
        label, text: its name, and its formula.
        reading: one of `SETS`.
        defect: the relative one.
        times: (T,) values of t, ascending; 0 is the one in the middle.
        moved: (T, P, n + m) inputs and outputs of P examples, carried by exp(t xi); not finite where they leave.
        predicted: (T, P, m) the model at the carried inputs; None without a model.
        missed: (T,) rms of predicted minus carried outputs over the outputs' spread, over examples that stay; None
            without a model.
        speeds: (n + m,) rms speed of each column over its spread.
    """

    label: str
    text: str
    reading: str
    defect: float
    times: Float[np.ndarray, " T"]
    moved: Float[np.ndarray, "T P k"]
    predicted: Float[np.ndarray, "T P m"] | None
    missed: Float[np.ndarray, " T"] | None
    speeds: Float[np.ndarray, " k"]


@dataclass(frozen=True)
class Directions:
    """The spectrum as a page shows it: (k,) defects, ascending, with lower and upper bounds; what each is read as, one
    of `SETS`; what the bounds are; and lines across, (label, defect)."""

    defects: Float[np.ndarray, " k"]
    lower: Float[np.ndarray, " k"] | None
    upper: Float[np.ndarray, " k"] | None
    readings: Sequence[str]
    bounds: str
    lines: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Explorer:
    """A spectrum and flows to look into; needs plotly's JavaScript, which is put into the page.

    Fields: `names` of the columns, inputs then outputs, of which the last `outputs` are a model's; `units`, a number
        for each column, equal where two of them can be compared; `flows`, at least one.
    """

    names: Sequence[str]
    outputs: int
    units: Sequence[int]
    directions: Directions
    flows: Sequence[Flow]


def explorable() -> bool:
    """Whether pages can hold an `Explorer`.

    Returns: True where plotly is installed."""
    return importlib.util.find_spec("plotly") is not None


def explorer_html(block: Explorer) -> str:
    """The places that the script fills, and its data."""
    plain = _plain(block)
    # Nothing in the data can end the element that holds it.
    data = json.dumps(plain, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'{_MARKUP}<script type="application/json" id="explored">{data}</script>'


def scripts() -> tuple[str, ...]:
    """The JavaScript of a page with an `Explorer`: plotly's, and ours.

    Raises: ImportError where plotly is not installed.
    """
    found = importlib.util.find_spec("plotly")
    if found is None or not found.submodule_search_locations:
        raise ImportError("a page that can be explored needs plotly: pip install 'lieder[html]'.")
    plotly = Path(found.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    own = Path(__file__).with_name("_explorer.js")
    return tuple(path.read_text(encoding="utf-8").replace("\r\n", "\n") for path in (plotly, own))


def script_policy(scripts: Sequence[str]) -> str:
    """What a content policy says so that these scripts run, and no others."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii") for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


_MARKUP = """<div id="explorer">
<div class="plot" id="spectrum" role="img" aria-label="Relative defects in ascending order."></div>
<p id="bounds"></p>
<div class="controls">
<label>Generator <select id="which"></select></label>
<label>t = <output id="time">0</output> <input id="slider" type="range" aria-label="t"></label>
<button id="play" type="button">Play</button>
<label>Across <select id="across"></select></label>
<label>Up <select id="up"></select></label>
<label id="output-label">Output <select id="output"></select></label>
</div>
<p id="formula"></p>
<div class="pair">
<div class="plot" id="flow" role="img" aria-label="Examples carried along the generator."></div>
<div class="plot" id="values" role="img" aria-label="The model at carried inputs against carried outputs."></div>
</div>
<p id="missed" aria-live="polite"></p>
<h3>Columns that it moves, in spreads of each per unit of t</h3>
<div id="speeds"></div>
<noscript><p>This part needs JavaScript, which is in the page and asks for nothing from anywhere.</p></noscript>
</div>
"""


def _plain(block: Explorer) -> dict:
    d = block.directions
    for reading in (*d.readings, *(flow.reading for flow in block.flows)):
        if reading not in SETS:
            raise ValueError(f"`reading` must be one of {', '.join(SETS)}, got {reading!r}.")
    return {
        "names": [clean(name) for name in block.names],
        "outputs": block.outputs,
        "units": [int(unit) for unit in block.units],
        "colours": SETS,
        "directions": {
            "defects": _numbers(d.defects),
            "lower": None if d.lower is None else _numbers(d.lower),
            "upper": None if d.upper is None else _numbers(d.upper),
            "readings": list(d.readings),
            "bounds": clean(d.bounds),
            "lines": [[clean(label), float(value)] for label, value in d.lines],
        },
        "flows": [_flow(flow, block.outputs) for flow in block.flows],
    }


def _flow(flow: Flow, outputs: int) -> dict:
    model, missed = flow.predicted, flow.missed
    return {
        "label": clean(flow.label),
        "text": clean(flow.text),
        "reading": flow.reading,
        "defect": float(flow.defect),
        "times": _numbers(flow.times),
        "points": flow.moved.shape[1],
        "moved": _packed(flow.moved),
        "predicted": None if model is None else _packed(model, like=flow.moved[:, :, -outputs:]),
        "missed": None if missed is None else _numbers(missed),
        "speeds": _numbers(flow.speeds),
    }


def _numbers(values: Float[np.ndarray, " k"]) -> list[float | None]:
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in np.asarray(values, np.float64)]


def _packed(values: Float[np.ndarray, "T P k"], like: Float[np.ndarray, "T P k"] | None = None) -> list[dict]:
    """Each column in sixteen bits, from its low to its high, which hold where it starts and as much again around."""
    start = (values if like is None else like)[len(values) // 2]
    columns = []
    for column, first in zip(np.moveaxis(values, 2, 0), start.T, strict=True):
        low, high = float(np.min(first)), float(np.max(first))
        wide = max(high - low, 1e-9 * max(abs(high), abs(low)), np.finfo(float).tiny)
        low, high = low - 1.5 * wide, high + 1.5 * wide
        with np.errstate(invalid="ignore", over="ignore"):
            levels = np.rint((column - low) / (high - low) * 2 * _LEVELS) - _LEVELS
        kept = np.isfinite(levels) & (np.abs(levels) <= _LEVELS)
        whole = np.where(kept, levels, LOST).astype("<i2")
        columns.append({"low": low, "high": high, "data": base64.b64encode(whole.tobytes()).decode("ascii")})
    return columns
