"""JAX arrays over devices and processes: the answer is that of the whole array, in every process bit for bit."""

import os
import re
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

import lieder as ld

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SLURM = {"SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": "2", "SLURM_LOCALID": "0", "JAX_ENABLE_X64": "1"}
QUICK = "--xla_backend_optimization_level=0"  # what takes time is to compile

ABOUT = """
import os, sys
import equinox as eqx, jax, jax.numpy as jnp, numpy as np, pytest
jax.config.update("jax_enable_x64", True)
rank, processes = int(sys.argv[1]), int(sys.argv[2])
if processes > 1:
    jax.distributed.initialize(f"127.0.0.1:{sys.argv[3]}", processes, rank)
import lieder as ld

turns = ld.vectors(ld.algebra.gl(2))
x = np.random.default_rng(0).normal(size=(720, 2))
y = x[:, :1] ** 2 + x[:, 1:] ** 2
weights = np.random.default_rng(1).uniform(size=720)


class Bowl(eqx.Module):
    height: jax.Array

    def __call__(self, z):
        return self.height * (z[0] ** 2 + z[1] ** 2)


def spread(rows, devices, spec=None):
    shape = (2, len(devices) // 2) if spec is not None else (len(devices),)
    mesh = jax.sharding.Mesh(np.array(devices).reshape(shape), ("a", "b") if spec is not None else ("a",))
    sharding = jax.NamedSharding(mesh, jax.P("a") if spec is None else spec)
    return jax.make_array_from_callback(rows.shape, sharding, lambda place: rows[place], dtype=rows.dtype)


def same(found, whole):
    assert found.dim == whole.dim == 1
    np.testing.assert_allclose(found.defects, whole.defects, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found.basis, whole.basis, rtol=1e-10, atol=1e-10)


def alike(found, whole):
    np.testing.assert_array_equal(found != 0, whole != 0)
    np.testing.assert_allclose(found, whole, rtol=1e-10, atol=1e-13)


bowl = Bowl(jnp.asarray(2.0))
rates = np.stack([x[:, 1], -x[:, 0] * x[:, 1] ** 2], axis=1) + 0.1 * np.random.default_rng(2).normal(size=x.shape)


def moving(x, rates, penalty=0.1):
    model = ld.enforce.SparseDynamics("polynomials(2)", symmetry=ld.vectors(ld.algebra.so(2)), penalty=penalty)
    return model.fit(x, rates).coefficients_


def conserving(x, system=lambda z: jnp.stack([z[1], -4 * z[0]])):
    found = ld.discover.conserved(system, "polynomials(2)", x=x)
    assert found.dim == 1 and found.rows == 720
    return np.concatenate([found.basis.ravel(), found.spread, found.states[0].ravel(), 1 + found.defects])


"""

WHOLE = """
motion, kept = moving(x, rates), conserving(x)
whole = ld.discover.function(bowl, x, source=turns, weights=weights)
"""

DEVICES = (
    WHOLE
    + """
for count in (1, 2, 4, 8):
    some = jax.devices()[:count]
    same(ld.discover.function(bowl, spread(x, some), source=turns, weights=weights), whole)
for spec in (jax.P(("a", "b")), jax.P("b"), jax.P()):
    rows = spread(x, jax.devices(), spec)
    same(ld.discover.function(bowl, rows, source=turns, weights=weights), whole)
copies = Bowl(spread(np.asarray(2.0), jax.devices(), jax.P()))
same(ld.discover.function(copies, rows, source=turns, weights=weights), whole)

scalar = ld.scalars(turns.algebra, 1)
fitted = ld.discover.dataset(x, y, source=turns, target=scalar, fit="polynomial(2)")
some = jax.devices()[:4]
same(ld.discover.dataset(spread(x, some), spread(y, some), source=turns, target=scalar, fit="polynomial(2)"), fitted)
alike(moving(spread(x, some), spread(rates, some)), motion)
alike(moving(spread(x, some), rates), motion)
alike(moving(x, spread(rates, some)), motion)
alike(conserving(spread(x, some)), kept)
with pytest.raises(ValueError, match="along its columns.* jax.device_put"):
    ld.discover.function(bowl, spread(x, jax.devices()[:4], jax.P("a", "b")), source=turns)
batch = x[:64]
expected = ld.promote.penalty(bowl, batch, source=turns)
for kind in (jax.sharding.AxisType.Explicit, jax.sharding.AxisType.Auto):
    mesh = jax.make_mesh((8,), ("a",), axis_types=(kind,))
    there = jax.device_put(batch, jax.NamedSharding(mesh, jax.P("a")))
    with jax.set_mesh(mesh):
        loss = jax.jit(jax.grad(lambda model, x: ld.promote.penalty(model, x, source=turns)))(bowl, there)
        number = jax.jit(lambda x: ld.promote.penalty(bowl, x, source=turns))(there)
    np.testing.assert_allclose(number, expected, rtol=1e-12)
    np.testing.assert_allclose(loss.height, expected / 2, rtol=1e-6)
parts = Bowl(spread(np.ones(8), jax.devices()))
with pytest.raises(ValueError, match="F has a parameter of shape .8,. that is spread over devices in parts"):
    ld.discover.function(parts, x, source=turns)
"""
)

