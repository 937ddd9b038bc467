"""Text files as users have them: from other countries, with gaps, comments, stamps and text; and what is refused."""

import numpy as np
import pytest

from lieder.files import read_csv


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    return path


READ = {
    "plain": ("a,b,c\n1,2,3\n4,5,6\n", ","),
    "spaces": ("a, b , c\n 1,2 , 3\n4,5,6\n", ","),
    "Windows lines": ("a,b,c\r\n1,2,3\r\n4,5,6\r\n", ","),
    "byte order mark": ("\ufeffa,b,c\n1,2,3\n4,5,6\n", ","),
    "quotes": ('"a","b","c"\n"1",2,3\n4,5,6\n', ","),
    "blank lines": ("a,b,c\n1,2,3\n\n4,5,6\n\n\n", ","),
    "no line end": ("a,b,c\n1,2,3\n4,5,6", ","),
    "tabs": ("a\tb\tc\n1\t2\t3\n4\t5\t6\n", "\t"),
    "semicolons": ("a;b;c\n1;2;3\n4;5;6\n", ";"),
    "comments": ("# made by hand\na,b,c\n# units: m\n1,2,3\n  # half\n4,5,6\n", ","),
    "lines of delimiters": ("a,b,c\n1,2,3\n,,\n4,5,6\n,,\n", ","),
    "a spreadsheet's note": ("sep=,\na,b,c\n1,2,3\n4,5,6\n", ","),
    "tab, as a shell passes it": ("a\tb\tc\n1\t2\t3\n4\t5\t6\n", r"\t"),
    "tab, in words": ("a\tb\tc\n1\t2\t3\n4\t5\t6\n", "tab"),
    "several spaces": ("  a b   c\n1  2 3\n 4 5   6 \n", "space"),
    "text in a column not asked for": ("a,b,c,d\n1,2,3,u\n4,5,6,v\n", ","),
}


@pytest.mark.parametrize(("text", "delimiter"), list(READ.values()), ids=list(READ))
def test_read_csv(tmp_path, text, delimiter):
    found = read_csv(written(tmp_path, text), ["c", "a"], delimiter)
    assert found.names == ("c", "a") and found.values.dtype == np.float64
    np.testing.assert_array_equal(found.values, [[3.0, 1.0], [6.0, 4.0]])


CSV_ERRORS = {
    "empty": ("", ValueError, r"file: '.*data\.csv' is empty; its first line must name the columns"),
    "only blank": ("\n\n", ValueError, r"is empty"),
    "only the header": ("a,b\n", ValueError, r"has 0 rows of data; a symmetry needs many points"),
    "one row": ("a,b\n1,2\n", ValueError, r"has 1 row of data"),
    "short line": ("a,b\n1,2\n3\n", ValueError, r"line 3 of '.*' has 1 cells, the first line has 2"),
    "long line": ("a,b\n1,2,3\n", ValueError, r"line 2 of '.*' has 3 cells, the first line has 2"),
    "other delimiter": ("a;b\n1;2\n3;4\n", ValueError, r"has no comma but semicolons: pass --delimiter ';'"),
    "missing column": ("aa,speed\n1,2\n3,4\n", ValueError, r"there is no column 'a' in '.*'.* It has: aa, speed\."),
    "near column": ("a,bee\n1,2\n3,4\n", ValueError, r"there is no column 'b' in '.*'.*It has: a, bee"),
    "text": ("a,b\n1,2\n3,x\n", ValueError, r"line 3, column 'b' of '.*' holds 'x' where a number is needed"),
    "empty cell": ("a,b\n1,2\n,4\n", ValueError, r"line 3, column 'a' of '.*' holds an empty cell where a number"),
    "decimal comma": (
        "a;b\n1,5;2\n2,5;3\n",
        ValueError,
        r"no comma but semicolons: pass --delimiter ';' --decimal ','",
    ),
    "quoted decimal comma": ('a,b\n"1,5",2\n2,3\n', ValueError, r"line 2, column 'a'.*'1,5'.*pass --decimal ','"),
    "thousands": ('a,b\n"1,234,567",2\n2,3\n', ValueError, r"'1,234,567'.*Remove the commas between thousands"),
    "too many commas": ("a,b\n1,5,2,5\n2,5,3,5\n", ValueError, r"line 2 .* has 4 cells.*pass --decimal ','"),
    "NaN": ("a,b\n1,2\n3,nan\n", ValueError, r"line 3, column 'b' of '.*' holds 'nan'.*1 of 2 rows"),
    "NA": ("a,b\n1,2\n3,NA\n4,\n", ValueError, r"line 3, column 'b'.*'NA'.*2 of 3 rows have such gaps.*--missing drop"),
    "category": (
        "a,b\n1,red\n2,green\n3,blue\n4,grey\n",
        ValueError,
        r"line 2, column 'b'.*'red'.*red, green, blue, \.\.\. \(4 different texts\)\. A category has no continuous",
    ),
    "stamps": (
        "a,b\n1,2026-01-01\n2,2026-01-02\n",
        ValueError,
        r"'2026-01-01'.*It is a time.*--time in lieder dynamics",
    ),
    "units": (
        "a,b\n1,1.5 m\n2,1.6 m\n",
        ValueError,
        r"'1\.5 m'.*Remove what follows the numbers; units belong into the name",
    ),
    "names in a comment": ("# a,b\n1,2\n3,4\n", ValueError, r"but the line '# a,b' is a comment\. Remove its #"),
    "no names": ("1,2\n3,4\n", ValueError, r"the first line of '.*' holds numbers, 1, 2; it must name the columns"),
    "equal names": ("a,b,b\n1,2,3\n3,4,5\n", ValueError, r"has 2 columns called 'b'; give each its own name"),
}


