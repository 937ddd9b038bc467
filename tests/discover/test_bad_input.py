"""What a hurried user hands over: each mistake has its own message, in words that say what to do."""

import re
import warnings

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import lieder as ld

G = ld.algebra.gl(2)
V = ld.vectors(G)
ONE = ld.scalars(G, 1)
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 2))
Y = np.sum(X**2, axis=1, keepdims=True)
ANGLE = RANDOM.uniform(0, 2 * np.pi, 200)
CIRCLE = np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=1)


def square(x):
    return x @ x


def put(values, place, value):
    values = np.array(values)
    values[place] = value
    return values


def function(F=square, x=X, source=V, **more):
    return ld.discover.function(F, x, source=source, **more)


def field(U, x=X, action=V, **more):
    return ld.discover.vector_field(U, x, action=action, **more)


def cloud(z=CIRCLE, action=V, **more):
    return ld.discover.cloud(z, action=action, **more)


def graph(x=X, y=Y, source=V, target=ONE, **more):
    return ld.discover.graph(x, y, source=source, target=target, **more)


def dataset(x=X, y=Y, source=V, target=ONE, fit="polynomial(2)", **more):
    return ld.discover.dataset(x, y, source=source, target=target, fit=fit, **more)


def parse(text):
    return ld.action.parse(text, ["x", "y", "z"], ["ax", "ay", "az"])


def read_twice():
    batches = iter([X[:30], X[30:]])
    list(batches)
    return function(x=batches)


