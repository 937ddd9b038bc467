"""Seconds until the first line of a script runs, against importing the parts lieder stands on.

    python benchmarks/imports.py [--quick]

CPU seconds of a fresh process, user and system: the seconds of an idle machine, whatever else runs; files are in the
page cache, bytecode is written before.
"""

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

RIVAL = "import jax, equinox, diffrax, sklearn"
CASES = {
    "`import lieder`": ([sys.executable, "-c", "import lieder"], "1.5 x"),
    "`import lieder.discover`": ([sys.executable, "-c", "import lieder.discover"], "1.2 x"),
    "`lieder --help`": ([sys.executable, "-c", "from lieder.cli import main; main()", "--help"], "1 s"),
}


def seconds(command: list[str]) -> float:
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment = {**os.environ, **one_thread, "PYTHONPATH": str(Path(__file__).parents[1])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 11")
    rounds = 3 if parser.parse_args().quick else 11
    commands = {"rival": [sys.executable, "-c", RIVAL], "bare": [sys.executable, "-c", "pass"]}
    commands |= {name: command for name, (command, _) in CASES.items()}
    for command in commands.values():
        seconds(command)  # files into the page cache, bytecode written
    times = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds(command))
    median = {name: sorted(values)[rounds // 2] for name, values in times.items()}
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    print(f"`{RIVAL}`: {median['rival']:.2f} s; bare Python: {median['bare']:.3f} s")
    print("| fresh process | CPU seconds | ratio to the rival | line |\n| --- | --- | --- | --- |")
    for name, (_, line) in CASES.items():
        print(f"| {name} | {median[name]:.2f} | {median[name] / median['rival']:.2f} | {line} |")


if __name__ == "__main__":
    main()
