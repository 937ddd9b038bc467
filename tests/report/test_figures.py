"""Figures: labels, legends, the decision drawn in, the right projections, and degenerate data."""

import io
import threading

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from lieder import report
from lieder.report import field_figure, orbit_figure


def spectrum(defects, dim: int, **options) -> Figure:
    return report.spectrum_figure(np.asarray(defects, dtype=np.float64), dim, **options)


def texts(figure: Figure) -> str:
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "\n".join([*found, *legends, figure.get_suptitle()])


def drawn(figure: Figure) -> Figure:
    """Draw it, so that what fails or warns only when drawn does so here."""
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    return figure


def pairs(figure: Figure) -> list[tuple[str, str]]:
    return [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]


def test_what_the_data_do_not_resolve_is_not_called_rejected():
    found = texts(drawn(spectrum([0.001, 0.02, 0.3], 0, resolution=0.1)))
    assert "not decided (2)" in found and "rejected (1)" in found


def test_spectrum_tells_the_decision():
    figure = drawn(spectrum([0.001, 0.0028, 0.041, 0.3], 2, resolution=4e-4, cut=0.01, weak=(2,), title="planets"))
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "relative defect" and axes.get_xlabel()
    found = texts(figure)
    for word in (
        "gap × 14.6",
        "resolution 0.0004",
        "√2",
        "kept (2)",
        "rejected (2)",
        "weakly determined (1)",
        "cut 0.01",
    ):
        assert word in found
    kept, rejected = (next(line for line in axes.lines if line.get_marker() == marker) for marker in "os")
    assert kept.get_color() != rejected.get_color()
    assert list(np.asarray(kept.get_xdata())) == [1, 2]


@pytest.mark.parametrize("dim, resolution", [(0, 0.0), (1, 0.5), (3, 1e-6), (5, 1e-6)])
@pytest.mark.parametrize("defects", [[0.0] * 5, [0, 0, 1e-9, 0.2, 1.4], [1e-17, 1e-3, 1e-3, 1e-3, 1.0], [0.3] * 5])
def test_spectrum_of_anything(defects, dim, resolution):
    figure = drawn(spectrum(defects, dim, resolution=resolution, labels=["a", "b $", "_c", "<d>", "中"]))
    low, high = figure.axes[0].get_ylim()
    assert 0 < low < high and high > np.sqrt(2)


def test_spectrum_gap_starts_at_the_resolution():
    assert "gap × 10" in texts(spectrum([1e-9, 1e-2], 1, resolution=1e-3))
    assert "smallest defect is 10 × the resolution" in texts(spectrum([1e-2], 0, resolution=1e-3))
    assert "gap" not in texts(spectrum([1e-2, 2e-2], 1, resolution=0.1))
    assert "gap" not in texts(spectrum([1e-2, 2e-2], 2, resolution=1e-3))


def test_a_long_spectrum_is_drawn_as_lines():
    defects = np.sort(np.random.default_rng(0).uniform(0.01, 1.3, 4096))
    figure = drawn(spectrum(defects, 2000, resolution=1e-6, weak=range(100)))
    (axes,) = figure.axes
    long = [line for line in axes.lines if len(line.get_xdata()) > 1000]
    assert len(long) == 2 and all(line.get_linestyle() == "-" and line.get_marker() == "" for line in long)
    few = [line for line in spectrum(defects, 2, resolution=1e-6).axes[0].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in few if len(line.get_xdata())] == [2]


def test_spectrum_errors():
    good = {"resolution": 1e-3}
    with pytest.raises(ValueError, match=r"`defects` must be a list of at least one number, got shape \(0,\)"):
        spectrum([], 0, **good)
    with pytest.raises(ValueError, match="entry 1 is nan"):
        spectrum([0.1, np.nan], 0, **good)
    with pytest.raises(ValueError, match=r"entry 0 is -0\.1"):
        spectrum([-0.1, 0.1], 0, **good)
    with pytest.raises(ValueError, match="ascending order"):
        spectrum([0.2, 0.1], 0, **good)
    with pytest.raises(ValueError, match="`dim` must be between 0 and the number of defects, 1; got 2"):
        spectrum([0.1], 2, **good)
    with pytest.raises(ValueError, match="`resolution` must be a finite number >= 0, got -1"):
        spectrum([0.1], 0, resolution=-1)
    with pytest.raises(ValueError, match="`cut` must be a finite number >= 0 or None, got nan"):
        spectrum([0.1], 0, cut=float("nan"), **good)
    with pytest.raises(ValueError, match="`labels` must have one entry per defect: got 2 for 1"):
        spectrum([0.1], 0, labels=["a", "b"], **good)
    with pytest.raises(ValueError, match="`weak` must hold positions from 0 to 0"):
        spectrum([0.1], 0, weak=(1,), **good)