LEARNING = """
how = ld.learn.Descent(100, 16, 1e-2)
pictures = np.random.default_rng(2).uniform(size=(42, 4, 4)) * np.linspace(0, 1, 4)
learnt = ld.learn.vae(pictures, latent=2, width=8, how=how)
there = ld.learn.vae(spread(pictures, jax.devices()[:2]), latent=2, width=8, how=how)
np.testing.assert_allclose(there.course, learnt.course, rtol=1e-5)  # float32, a hundred steps
with pytest.raises(ValueError, match="batch: 16 rows do not split over the 3 devices of the data. Give a multiple"):
    ld.learn.vae(spread(pictures, jax.devices()[:3]), how=how)
"""

SPLIT = """
from lieder.learn import _autoencoder, _encounter, _game
from lieder.learn._devices import copied, split_over

_game.BLOCK = _encounter.BLOCK = 5  # steps: rounding has no time to grow
BATCH, WIDTH, key = 40, 24, jax.random.key(0)
split = split_over(spread(x, jax.devices()), BATCH, {})


def doubled(tree):
    return jax.tree.map(lambda leaf: leaf.astype(float) if leaf.dtype == np.float32 else leaf, tree)


def check_split(block, data, state, rows):
    # Five steps over two devices are those of one, though no device has a layer of more rows than its part of a batch.
    data, state = doubled((data, state))
    program = block(split).lower(*copied((data, state), split), key).compile()
    text = program.as_text()
    assert "all-reduce" in text
    assert f"f64[{rows // 2},{WIDTH}]" in text and f"f64[{rows},{WIDTH}]" not in text
    there, here = program(*copied((data, state), split), key)[0], block(None)(data, state, key)[0]
    moved = [np.abs(now - then).max() for now, then in zip(*map(jax.tree.leaves, (here, state))) if now.size]
    assert max(moved) > 1e-3
    for one, other in zip(*map(jax.tree.leaves, (there, here)), strict=True):
        assert one.sharding.is_fully_replicated
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-8, atol=1e-8)


settings = _game.Settings(1, _game.Coefficients(), True, _game.Losses(), WIDTH, BATCH, 100, (3e-3, 1e-3), 0.1)
on = _game.board(x, np.eye(4), np.arange(100))
states = jax.tree.map(lambda leaf: leaf[None], _game.Game(turns, settings).start(on, key))


def playing(split):
    game = _game.Game(turns, settings, split)
    return jax.jit(lambda on, states, key: game.block(on, states, key))


check_split(playing, on, states, BATCH)

how = ld.discover.Encoding((WIDTH,), batch=BATCH, inverse=0, rates=(3e-3, 3e-3, 1e-3))
model = _autoencoder.autoencoder(2, 1, how.widths, key, None, None)
fixed = eqx.filter(model, eqx.is_inexact_array, inverse=True)
pairs = _encounter.Rows(*(jnp.asarray(side, jnp.float32) for side in (x[100:], rates[100:], x[:100], rates[:100])))


def meeting(split):
    encounter = _encounter.Encounter(how, "direct", 1, 1, fixed, split)
    return jax.jit(lambda pairs, state, key: encounter.block(pairs, state, key))


state = _encounter.Encounter(how, "direct", 1, 1, fixed).start(model, key)
check_split(meeting, pairs, state, 2 * BATCH)  # each is two rows
"""

