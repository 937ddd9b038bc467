"""Tables and verdicts: literal text, one meaning without colour, plain without a terminal."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from lieder.report import _progress, progress, render, table, verdict_panel

ROWS = [["1", 0.00101, "x d/dy - y d/dx"], ["12", 0.25, "[red]d[/red]"]]
COLUMNS = ["number", "defect", "generator"]


def test_table_holds_every_cell_and_its_title():
    text = render(table(ROWS, COLUMNS, title="Defects [bold]"), width=80)
    for word in ("Defects [bold]", *COLUMNS, "0.00101", "0.25", "x d/dy - y d/dx", "[red]d[/red]"):
        assert word in text


def test_numbers_are_flush_right_and_words_left():
    lines = render(table(ROWS, COLUMNS), width=80).splitlines()
    first, second = (next(line for line in lines if word in line) for word in ("0.00101", "0.25"))
    assert first.index("0.00101") + 7 == second.index("0.25") + 4
    assert first.index("x d/dy") == second.index("[red]")


def test_no_escape_codes_without_a_terminal():
    text = render(verdict_panel("2 symmetries", "symmetries"), table(ROWS, COLUMNS), "[bold]as it is", width=60)
    assert "\x1b" not in text
    assert "[bold]as it is" in text
    assert max(map(len, text.splitlines())) <= 60


def test_control_characters_of_a_name_do_not_reach_the_terminal():
    text = render(table([["\x1b[31mred\x07"]], ["a\nb"]), verdict_panel("\x1b]0;x\x07", "cannot tell"))
    assert "\x1b" not in text and "\x07" not in text
    assert "a b" in text


@pytest.mark.parametrize(
    "kind, heading",
    [("symmetries", "SYMMETRIES FOUND"), ("no symmetry", "NO SYMMETRY"), ("cannot tell", "CANNOT TELL")],
)
def test_a_verdict_is_said_in_words(kind, heading):
    text = render(verdict_panel("the evidence\non two lines", kind))
    assert heading in text and "the evidence" in text and "on two lines" in text


class _Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_colour_on_a_terminal_unless_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdout", _Screen())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in render(verdict_panel("yes", "symmetries"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in render(verdict_panel("yes", "symmetries"))


def test_a_bar_is_shown_in_the_main_thread_alone(monkeypatch):
    monkeypatch.setattr(_progress, "_PATIENCE", 0.0)
    shown = []
    for beside in (False, True):
        monkeypatch.setattr(sys, "stderr", _Screen())
        work = partial(list, progress(range(3), 3, "counting"))
        with ThreadPoolExecutor(1) as other:
            assert (other.submit(work).result() if beside else work()) == [0, 1, 2]
        shown.append("counting" in sys.stderr.getvalue())
    assert shown == [True, False]


class _Ascii(io.StringIO):
    encoding = "ascii"


def test_an_ascii_output_gets_ascii(monkeypatch):
    monkeypatch.setattr(sys, "stdout", _Ascii())
    text = render(table(ROWS, ["α", "b", "c"]), verdict_panel("√2", "no symmetry"))
    assert text.isascii() and "NO SYMMETRY" in text


def test_empty_table():
    assert "number" in render(table([], COLUMNS))


def test_errors():
    with pytest.raises(ValueError, match=r"row 1 has 1 cells but there are 2 columns \(a, b\)"):
        table([[1, 2], [1]], ["a", "b"])
    with pytest.raises(
        ValueError,
        match=r"one of 'symmetries', 'conserved', 'none in this family', 'no symmetry', 'cannot tell'; got 'maybe'",
    ):
        verdict_panel("x", "maybe")
    with pytest.raises(ValueError, match="`width` must be at least 20 characters"):
        render("x", width=3)
