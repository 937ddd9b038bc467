"""Regenerate planets.csv: the eight planets from 1950 to 2050, by the routine plan94 of pyerfa.

Columns: planet, julian_date (TDB, days), heliocentric position x, y, z (AU), velocity vx, vy, vz (AU/day) and
acceleration ax, ay, az (AU/day^2), in the ecliptic and equinox of J2000. Every 40 days.

plan94 answers in the mean equator and equinox of J2000, so everything is rotated about x by the obliquity
23.4392911 degrees. It gives no accelerations: they are central differences of its velocities, one day to either side.
Its third body is the Earth-Moon barycentre. Method: Simon et al., Astronomy and Astrophysics 282, 663 (1994).

    pip install pyerfa
    python examples/planets_data.py --output planets.csv

prints the largest relative deviation from the file shipped beside this script.
"""

import argparse
import csv
from pathlib import Path

import erfa
import numpy as np

PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")
COLUMNS = ("planet", "julian_date", "x", "y", "z", "vx", "vy", "vz", "ax", "ay", "az")
FIRST, SPACING, COUNT = 2433282.5, 40.0, 914  # 1 January 1950, days, dates up to 2050
STEP = 1.0  # days, of the central difference
OBLIQUITY = np.deg2rad(23.4392911)
TO_ECLIPTIC = np.array(
    [
        [1.0, 0.0, 0.0],
        [0.0, np.cos(OBLIQUITY), np.sin(OBLIQUITY)],
        [0.0, -np.sin(OBLIQUITY), np.cos(OBLIQUITY)],
    ]
)


def table(dates):
    """Rows (planet, date, nine numbers) with the numbers rounded to the nine digits that are shipped."""
    rows = []
    for number, planet in enumerate(PLANETS, start=1):
        now, after, before = (erfa.plan94(dates, shift, number) for shift in (0.0, STEP, -STEP))
        acceleration = (after["v"] - before["v"]) / (2 * STEP)
        numbers = np.hstack([part @ TO_ECLIPTIC.T for part in (now["p"], now["v"], acceleration)])
        for date, row in zip(dates, numbers, strict=True):
            rows.append([planet, f"{date:.1f}", *(f"{number:.9g}" for number in row)])
    return rows


def largest_deviation(rows, shipped):
    """Largest relative difference between two tables, over the rows that both have."""
    with open(shipped, newline="") as file:
        known = {(row[0], row[1]): np.array(row[2:], dtype=float) for row in list(csv.reader(file))[1:]}
    pairs = [(np.array(row[2:], dtype=float), known[row[0], row[1]]) for row in rows]
    return max(np.max(np.abs(new - old) / np.abs(old)) for new, old in pairs)


def main():
    """Write the table and say how far it is from the shipped one."""
    parser = argparse.ArgumentParser(description="Regenerate planets.csv with pyerfa's plan94.")
    parser.add_argument("--output", default="planets.csv", help="file to write (default: planets.csv here)")
    parser.add_argument("--quick", action="store_true", help="every 400 days instead of every 40")
    options = parser.parse_args()

    dates = FIRST + SPACING * np.arange(0, COUNT, 10 if options.quick else 1)
    rows = table(dates)
    with open(options.output, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    deviation = largest_deviation(rows, Path(__file__).with_name("planets.csv"))
    print(f"{len(rows)} rows written to {options.output}")
    print(f"largest relative deviation from the shipped file: {deviation:.1e}")
    if deviation > 1e-7:  # nine digits are printed; a different libm may move the last
        raise SystemExit("this is not the shipped table")


if __name__ == "__main__":
    main()