TOGETHER = """
from pathlib import Path
from lieder.learn import _adversarial, _game

_game.BLOCK = _adversarial.BLOCK = 10
file = Path(sys.argv[4]) / f"{rank}.npz"  # as if each had a disk of its own
everywhere = spread(x, jax.devices())
block, called = _game.Game.block, []


def play(rows, last=None, checkpoint=None, seed=0):
    def counted(game, *given):
        called.append(last)
        if called.count(last) == last:
            ending[last]()
        return block(game, *given)

    _game.Game.block = counted
    return ld.discover.adversarial(
        rows, source=turns, steps=30, batch=16, width=8, restarts=1, checkpoint=checkpoint, seed=seed
    )


def by_hand():
    raise KeyboardInterrupt


def for_good():
    if rank == 1:
        os._exit(0)


ending = {2: by_hand, 3: for_good}
with pytest.raises(KeyboardInterrupt):
    play(everywhere, 2, file)
assert file.exists() == (rank == 0)
called.clear()
resumed = play(everywhere, None, file)
assert len(called) == 2
found = play(everywhere)
np.testing.assert_array_equal(found.defects, resumed.defects)
np.testing.assert_array_equal(found.basis, resumed.basis)
print(*(number.hex() for number in [*found.defects, *found.basis.ravel()]), *found.evidence.notes, flush=True)
if rank == 0:  # once is enough
    alone = play(x)
    np.testing.assert_allclose(found.defects, alone.defects, atol=1e-3)
    np.testing.assert_allclose(found.directions, alone.directions, atol=1e-3)
with pytest.raises(ValueError, match="0 and 1 differ in seed: 0 and 1"):
    play(everywhere, seed=rank)
file = file.with_stem("killed")
with pytest.raises(RuntimeError, match="one of them has ended"):
    play(everywhere, 3, file)
assert len(np.load(file)["criteria"]) == 2
os._exit(0)  # else JAX waits for the process that has ended
"""

MERGED = """
from lieder.interop._together import merged

assert merged([rank], lambda lower, upper: lower + upper) == [0, 1, 2]
assert merged([rank] if rank != 1 else None, lambda lower, upper: lower + upper) == [0, 2]
with pytest.raises(KeyError, match="2"):
    merged(KeyError("2") if rank == 2 else [rank], lambda lower, upper: lower + upper)
with pytest.raises(TypeError):
    merged([rank] if rank else rank, lambda lower, upper: lower + upper)
"""

PROCESSES = (
    WHOLE
    + """
found = ld.discover.function(bowl, spread(x, jax.devices()), source=turns, weights=weights)
same(found, whole)
both = spread(x, [device for device in jax.devices() if device.process_index < 2])
same(ld.discover.function(bowl, both, source=turns, weights=weights), whole)
here = jax.devices()
moved = moving(spread(x, here), spread(rates, here))
alike(moved, motion)
constant = conserving(spread(x, here))
alike(constant, kept)
print(*(number.hex() for number in [*found.defects, *found.basis.ravel(), *moved.ravel(), *constant]), flush=True)
assert "process" not in " ".join(found.evidence.notes)
assert f"the rows of process {rank} of 4 alone" in whole.evidence.notes[-1]
other = Bowl(jnp.asarray(2.0 + (rank == 2)))
with pytest.raises(ValueError, match="do not ask the same question, 0 and 2 differ in the model: one marked"):
    ld.discover.function(other, spread(x, jax.devices()), source=turns)
with pytest.raises(ValueError, match="0 and 3 differ in penalty: 0.1 and 0.3"):
    moving(spread(x, here), spread(rates, here), 0.3 if rank == 3 else 0.1)
table, which = (spread(x, here), spread(y, here)), "polynomial(2)" if rank == 2 else "polynomial(3)"
with pytest.raises(ValueError, match="0 and 2 differ in fit: polynomial.3. and polynomial.2."):
    ld.discover.dataset(*table, source=turns, target=ld.scalars(turns.algebra, 1), fit=which)
with pytest.raises(ValueError, match="0 and 3 differ in seed: 0 and 1"):
    ld.promote.Regression("polynomials(2)", source=turns, seed=int(rank == 3)).fit(*table)
with pytest.raises(ValueError, match="0 and 1 differ in system: one marked .* and one"):
    conserving(spread(x, here), lambda z: jnp.stack([z[1], -z[0] * (2 + (rank == 1))]))
holed = x.copy()
holed[700, 1] = np.nan
with pytest.raises(ValueError, match="column 'x1', row 700"):  # in every process
    ld.discover.function(bowl, spread(holed, jax.devices()), source=turns)
if rank == 1:
    os._exit(0)
with pytest.raises(RuntimeError, match="one of them has ended"):
    ld.discover.function(bowl, spread(x, jax.devices()), source=turns)
os._exit(0)  # else JAX waits for the process that has ended
"""
)