def planets(count: int = 400) -> np.ndarray:
    """Circles of eight radii over two decades, a little out of the plane."""
    rng = np.random.default_rng(0)
    radius = rng.choice([0.39, 0.72, 1.0, 1.5, 5.2, 9.5, 19.0, 30.0], count)
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), 0.02 * radius * np.sin(angle + 1)], axis=1)


def rotation(points):
    return np.stack([-points[:, 1], points[:, 0], 0 * points[:, 0]], axis=1)


def test_a_rotation_is_shown_in_its_plane_and_zoomed_when_spread_over_decades():
    points = planets()
    figure = drawn(field_figure(points, rotation(points), list("xyz"), title="x d/dy - y d/dx", units=["AU"] * 3))
    assert pairs(figure) == [("x [AU]", "y [AU]")] * 2
    assert all(axes.get_aspect() == 1.0 for axes in figure.axes)
    assert figure.axes[1].get_title() == "the inner half of the data"
    assert figure.axes[1].get_xlim()[1] < 0.2 * figure.axes[0].get_xlim()[1]
    assert "data" in texts(figure) and "displacement" in texts(figure) and "x d/dy - y d/dx" in texts(figure)


def test_two_blocks_get_a_panel_each():
    points = np.random.default_rng(1).normal(size=(300, 3))
    both = np.hstack([points, 1e-3 * np.random.default_rng(2).normal(size=(300, 3))])
    field = np.hstack([rotation(both[:, :3]), rotation(both[:, 3:])])
    assert set(pairs(field_figure(both, field, ["x", "y", "z", "ax", "ay", "az"], title="t"))) == {
        ("x", "y"),
        ("ax", "ay"),
    }


def test_the_projections_do_not_depend_on_units():
    points = np.random.default_rng(1).normal(size=(300, 4))
    field = np.stack([points[:, 2], 0 * points[:, 0], -points[:, 0], 0 * points[:, 0]], axis=1)
    unit = np.array([1.0, 10.0, 3.0, 0.1])
    names = list("abcd")
    assert pairs(field_figure(points, field, names, title="t")) == [("a", "c")]
    assert pairs(field_figure(points * unit, field * unit, names, title="t")) == [("a", "c")]


def test_arrows_are_few_legible_and_point_the_right_way():
    points = planets(3000)
    figure = field_figure(points, rotation(points), list("xyz"), title="t")
    for axes in figure.axes:
        (arrows,) = [item for item in axes.collections if isinstance(item, Quiver)]
        assert 8 <= arrows.N <= 300
        feet = np.asarray(arrows.get_offsets())
        across = feet[:, 0] * arrows.U + feet[:, 1] * arrows.V
        assert np.abs(across).max() <= 1e-9 * np.abs(feet).max() ** 2
        assert np.all(feet[:, 0] * arrows.V - feet[:, 1] * arrows.U > 0)
        length = np.hypot(arrows.U, arrows.V) / np.ptp(axes.get_xlim())
        assert 0.005 < length.min() and length.max() <= 0.11


def test_compressed_lengths_are_announced():
    points = np.random.default_rng(0).normal(size=(300, 2))
    wild = points * np.exp(4 * points[:, :1])
    assert "square root" in texts(field_figure(points, wild, ["a", "b"], title="wild"))
    assert "square root" not in texts(field_figure(points, 0 * points + 1.0, ["a", "b"], title="translation"))


@pytest.mark.parametrize(
    "points, displacements",
    [
        (np.zeros((1, 2)), np.ones((1, 2))),
        (np.ones((5, 2)), np.zeros((5, 2))),
        (np.arange(5.0)[:, None], np.ones((5, 1))),
        (np.zeros((3, 1)), np.zeros((3, 1))),
        (np.stack([np.arange(9.0), np.full(9, 1e6)], 1), np.stack([np.zeros(9), np.ones(9)], 1)),
        (1e200 * np.random.default_rng(0).normal(size=(9, 3)), np.ones((9, 3))),
        (np.random.default_rng(0).normal(size=(30, 40)), np.random.default_rng(1).normal(size=(30, 40))),
    ],
)
def test_degenerate_fields(points, displacements):
    names = [f"$col_{k}$ <b>" for k in range(points.shape[1])]
    figure = drawn(field_figure(points, displacements, names, title="\\frac{ $ _ 中"))
    assert 1 <= len(figure.axes) <= 3
    assert all(axes.get_xlabel().startswith("$col_") for axes in figure.axes)
    orbits = np.stack([points[:2], points[:2] + displacements[:2]], axis=1)
    assert drawn(orbit_figure(orbits, points, names, title="t")).legends