# What is done -> the kind of error and the words that matter.
MISTAKES = {
    # Values
    "NaN": (
        lambda: function(x=put(X, (3, 1), np.nan), names=["u", "v"]),
        ValueError,
        r"x holds nan in column 'v', row 3",
    ),
    "inf": (lambda: function(x=put(X, (7, 0), np.inf)), ValueError, r"x holds inf in column 'x0', row 7"),
    "NaN in a later batch": (
        lambda: function(x=iter([X, put(X, (1, 1), np.nan)])),
        ValueError,
        r"x holds nan in column 'x1', row 61",
    ),
    "NaN in a cloud": (lambda: cloud(put(CIRCLE, (4, 0), np.nan)), ValueError, r"z holds nan in column 'z0', row 4"),
    "NaN in y": (lambda: dataset(y=put(Y, 3, np.nan)), ValueError, r"y holds nan in column 'y0', row 3"),
    "NaN in y of a graph": (lambda: graph(y=put(Y, 3, np.nan)), ValueError, r"^y holds nan in column 'y0', row 3"),
    "constant column": (
        lambda: function(x=put(X, (slice(None), 1), 2.5)),
        ValueError,
        r"x has constant columns: 'x1' \(always 2\.5\).*leave the column out",
    ),
    "constant output": (lambda: dataset(y=0 * Y + 1), ValueError, r"y has constant columns: 'y0'"),
    "constant stream": (
        lambda: function(x=iter([put(X, (slice(None), 0), 1.0)])),
        ValueError,
        r"constant columns: 'x0'",
    ),
    "no displacement": (
        lambda: graph(y=X, target=V, transition=True),
        ValueError,
        r"constant columns: 'Δx0' \(always 0\)",
    ),
    "huge": (
        lambda: function(x=1e200 * X),
        ValueError,
        r"x holds numbers of size 2e\+200 \(column 'x0'\).*other units",
    ),
    "tiny": (lambda: function(x=1e-200 * X), ValueError, r"x holds numbers of size 2e-200.*other units"),
    "huge in float32": (
        lambda: function(x=(1e30 * X).astype(np.float32)),
        ValueError,
        r"range of float32.*other units, or use float64",
    ),
    "huge cloud": (lambda: cloud(1e200 * CIRCLE), ValueError, r"z holds numbers of size"),
    "huge data set": (lambda: dataset(x=1e200 * X), ValueError, r"x holds numbers of size"),
    # Kinds of numbers
    "booleans": (lambda: function(x=X > 0), TypeError, r"x has dtype bool: a switch has no continuous symmetry"),
    "complex": (lambda: function(x=X + 1j), ValueError, r"x has dtype complex128: split complex numbers"),
    "None among numbers": (
        lambda: function(x=put(X.astype(object), (3, 1), None)),
        TypeError,
        r"x has dtype object: every entry must be a real number",
    ),
    "text entries": (lambda: function(x=X.astype(str)), TypeError, r"x has dtype <U32: every entry"),
    "text column of a frame": (
        lambda: function(x=pd.DataFrame({"a": X[:, 0], "n": ["u"] * 60})),
        TypeError,
        r"x, column 'n' has dtype .*every entry must be a real number",
    ),
    "frame with equal names": (
        lambda: function(x=pd.DataFrame(X, columns=["a", "a"])),
        ValueError,
        r"x has columns of equal names",
    ),
    "a batch of booleans": (lambda: function(x=iter([X, X > 0])), TypeError, r"x has dtype bool"),
    # Shapes
    "too wide": (
        lambda: function(x=np.c_[X, X]),
        ValueError,
        r"x has 4 columns \(.*source acts on 2.*lieder\.scalars\(algebra, 2\)",
    ),
    "one-dimensional": (lambda: function(x=X[:, 0]), ValueError, r"x has 1 column \(x0\), but source acts on 2"),
    "transposed": (lambda: function(x=X.T), ValueError, r"x has 60 columns .*looks transposed, pass x\.T"),
    "too narrow a cloud": (lambda: cloud(CIRCLE[:, :1]), ValueError, r"z has 1 column .*action acts on 2"),
    "three dimensions": (
        lambda: function(x=X.reshape(3, 20, 2)),
        ValueError,
        r"x must be N rows of n columns, got shape \(3, 20, 2\)",
    ),
    "one row": (lambda: function(x=X[:1]), ValueError, r"x holds one row\. One point cannot show a symmetry"),
    "one row of a cloud": (lambda: cloud(CIRCLE[:1]), ValueError, r"z holds one row"),
    "one row of data": (lambda: dataset(X[:1], Y[:1]), ValueError, r"x holds one row"),
    "fewer rows than generators": (
        lambda: function(x=X[:3]),
        ValueError,
        r"x gives 3 equations for 4 candidate generators",
    ),
    "few rows of a cloud": (lambda: cloud(CIRCLE[:3]), ValueError, r"3 points are too few for tangent spaces"),
    "few rows of data": (lambda: dataset(X[:5], Y[:5]), ValueError, r"x: expected at least 10 rows .*got 5"),
    "three points, often": (lambda: cloud(np.repeat(CIRCLE[:3], 50, axis=0)), ValueError, r"3 points are too few"),
    "empty": (lambda: function(x=[]), ValueError, r"x is empty"),
    "ragged": (
        lambda: function(x=[[1.0, 2.0], [3.0]]),
        ValueError,
        r"x is ragged: its rows have different lengths\. Give",
    ),
    "None": (lambda: function(x=None), TypeError, r"x must be an array of N rows or a data frame, got None"),
    "file name": (lambda: function(x="data.csv"), TypeError, r"got a str\. For a file use lieder\.files\.rows"),
    "dictionary of columns": (lambda: function(x={"a": X[:, 0]}), TypeError, r"x must be an array .*got a dict"),
    "lengths": (lambda: graph(y=Y[:50]), ValueError, r"x has 60 rows and y has 50: rows must belong together"),
    "lengths of data": (lambda: dataset(y=Y[:50]), ValueError, r"x has 60 rows and y has 50"),
    "x and y swapped": (lambda: dataset(Y, X), ValueError, r"x has 1 and y has 2 columns.*swapped"),
    "x and y of a graph swapped": (lambda: graph(Y, X), ValueError, r"x and y are swapped"),
    "y too wide": (lambda: dataset(y=X), ValueError, r"y has 2 columns \(y0, y1\), but target acts on 1"),
    "transition widths": (
        lambda: graph(transition=True),
        ValueError,
        r"transition=True needs x and y of the same width",
    ),
    # Streams
    "iterator read twice": (read_twice, ValueError, r"x ended before giving a row\. An iterator can be read only once"),
    "iterator ends early": (lambda: function(x=iter([X[:1]])), ValueError, r"x holds one row"),
    "iterator of too few": (lambda: function(x=iter([X[:2]])), ValueError, r"x gives \d equations for 4 candidate"),
    "single rows": (
        lambda: function(x=(row for row in X)),
        ValueError,
        r"x yields pieces of shape \(2,\).*np\.stack\(list\(x\)\)",
    ),
    "widths of batches": (
        lambda: function(x=iter([X, np.c_[X, X]])),
        ValueError,
        r"x: batch 1 has 4 columns, the first had 2",
    ),
    "iterator of a cloud ends early": (lambda: cloud(iter([])), ValueError, r"z ended before giving a row"),
    "batches of data that do not match": (
        lambda: dataset([X[:30], X[30:]], [Y[:30]]),
        ValueError,
        r"x has 60 rows and y has 30: rows must belong together",
    ),
    "weights of a stream": (
        lambda: function(x=iter([X]), weights=np.ones(60)),
        ValueError,
        r"weights need data of known length",
    ),
    # Models
    "F and x swapped": (lambda: function(X, square), TypeError, r"x is a function where data are needed"),
    "no function": (lambda: function("norm"), TypeError, r"F must be a callable of one example.*got str"),
    "a batch function": (
        lambda: function(lambda x: jnp.sum(x**2, axis=1)),
        ValueError,
        r"F fails on one example of shape \(2,\): .*F takes one example, not a batch",
    ),
    "two arguments": (lambda: field(lambda t, x: x), ValueError, r"U fails on one example.*missing 1 required"),
    "a tuple": (lambda: function(lambda x: (x[0], x[1])), TypeError, r"F must return one array, got tuple"),
    "nothing returned": (lambda: function(lambda x: None), TypeError, r"F must return one array, got NoneType"),
    "a Python float": (
        lambda: function(lambda x: float(x[0])),
        TypeError,
        r"F cannot be differentiated by JAX: .*float\(\)",
    ),
    "a branch": (lambda: function(lambda x: x[0] if x[0] > 0 else x[1]), TypeError, r"F cannot .*Use jnp\.where"),
    "NumPy": (lambda: function(lambda x: np.linalg.norm(x)), TypeError, r"F cannot .*Write it with jax\.numpy"),
    "an integer model": (lambda: function(lambda x: jnp.argmax(x)), TypeError, r"F returns dtype int64"),
    "a complex model": (lambda: function(lambda x: x[0] + 1j * x[1]), TypeError, r"F returns dtype complex128"),
    "wrong width": (
        lambda: function(lambda x: x, target=ld.scalars(G, 3)),
        ValueError,
        r"F returns shape \(2,\) for one example, but target has width 3: it must return \(3,\)",
    ),
    "scalar velocity": (lambda: field(lambda x: x[0]), ValueError, r"U returns shape \(\)"),
    "NaN at one row": (
        lambda: function(lambda x: jnp.where(x[0] == X[17, 0], jnp.nan, x @ x)),
        ValueError,
        r"F returns NaN or inf at row 17 of x, \(",
    ),
    "NaN derivative": (
        lambda: function(lambda x: jnp.linalg.norm(x), put(X, 5, 0.0)),
        ValueError,
        r"F has a derivative that is NaN or inf at row 5 of x, \(0, 0\)\. It is not differentiable there",
    ),
    "NaN velocity": (lambda: field(lambda x: jnp.log(x)), ValueError, r"U returns NaN or inf at row \d+ of x"),
    "a constant": (
        lambda: function(lambda x: 1.0),
        ValueError,
        r"F has derivative zero at every row of x.*constant there",
    ),
    "steps": (lambda: function(lambda x: jnp.round(x[0])), ValueError, r"F has derivative zero.*made of steps"),
    "steps of vectors": (lambda: function(lambda x: jnp.sign(x), target=V), ValueError, r"F has derivative zero"),
    "no motion": (lambda: field(lambda x: 0 * x), ValueError, r"U has derivative zero at every row"),
    "huge values": (lambda: function(lambda x: 1e200 * square(x)), ValueError, r"F or its derivative is so large"),
    "tiny values": (
        lambda: function(lambda x: 1e-200 * square(x)),
        ValueError,
        r"F is of size .*too small to be squared",
    ),
    "not fitted": (lambda: function(LinearRegression()), ValueError, r"F: this LinearRegression is not fitted"),
    "a class": (lambda: function(LinearRegression), TypeError, r"F is the class LinearRegression, not a model"),
    "estimator of another width": (
        lambda: function(LinearRegression().fit(X, Y), target=V),
        ValueError,
        r"F answers with 1 numbers for one example, but target acts on 2",
    ),
    "constant estimator": (
        lambda: function(LinearRegression().fit(X, 0 * Y + 1)),
        ValueError,
        r"F has derivative zero",
    ),
    "fit is a function": (lambda: dataset(fit=square), TypeError, r"fit must be a text.*lieder\.discover\.function"),
    "fit is a class": (
        lambda: dataset(fit=LinearRegression),
        TypeError,
        r"fit must be .*got the class LinearRegression",
    ),
    "fit is None": (lambda: dataset(fit=None), TypeError, r"fit must be a text such as 'auto'"),
    "fit is misspelt": (
        lambda: dataset(fit="polinomial(2)"),
        ValueError,
        r"^fit: 'polinomial\(2\)'.*Did you mean 'polynomial'",
    ),
    "fit of another width": (
        lambda: dataset(fit=ld.dictionary.polynomials(3, 2)),
        ValueError,
        r"^fit: this dictionary takes 3 variables, but x has 2",
    ),
    "fit without value": (
        lambda: dataset(x=put(X, 5, 0.0), fit="radial(-5,0)"),
        ValueError,
        r"^fit: .*(not finite on 1 of|no finite value at row 5)",
    ),
    # Candidates
    "an algebra for an action": (
        lambda: function(source=G),
        TypeError,
        r"source must be an action.*the algebra gl\(2\) alone",
    ),
    "an algebra for a target": (lambda: function(target=G), TypeError, r"target must be an action"),
    "a finite group": (
        lambda: function(source=ld.vectors(ld.algebra.symmetric(2))),
        ValueError,
        r"source: S_2 has no generators.*element_penalty",
    ),
    "a text for an action": (
        lambda: function(source="gl(2)"),
        TypeError,
        r"source must be an action.*lieder\.action\.parse",
    ),
    "an algebra for a cloud": (lambda: cloud(action=G), TypeError, r"action must be an action"),
    "an algebra for a field": (lambda: field(lambda x: x, action=G), TypeError, r"action must be an action"),
    "no target": (
        lambda: dataset(target=None),
        TypeError,
        r"target must be an action.*lieder\.scalars\(algebra, width\)",
    ),
    "different algebras": (
        lambda: function(lambda x: x, target=ld.vectors(ld.algebra.sl(2))),
        ValueError,
        r"source and target are over different algebras: source over gl\(2\).*independent\(source, target\)",
    ),
    "different algebras of data": (
        lambda: dataset(target=ld.scalars(ld.algebra.sl(2), 1)),
        ValueError,
        r"source and target are over different algebras",
    ),
    "all ineffective": (
        lambda: function(source=ld.scalars(G, 2)),
        ValueError,
        r"all 4 candidates are ineffective: none of them moves the data",
    ),
    "all ineffective on a cloud": (
        lambda: cloud(action=ld.scalars(G, 2)),
        ValueError,
        r"all 4 candidates are ineffective",
    ),
    "cloud fills its space": (lambda: cloud(X), ValueError, r"z: the points fill their 2-dimensional space"),
    "unknown algebra": (
        lambda: ld.algebra.by_name("gll(3)"),
        ValueError,
        r"unknown algebra 'gll\(3\)': did you mean gl",
    ),
    "algebra is a number": (lambda: ld.algebra.by_name(3), TypeError, r"name is text such as 'gl\(3\)', got int"),
    "size of an algebra": (lambda: ld.algebra.by_name("gl(2.5)"), ValueError, r"cannot read the sizes in 'gl\(2\.5\)'"),
    # Candidates as text
    "text: unknown algebra": (
        lambda: parse("gll(3) on vectors(x,y,z)"),
        ValueError,
        r"candidates: unknown algebra 'gll\(3\)'",
    ),
    "text: width": (
        lambda: parse("gl(2) on vectors(x,y,z)"),
        ValueError,
        r"vectors\(x,y,z\) has 3 columns, but gl\(2\) acts on vectors of width 2",
    ),
    "text: column": (
        lambda: parse("gl(2) on vectors(x,X)"),
        ValueError,
        r"no column 'X'; did you mean 'x'\? Columns in use: x, y, z",
    ),
    "text: kind": (lambda: parse("gl(3) on vektors(x,y,z)"), ValueError, r"no kind 'vektors'; did you mean 'vectors'"),
    "text: grammar": (
        lambda: parse("gl(3) vectors(x,y,z)"),
        ValueError,
        r"cannot read 'gl\(3\) vectors\(x,y,z\)'\. Write",
    ),
    "text: blocks": (lambda: parse("gl(3) on vectors x,y,z"), ValueError, r"cannot read the blocks 'vectors x,y,z'"),
    "text: empty name": (lambda: parse("gl(2) on vectors(x,y,)"), ValueError, r"holds an empty column name"),
    "text: empty": (lambda: parse(" ; "), ValueError, r"candidates: nothing given"),
    "text: none": (lambda: parse(None), TypeError, r"candidates must be a text, got NoneType"),
    "text: twice": (lambda: parse("gl(3) on vectors(x,y,x)"), ValueError, r"uses a column twice"),
    "text: both sides": (lambda: parse("gl(2) on vectors(x,ax)"), ValueError, r"mixes inputs and outputs"),
    "text: degree": (lambda: parse("polynomial(a) on points(x,y)"), ValueError, r"write polynomial\(2\)"),
    "text: name on both sides": (
        lambda: ld.action.parse("gl(1) on vectors(x)", ["x"], ["x"]),
        ValueError,
        r"column 'x' occurs twice among inputs and outputs",
    ),
    # Options
    **{
        f"tolerance {value}": (
            lambda value=value: function(tolerance=value),
            ValueError,
            r"tolerance must lie in \(0, 1\.414\]",
        )
        for value in (0, -1, 2, np.nan, "a", True)
    },
    **{
        f"min_gap {value}": (
            lambda value=value: cloud(min_gap=value),
            ValueError,
            r"min_gap must be a finite number above 1",
        )
        for value in (0, 1, np.nan, np.inf, "a", None)
    },
    **{
        f"error {value}": (lambda value=value: function(error=value), ValueError, r"error must be a relative error")
        for value in (-1, np.nan, np.inf, "a")
    },
    **{
        f"seed {value}": (
            lambda value=value: dataset(seed=value),
            ValueError,
            r"seed must be a whole number of at least 0",
        )
        for value in (-1, 1.5, "a")
    },
    "dimension": (
        lambda: cloud(dimension=1.5),
        ValueError,
        r"dimension must be a whole number of at least 1, got 1\.5",
    ),
    "dimension too large": (lambda: cloud(dimension=3), ValueError, r"dimension must lie in 1\.\.2, got 3"),
    "neighbours": (lambda: cloud(neighbours=1), ValueError, r"neighbours must lie in 3\.\.\d+ for dimension 1"),
    "max_points": (lambda: cloud(max_points=0), ValueError, r"max_points must be a whole number of at least 1"),
    "negative weights": (lambda: function(weights=-np.ones(60)), ValueError, r"weights must be finite, not negative"),
    "NaN weights": (lambda: function(weights=np.full(60, np.nan)), ValueError, r"weights must be finite"),
    "zero weights": (lambda: function(weights=np.zeros(60)), ValueError, r"weights must be .*not all zero"),
    "one weight": (
        lambda: function(weights=put(np.zeros(60), 0, 1.0)),
        ValueError,
        r"weights are positive for 1 row only",
    ),
    "short weights": (
        lambda: function(weights=np.ones(59)),
        ValueError,
        r"one number a row, shape \(60,\), got shape \(59,\)",
    ),
    "text weights": (
        lambda: function(weights="relative"),
        TypeError,
        r"weights must hold one number a row \(60\), got 'relative'",
    ),
    "misspelt weights": (
        lambda: dataset(weights="relativ"),
        ValueError,
        r"weights must be 'auto', 'relative', None or one number a row",
    ),
    "weights of a graph": (lambda: dataset(fit="graph", weights=np.ones(3)), ValueError, r"one number a row"),
    "too few names": (lambda: function(names=["a"]), ValueError, r"x has 2 columns but 1 name came: a"),
    "names as text": (lambda: function(names="ab"), TypeError, r"names of x must be a list.*got the text 'ab'"),
    "equal names": (lambda: function(names=["a", "a"]), ValueError, r"x has columns of equal names, a, a"),
    "output names": (lambda: function(output_names=["a", "b"]), ValueError, r"output_names must hold 1 name, got a, b"),
    "output names as text": (lambda: function(output_names="u"), TypeError, r"output_names must be a list of texts"),
    "output names of data": (lambda: dataset(output_names=["a", "b"]), ValueError, r"y has 1 column but 2 names came"),
}