def started(script: str, devices: int, *arguments: object, flags: str = "") -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(ABOUT + script), *map(str, arguments)]
    return job(command, environment(devices, flags))


def environment(devices: int, flags: str = "") -> dict[str, str]:
    return os.environ | {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices} {flags}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "JAX_PLATFORMS": "cpu",
    }


def job(command: list[str], environment: dict[str, str], within: Path | None = None) -> subprocess.Popen:
    return subprocess.Popen(
        command, cwd=within, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def printed(process: subprocess.Popen) -> str:
    try:
        out, _ = process.communicate(timeout=300)  # nobody waits for ever for a process that waits for another
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, out
    return out


def test_devices():
    printed(started(DEVICES, 8, 0, 1))


def test_a_learned_density():
    printed(started(LEARNING, 4, 0, 1))


def test_batches_are_split():
    printed(started(SPLIT, 2, 0, 1, flags=QUICK))


def is_free(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) != 0


def in_processes(script: str, count: int, *arguments: object, flags: str = "") -> list[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    jobs = [started(script, 1, rank, count, port, *arguments, flags=flags) for rank in range(count)]
    return [printed(job) for job in jobs]


def test_processes_learn_together(tmp_path):
    told = in_processes(TOGETHER, 2, tmp_path, flags=QUICK)
    numbers = {line for out in told for line in out.splitlines() if line.startswith(("0x", "-0x"))}
    assert len(numbers) == 1, told


def test_the_page_s_job_runs_as_srun_starts_it(tmp_path):
    """The job of docs/scale.md, started twice with what Slurm tells its processes by their environment."""
    python, jobs = (re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.S) for kind in ("python", "text"))
    model = "def potential" + python[0].split("def potential")[1].split("found =")[0]
    program = next(one for one in jobs if "jax.distributed.initialize()" in one)
    (tmp_path / "job.py").write_text(program.replace("found =", f"import jax.numpy as jnp\n{model}\nfound ="))
    x = np.random.default_rng(0).normal(size=(600, 3))
    for rank in range(2):
        np.save(tmp_path / f"rows-{rank}.npy", x[300 * rank : 300 * (rank + 1)])
    number = next(number for number in range(4096) if is_free(61440 + number))  # by it JAX chooses its port
    started = [
        job(
            [sys.executable, "job.py"],
            environment(1, QUICK) | SLURM | {"SLURM_JOB_ID": str(number), "SLURM_PROCID": rank},
            tmp_path,
        )
        for rank in "01"
    ]
    for process in started:
        printed(process)
    page: dict[str, Any] = {"ld": ld, "jnp": jnp}
    exec(model, page)
    whole = ld.discover.function(page["potential"], x, source=page["candidates"])
    found = ld.discover.Symmetries.load(tmp_path / "found.npz")
    assert found.dim == whole.dim == 1
    np.testing.assert_allclose(found.defects, whole.defects, rtol=1e-10, atol=1e-14)


def test_an_odd_number_of_processes_merges_in_order_and_tells_of_errors():
    in_processes(MERGED, 3)


def test_processes():
    told = in_processes(PROCESSES, 4)
    numbers = {line for out in told for line in out.splitlines() if line.startswith(("0x", "-0x"))}
    assert len(numbers) == 1, told