@pytest.mark.parametrize(("text", "kind", "message"), list(CSV_ERRORS.values()), ids=list(CSV_ERRORS))
def test_files_that_cannot_be_read(tmp_path, text, kind, message):
    with pytest.raises(kind, match=message):
        read_csv(written(tmp_path, text), ["a", "b"])


def test_the_nearest_column_is_named(tmp_path):
    path = written(tmp_path, "mass,velocity\n1,2\n3,4\n")
    with pytest.raises(ValueError, match=r"no column 'velocty' in '.*'; did you mean 'velocity'\?"):
        read_csv(path, ["velocty"])


def test_paths_that_are_no_file(tmp_path):
    written(tmp_path, "a,b\n1,2\n")
    with pytest.raises(FileNotFoundError, match=r"there is no '.*datas\.csv'; did you mean 'data\.csv'\?"):
        read_csv(tmp_path / "datas.csv", ["a"])
    with pytest.raises(FileNotFoundError, match=r"there is no '.*nowhere.*'\. Check the name and the folder"):
        read_csv(tmp_path / "nowhere" / "at all", ["a"])
    with pytest.raises(IsADirectoryError, match=r"'.*' is a folder; give a file in it"):
        read_csv(tmp_path, ["a"])


def test_another_encoding(tmp_path):
    with pytest.raises(ValueError, match=r"is not UTF-8 text\. Save it as CSV with UTF-8 encoding"):
        read_csv(written(tmp_path, "a,b\n1,é\n3,4\n", "latin-1"), ["a"])


EUROPEAN = "\ufeffName;Höhe (m);Zeit\r\nA;1,5;0\r\nB;-2,25e1;0,5\r\n\r\nC;;1\r\n"


def test_a_european_file(tmp_path):
    path = written(tmp_path, EUROPEAN)
    found = read_csv(path, ["Höhe (m)", "Zeit"], ";", decimal=",", missing="drop")
    np.testing.assert_array_equal(found.values, [[1.5, 0.0], [-22.5, 0.5]])
    assert found.left_out == 1


def test_a_point_is_no_decimal_where_the_comma_is(tmp_path):
    """1.234 may be a thousand and more there: it is not guessed."""
    with pytest.raises(ValueError, match=r"line 3, column 'a'.*'1\.234'.*a number has no point"):
        read_csv(written(tmp_path, "a;b\n1,5;2\n1.234;3\n"), ["a", "b"], ";", decimal=",")


def test_text_among_decimal_commas(tmp_path):
    text = "a;b\n1,5;2\n2,5;x\n3,5;4,25\n"
    with pytest.raises(ValueError, match=r"line 3, column 'b'.*'x' where a number is needed\. Mend that cell"):
        read_csv(written(tmp_path, text), ["a", "b"], ";", decimal=",")