@pytest.mark.parametrize(("do", "kind", "message"), list(MISTAKES.values()), ids=list(MISTAKES))
def test_a_mistake_has_its_own_message(do, kind, message):
    with pytest.raises(kind, match=message) as caught:
        do()
    text = str(caught.value)
    assert "\n" not in text
    # One or two sentences, and a list of known names at most.
    assert len(text) < 420, text
    assert len(re.findall(r"[a-z)'\]]\. [A-Z]", text)) <= 3, text


# What looks odd and is no mistake

READ_ONLY = X.copy()
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    "x",
    [
        X.tolist(),
        list(X),
        np.asfortranarray(np.concatenate([X, X]))[::2],
        READ_ONLY,
        pd.DataFrame(X, columns=["a", "b"]),
        X.astype(np.float16),
    ],
    ids=["lists", "list of rows", "strided", "read-only", "frame", "half precision"],
)
def test_odd_arrays_are_data(x):
    found = function(x=x)
    a, b = found.names[:2]
    assert found.fields() == [f"{a} d/d{b} - {b} d/d{a}"]


def test_equal_columns_leave_what_cannot_be_seen_aside():
    found = function(x=X[:, [0, 0]])
    assert len(found.ineffective) == 2
    assert np.isfinite(found.defects).all()


def test_weights_need_not_be_positive_everywhere():
    found = function(weights=np.where(np.arange(60) < 30, 1.0, 0.0))
    assert found.dim == 1 and found.similarity([0, -1, 1, 0]) > 1 - 1e-9


def test_outputs_named_like_inputs_get_another_name():
    found = graph(names=["a", "b"], output_names=["a"])
    assert found.names == ("a", "b", "a_out")


def test_a_graph_says_that_it_has_no_weights():
    found = dataset(fit="graph", weights=np.ones(60))
    assert "not used" in found.evidence.model


def test_no_warning_reaches_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dataset(x=1e25 * X, y=1e50 * Y).dim == 1