def test_no_displacement_is_said():
    assert "no point is displaced" in texts(field_figure(np.eye(3), 0 * np.eye(3), list("abc"), title="zero"))


def test_field_errors():
    points = np.ones((3, 2))
    with pytest.raises(
        ValueError, match=r"`points` must be a non-empty \(points, coordinates\) table, got shape \(0, 2\)"
    ):
        field_figure(np.ones((0, 2)), np.ones((0, 2)), ["a", "b"], title="t")
    with pytest.raises(ValueError, match=r"`displacements` must have the shape of `points`, \(3, 2\); got \(2, 2\)"):
        field_figure(points, points[:2], ["a", "b"], title="t")
    with pytest.raises(ValueError, match="`names` must have one entry per coordinate: got 1 for 2"):
        field_figure(points, points, ["a"], title="t")
    with pytest.raises(ValueError, match="`units` must have one entry per coordinate: got 1 for 2"):
        field_figure(points, points, ["a", "b"], title="t", units=["m"])
    bad = np.array([[1.0, 2.0], [1.0, np.inf], [0.0, 0.0]])
    with pytest.raises(ValueError, match="`displacements` must be finite, but row 1, coordinate 'b' is inf"):
        field_figure(points, bad, ["a", "b"], title="t")


def circles(points, times):
    c, s = np.cos(times)[None], np.sin(times)[None]
    px, py, pz = (points[:, k, None] for k in range(3))
    return np.stack([c * px - s * py, s * px + c * py, pz + 0 * c], axis=2)


def test_orbits_are_shown_in_the_field_s_projections():
    points = planets()
    figure = drawn(orbit_figure(circles(points[:5], np.linspace(0, 2, 60)), points, list("xyz"), title="orbits"))
    assert pairs(figure) == [("x", "y")] * 2
    for word in ("data", "start", "orbit"):
        assert word in texts(figure)


def test_orbits_that_run_away_or_end_are_cut():
    points = np.random.default_rng(0).normal(size=(100, 2))
    times = np.linspace(0, 400, 50)[None, :, None]
    with np.errstate(over="ignore", invalid="ignore"):
        orbits = points[:4, None] * np.exp(np.array([2.0, -1.0]) * times)
    orbits[0, 3:] = np.nan
    figure = drawn(orbit_figure(orbits, points, ["a", "b"], title="t"))
    assert np.abs(figure.axes[0].get_xlim()).max() < 5 * np.abs(points).max()


def test_orbit_errors():
    points = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"`orbits` must have shape \(orbits, times, 2\).*got \(4, 5, 3\)"):
        orbit_figure(np.ones((4, 5, 3)), points, ["a", "b"], title="t")
    with pytest.raises(ValueError, match="`orbits` must start at finite points, but orbit 1 starts at"):
        orbit_figure(np.array([[[0.0, 0.0]], [[np.nan, 0.0]]]), points, ["a", "b"], title="t")


def test_figures_are_made_in_threads_and_leave_no_global_state():
    import matplotlib
    from matplotlib import _pylab_helpers

    before = dict(matplotlib.rcParams)
    points = planets(100)
    failures = []

    def make():
        try:
            drawn(field_figure(points, rotation(points), list("xyz"), title="t"))
            drawn(spectrum([0.1, 0.5], 1, resolution=1e-3))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:  # one after the other: matplotlib's fonts are not made for two at a time
        thread.start()
        thread.join()
    assert not failures
    assert dict(matplotlib.rcParams) == before
    assert not _pylab_helpers.Gcf.figs


def test_a_band_over_everything_is_named_in_the_legend():
    """Its label would lie on that of the largest possible defect."""
    found = texts(drawn(spectrum([0.1, 0.3], 0, resolution=float(np.sqrt(2)))))
    assert "not resolved (up to 1.4)" in found and "resolution 1.4" not in found.replace("not resolved", "")
    assert "not resolved" not in texts(spectrum([0.1, 0.3], 0, resolution=0.2))