@pytest.mark.parametrize("gap", ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "-", "--", "#N/A", "#DIV/0!"])
def test_gaps_are_dropped_and_counted(tmp_path, gap):
    path = written(tmp_path, f"a,b,c\n1,2,{gap}\n3,{gap},5\n6,7,8\n9,10,{gap}\n")
    found = read_csv(path, ["a", "b"], missing="drop")
    np.testing.assert_array_equal(found.values, [[1, 2], [6, 7], [9, 10]])
    assert found.left_out == 1  # gaps in columns that were not asked for do not count


def test_a_failed_formula_is_no_comment(tmp_path):
    """Its row counts among the gaps, also where the cell begins a line."""
    path = written(tmp_path, "a,b\n1,2\n#N/A,3\n4,5\n# a remark\n")
    assert read_csv(path, ["a", "b"], missing="drop").left_out == 1
    with pytest.raises(ValueError, match=r"line 3, column 'a' of '.*' holds '#N/A'.*1 of 3 rows"):
        read_csv(path, ["a", "b"])


def test_too_few_rows_without_gaps(tmp_path):
    with pytest.raises(ValueError, match=r"has 1 row of data without gaps \(2 dropped\)"):
        read_csv(written(tmp_path, "a,b\n1,2\n3,\n,4\n"), ["a", "b"], missing="drop")


RUNS = "run,t,x\nu,0,1\nu,1,2\nv,0,5\nu,2,3\nv,0.5,6\n"


def test_trajectories(tmp_path):
    parts = read_csv(written(tmp_path, RUNS), ["x"], time="t", label="run").trajectories()
    assert list(parts) == ["u", "v"]
    for name, times, values in (("u", [0, 1, 2], [[1], [2], [3]]), ("v", [0, 0.5], [[5], [6]])):
        np.testing.assert_array_equal(parts[name][0], times)
        np.testing.assert_array_equal(parts[name][1], values)


def test_one_trajectory_without_times(tmp_path):
    ((times, values),) = read_csv(written(tmp_path, RUNS), ["x"]).trajectories().values()
    assert times is None and len(values) == 5


@pytest.mark.parametrize(
    "stamps",
    [("2026-03-01", "2026-03-02", "2026-03-02T00:00:30"), ("20260301T00", "2026-03-02 00:00", "2026-03-02T00:00:30.0")],
)
@pytest.mark.parametrize("zone", ["", "Z", "+01:00"])
def test_stamps_are_seconds(tmp_path, stamps, zone):
    lines = [f"{stamp}{zone if 'T' in stamp or ':' in stamp else 'T00' + zone},{k}" for k, stamp in enumerate(stamps)]
    found = read_csv(written(tmp_path, "\n".join(["t,x", *lines])), ["x"], time="t")
    np.testing.assert_array_equal(found.times, [0, 86400, 86430])


TIME_ERRORS = {
    "back": ("run,t,x\na,0,1\na,1,2\nb,0,3\n", None, r"'t' do not increase at line 4.*with --trajectories \(run\)"),
    "back within one": ("run,t,x\na,1,1\na,1,2\nb,0,3\n", "run", r"the times of trajectory 'a'.*at line 3\. Sort"),
    "words": ("run,t,x\na,soon,1\na,later,2\n", None, r"line 2, column 't'.*'soon', which is neither a number nor"),
    "zones": ("run,t,x\na,2026-01-01T00Z,1\na,2026-01-02,2\n", None, r"stamps with and without zone"),
    "gap": ("run,t,x\na,,1\na,1,2\n", None, r"line 2, column 't' of '.*' holds an empty cell"),
}


@pytest.mark.parametrize(("text", "label", "message"), list(TIME_ERRORS.values()), ids=list(TIME_ERRORS))
def test_wrong_times(tmp_path, text, label, message):
    with pytest.raises(ValueError, match=message):
        read_csv(written(tmp_path, text), ["x"], time="t", label=label)


ARGUMENTS = {
    "delimiter": (dict(delimiter="::"), r"delimiter: expected one character, or tab, space.*got '::'"),
    "decimal": (dict(decimal="'"), r"decimal: expected '\.' or ','"),
    "decimal and delimiter": (dict(decimal=","), r"and not the delimiter; got ',' with the delimiter ','"),
    "missing": (dict(missing="ignore"), r"missing: expected 'refuse' or 'drop', got 'ignore'"),
}


@pytest.mark.parametrize(("options", "message"), list(ARGUMENTS.values()), ids=list(ARGUMENTS))
def test_wrong_arguments(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        read_csv(written(tmp_path, "a,b\n1,2\n3,4\n"), ["a"], **options)
