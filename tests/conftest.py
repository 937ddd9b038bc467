"""Settings of every test: one BLAS thread, x64 on, annotations checked at run time, programs compiled once a run."""

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

# Before NumPy is imported: small factors are slower, and their last digits vary, with many threads.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["COLUMNS"] = "140"  # what is printed is broken into lines by the width of the terminal, whatever it is here

# Before JAX is imported: both workers, and what tests start, share the programs that XLA has compiled. A run begins
# with none, so that none is older than the library.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="lieder-compiled-")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "0"
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
    # Each program that is read back is reported on a page about processor features that are no features.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# What tests run is short: to compile it without LLVM's costly passes saves a fifth of the time, in training tests, too.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax
import jaxtyping
import pytest

jax.config.update("jax_enable_x64", True)

# The library's annotations are promises; here, and only here, they are held to. Before any room is imported.
CHECK_TYPES = os.environ.get("LIEDER_CHECK_TYPES", "1") == "1"
if CHECK_TYPES:
    # The numeric tower: an int where a float is annotated is no fault.
    jaxtyping.install_import_hook("lieder", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

_raises = pytest.raises


def _raises_with_the_library_s_own_message(*arguments, **options):
    """`pytest.raises` with the annotations unchecked inside it.

    A test of an error message breaks the annotation on purpose, and must meet the message that a user would meet.
    """
    return _Unchecked(_raises(*arguments, **options))


class _Unchecked:
    """A context manager around another, inside which jaxtyping checks nothing."""

    def __init__(self, inner):
        self.inner = inner

    def __enter__(self):
        jaxtyping.config.update("jaxtyping_disable", True)
        return self.inner.__enter__()

    def __exit__(self, *fault):
        jaxtyping.config.update("jaxtyping_disable", False)
        return self.inner.__exit__(*fault)


if CHECK_TYPES:
    pytest.raises = _raises_with_the_library_s_own_message


SLOW = Path(__file__).with_name("slow.txt")


def listed_as_slow() -> set[str]:
    """The tests of slow.txt, as `tests/room/test_file.py::test[case]`."""
    file, found = "", set()
    for line in SLOW.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            found.add(f"{file}::{line.strip()}")
        elif line and not line.startswith("#"):
            file = line
    return found


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is marked
def pytest_collection_modifyitems(config, items):
    """Marks the tests of slow.txt; one that is no longer there is an error."""
    listed = listed_as_slow()
    for item in items:
        if item.nodeid in listed:
            item.add_marker("slow")
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        files = {item.nodeid.split("::")[0] for item in items}  # without those whose extra is absent
        gone = {test for test in listed if test.split("::")[0] in files} - {item.nodeid for item in items}
        if gone:
            raise pytest.UsageError(f"tests/slow.txt lists what is no test: {', '.join(sorted(gone))}")


# Tracing makes millions of small objects that live on: looking through them as often as usual is a twelfth of the time.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_finish():
    """What is imported by now stays: it need not be looked through."""
    gc.collect()
    gc.freeze()


FULL = 30_000  # memory maps of a process: Linux gives 65,530, and a program that finds none left crashes it


@pytest.fixture(autouse=True, scope="module")
def _room_for_programs():
    """Programs are dropped once they are many: each takes a few maps, and thousands of tests compile their own."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > FULL:
        jax.clear_caches()
        gc.collect()