def test_bounds_in_three_sets():
    defects = np.array([1e-3, 2e-2, 0.3, 0.2])
    lower, upper = np.array([0.0, 0.0, 0.2, 0.0]), np.array([0.03, 0.1, 0.4, np.inf])
    figure = report.bounds_figure(defects, lower, upper, delta=0.05, at_least=1, at_most=3, weak=1)
    axes = figure.axes[0]
    assert axes.get_legend() is not None
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "symmetric to within delta",
        "undecided",
        "broken",
    ]
    assert sum(len(c.get_offsets()) for c in axes.collections if isinstance(c, PathCollection)) == 4
    with pytest.raises(ValueError, match="lower and upper must hold 4 bounds, got 3 and 4"):
        report.bounds_figure(defects, lower[:3], upper, delta=0.05, at_least=1, at_most=3)


def test_traces_run_along_time():
    t = [np.arange(4.0), np.arange(3.0)]
    figure = drawn(report.traces_figure(t, [np.ones((4, 9)), np.zeros((3, 9))], [f"I{k}" for k in range(9)]))
    assert len(figure.axes) == 8 and "2 trajectories" in texts(figure) and "1 more are not drawn" in texts(figure)
    with pytest.raises(ValueError, match=r"number 1 has shape \(3, 1\), expected \(3, 2\)"):
        report.traces_figure(t, [np.ones((4, 2)), np.zeros((3, 1))], ["a", "b"])
    with pytest.raises(ValueError, match="one of each a trajectory, got 2 and 0"):
        report.traces_figure(t, [], ["a"])


def test_drift_is_a_line_over_a_wedge_through_the_mean():
    t = [np.arange(5.0), np.arange(5.0)]
    values = [1 - 0.1 * np.arange(5.0)[:, None], 2 - 0.1 * np.arange(5.0)[:, None]]
    figure = drawn(report.traces_figure(t, values, ["I"], drift=np.array([[-0.1, -0.2, 0.0]])))
    line = figure.axes[0].lines[-1]
    np.testing.assert_allclose(line.get_xdata(), [0, 4])
    np.testing.assert_allclose(line.get_ydata(), [1.5, 1.1])
    assert "drift -0.1 (-0.2 to 0)" in figure.axes[0].get_title(loc="left")
    with pytest.raises(ValueError, match=r"`drift`: expected shape \(1, 3\), got \(3,\)"):
        report.traces_figure(t, values, ["I"], drift=np.zeros(3))


def test_a_lattice_has_a_node_for_each_and_a_frame_for_the_answer():
    figure = drawn(
        report.lattice_figure(
            np.array([1, 2, 2, 4]),
            ["trivial", "Z2", "$Z2$ <b>", "D2"],
            ["holds", "holds", "broken", "broken"],
            [(0, 1), (0, 2), (1, 3), (2, 3)],
            1,
        )
    )
    (axes,) = figure.axes
    found = [text for text in axes.texts if text.get_text()]
    assert [text.get_text() for text in found] == ["trivial", "Z2", "$Z2$ <b>", "D2"] and len(axes.lines) == 4
    frames = [text.get_bbox_patch() for text in found]
    assert [frame.get_linewidth() for frame in frames if frame is not None] == [1.2, 2.6, 1.2, 1.2]
    with pytest.raises(ValueError, match="`readings` must be among holds, follows, undecided, broken, got 'maybe'"):
        report.lattice_figure(np.array([1]), ["trivial"], ["maybe"], [])
    with pytest.raises(ValueError, match="`labels`, `readings`: expected 1, got 2 and 1"):
        report.lattice_figure(np.array([1]), ["a", "b"], ["holds"], [])


def test_elements_stand_beside_what_is_known_of_them():
    defects, known = np.array([0.5, 0.0, 0.02]), np.array([0.01, 0.003, 0.01])
    figure = drawn(report.elements_figure(defects, known, ["broken", "holds", "follows"], delta=0.3))
    (axes,) = figure.axes
    dots = [c for c in axes.collections if isinstance(c, PathCollection)]
    assert sum(len(c.get_offsets()) for c in dots) == 3 and "to be ruled out: 0.3" in texts(figure)
    drawn(report.elements_figure(np.zeros(0), np.zeros(0), [], delta=None))
    with pytest.raises(ValueError, match="expected 3, one for each defect"):
        report.elements_figure(defects, known, ["holds"], delta=0.3)
