"""The name of a finite group from its multiplication table."""

from collections import Counter
from itertools import combinations, pairwise, permutations
from math import factorial, gcd

import numpy as np
from jaxtyping import Bool, Int

MOST_NORMAL = 200  # normal subgroups looked at when a group is split into a product


def name_of_table(table: Int[np.ndarray, "G G"]) -> str:
    """ "C7", "D4", "S3", "A4", "Q8", "Z2 x Z2", "Z2 x S4", or the order of a group that is none of these.

    Cyclic groups of three and more elements are C_n, the group of two is Z2, and D_n has 2 n elements (D3 is S3).

    Arguments: `table` (G, G) of products, element 0 the identity.
    """
    size = len(table)
    if size == 1:
        return "trivial"
    orders = _orders(table)
    if np.array_equal(table, table.T):
        factors = _abelian(orders)
        return _cyclic(factors[0]) if len(factors) == 1 else " x ".join(f"Z{d}" for d in factors)
    for known in (_dihedral, _dicyclic, _symmetric):
        if name := known(table, orders):
            return name
    return _product(table) or f"a group of order {size}"


def _cyclic(n: int) -> str:
    return "Z2" if n == 2 else f"C{n}"


def _orders(table: np.ndarray) -> Int[np.ndarray, " G"]:
    size = len(table)
    order, power, count = np.zeros(size, int), np.arange(size), 1
    while not order.all():
        order[(power == 0) & (order == 0)] = count
        power, count = table[power, np.arange(size)], count + 1
    return order


def _abelian(orders: np.ndarray) -> list[int]:
    """Invariant factors d_1 | d_2 | ..., from how many elements have each order."""
    left, size = [], len(orders)
    prime = 2
    factors: list[list[int]] = []
    while size > 1:
        if size % prime:
            prime += 1
            continue
        while size % prime == 0:
            size //= prime
        # As many elements have p^j x = 0 as the product over the cyclic factors p^e of p^min(j, e).
        counts, j = [1], 1
        while True:
            counts.append(int(np.sum(prime**j % orders == 0)))
            if counts[-1] == counts[-2]:
                break
            j += 1
        logs = [round(np.log(b / a) / np.log(prime)) for a, b in pairwise(counts)]
        powers = [
            prime**j
            for j, (here, after) in enumerate(zip(logs, [*logs[1:], 0], strict=True), 1)
            for _ in range(here - after)
        ]
        factors.append(sorted(powers, reverse=True))
    longest = max(map(len, factors))
    for k in range(longest):
        left.append(int(np.prod([part[k] for part in factors if k < len(part)])))
    return sorted(left)


def _powers(table: np.ndarray, k: int) -> Bool[np.ndarray, " G"]:
    inside, at = np.zeros(len(table), bool), 0
    while not inside[at]:
        inside[at] = True
        at = table[k, at]
    return inside


def _dihedral(table: np.ndarray, orders: np.ndarray) -> str:
    half = len(table) // 2
    for k in np.flatnonzero(orders == half):
        if np.all(orders[~_powers(table, int(k))] == 2):
            return "S3" if half == 3 else f"D{half}"
    return ""


def _dicyclic(table: np.ndarray, orders: np.ndarray) -> str:
    size = len(table)
    for k in np.flatnonzero(orders == size // 2) if size % 4 == 0 else ():
        if np.all(orders[~_powers(table, int(k))] == 4):
            return "Q8" if size == 8 else f"Dic{size // 4}"
    return ""


def _symmetric(table: np.ndarray, orders: np.ndarray) -> str:
    found = Counter(orders.tolist())
    for n in range(4, 7):
        for size, letter in ((factorial(n), "S"), (factorial(n) // 2, "A")):
            if len(table) == size and found == _cycle_orders(n, letter == "A"):
                return f"{letter}{n}"
    return ""


def _cycle_orders(n: int, even: bool) -> Counter:
    out: Counter = Counter()
    for p in permutations(range(n)):
        seen, order, cycles = set(), 1, 0
        for start in range(n):
            length, at = 0, start
            while at not in seen:
                seen.add(at)
                at, length = p[at], length + 1
            if length:
                order, cycles = order * length // gcd(order, length), cycles + 1
        if not even or (n - cycles) % 2 == 0:
            out[order] += 1
    return out


def _product(table: np.ndarray) -> str:
    """Two factors, each with its own name: normal subgroups that share the identity alone and are large enough."""
    size = len(table)
    inverse = np.argmin(table, axis=1)  # 0 is the least number
    normal: dict[bytes, np.ndarray] = {}
    for k in range(1, size):
        mates = np.unique(table[table[:, k], inverse])
        inside = _closed(table, mates)
        normal.setdefault(inside.tobytes(), inside)
    for a, b in combinations(list(normal.values()), 2):
        if len(normal) > MOST_NORMAL:
            break
        joined = _closed(table, np.flatnonzero(a | b))
        normal.setdefault(joined.tobytes(), joined)
    groups = sorted((one for one in normal.values() if 1 < one.sum() < size), key=lambda one: int(one.sum()))
    for a in groups:
        for b in groups:
            if a.sum() * b.sum() == size and a.sum() <= b.sum() and (a & b).sum() == 1:
                names = [name_of_table(_part(table, one)) for one in (a, b)]
                if not any(name.startswith("a group") for name in names):
                    return " x ".join(names)
    return ""


def _part(table: np.ndarray, inside: np.ndarray) -> np.ndarray:
    numbers = np.flatnonzero(inside)
    return np.searchsorted(numbers, table[np.ix_(numbers, numbers)])


def _closed(table: np.ndarray, numbers: np.ndarray) -> Bool[np.ndarray, " G"]:
    inside = np.zeros(len(table), bool)
    inside[0] = True
    new = np.array([0])
    while len(new):
        reached = np.unique(table[np.ix_(numbers, new)])
        new = reached[~inside[reached]]
        inside[new] = True
    return inside
