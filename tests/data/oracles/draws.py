"""Arms of a small batch or two, drawn from the words of docs/auditor.md alone: the standard library, nothing of nudge.

    python tests/data/oracles/draws.py > tests/data/oracles/draws.json

Distances and whitening are by exact fractions (the inverse of the covariance matrix), not by the road nudge takes.
"""

import hashlib
import hmac
import json
import sys
from fractions import Fraction
from itertools import combinations
from math import ceil

SEED = bytes(range(32))
TRIAL = "demo"


def h(algorithm, *parts, key=SEED):
    message = "\n".join([algorithm, TRIAL, *map(str, parts)])
    return hmac.new(key, message.encode("utf-8"), hashlib.sha256).hexdigest()


def list_hash(batch):
    lines = []
    for code in sorted(batch):
        given = batch[code]
        line = [code, given["stratum"]]
        if "pair" in given or "covariates" in given:
            numbers = [None if x is None else str(x) for x in given.get("covariates", [])]
            line += [given.get("pair"), numbers]
        lines.append(line)
    return hashlib.sha256(json.dumps(lines, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def filled(rows):
    """Gaps take the mean of the others; then a column of 0 and 1 for each column with gaps. Whole numbers given."""
    columns, gaps = [], []
    for column in zip(*rows, strict=True):
        known = [Fraction(x) for x in column if x is not None]
        mean = sum(known) / len(known) if known else Fraction(0)
        columns.append([mean if x is None else Fraction(x) for x in column])
        if known and len(known) < len(column):
            gaps.append([Fraction(int(x is None)) for x in column])
    return [list(row) for row in zip(*columns, *gaps, strict=True)]


def inverse(matrix):
    """Exact inverse by Gauss and Jordan; columns that others tell are left out (their rows and columns are 0)."""
    size = len(matrix)
    kept = []
    for column in range(size):
        if determinant([[matrix[i][j] for j in [*kept, column]] for i in [*kept, column]]) != 0:
            kept.append(column)
    work = [[matrix[i][j] for j in kept] + [Fraction(int(i == j)) for j in kept] for i in kept]
    many = len(kept)
    for pivot in range(many):
        row = next(r for r in range(pivot, many) if work[r][pivot] != 0)
        work[pivot], work[row] = work[row], work[pivot]
        work[pivot] = [x / work[pivot][pivot] for x in work[pivot]]
        for other in range(many):
            if other != pivot:
                work[other] = [x - work[other][pivot] * y for x, y in zip(work[other], work[pivot], strict=True)]
    found = [[Fraction(0)] * size for _ in range(size)]
    for a, i in enumerate(kept):
        for b, j in enumerate(kept):
            found[i][j] = work[a][many + b]
    return found


def determinant(matrix):
    work, found = [list(row) for row in matrix], Fraction(1)
    for pivot in range(len(work)):
        row = next((r for r in range(pivot, len(work)) if work[r][pivot] != 0), None)
        if row is None:
            return Fraction(0)
        if row != pivot:
            work[pivot], work[row], found = work[row], work[pivot], -found
        found *= work[pivot][pivot]
        for other in range(pivot + 1, len(work)):
            factor = work[other][pivot] / work[pivot][pivot]
            work[other] = [x - factor * y for x, y in zip(work[other], work[pivot], strict=True)]
    return found


def measured(rows):
    """Centred rows and the inverse of their covariance (n - 1)."""
    rows = filled(rows)
    n = len(rows)
    means = [sum(column) / n for column in zip(*rows, strict=True)]
    centred = [[x - m for x, m in zip(row, means, strict=True)] for row in rows]
    k = len(means)
    covariance = [[sum(row[i] * row[j] for row in centred) / (n - 1) for j in range(k)] for i in range(k)]
    return centred, inverse(covariance)


def squared(vector, inverted):
    k = len(vector)
    return sum(vector[i] * inverted[i][j] * vector[j] for i in range(k) for j in range(k))


def strata_of(batch):
    found = {}
    for code in sorted(batch):
        found.setdefault(batch[code]["stratum"], []).append(code)
    return {s: found[s] for s in sorted(found)}


def pairs(case):
    name, e = "nudge-pairs/1", 1
    drawn, last = [], {}
    for k, batch in enumerate(case["batches"], start=1):
        for s, codes in strata_of(batch).items():
            made = []
            if case["pairs"] == "given":
                named = {}
                for code in codes:
                    named.setdefault(batch[code].get("pair") or ("alone", code), []).append(code)
                made = list(named.values())
            else:
                rows, inverted = measured([batch[c]["covariates"] for c in codes])
                free = set(range(len(codes)))
                distance = {
                    (i, j): round(squared([a - b for a, b in zip(rows[i], rows[j], strict=True)], inverted), 9)
                    for i, j in combinations(range(len(codes)), 2)
                }
                for i, j in sorted(distance, key=lambda two: (distance[two], codes[two[0]], codes[two[1]])):
                    if i in free and j in free:
                        made.append([codes[i], codes[j]])
                        free -= {i, j}
                made += [[codes[i]] for i in free]
            for pair in sorted(made, key=lambda members: h(name, "order", k, min(members))):
                b = last[s] = last.get(s, 0) + 1
                arms = sorted(case["arms"], key=lambda arm: h(name, "slot", e, s, b, arm, 1))
                drawn += [[k, code, arm] for code, arm in zip(sorted(pair), arms, strict=False)]
    return drawn


def one_try(name, case, k, order, t, key):
    """Arm by code: whole rounds of the ratio, enough for a stratum's clusters, sorted; the first n serve."""
    found = {}
    for s, codes in order.items():
        rounds = ceil(len(codes) / sum(case["ratio"]))
        slots = [(arm, i) for arm, w in zip(case["arms"], case["ratio"], strict=True) for i in range(1, w * rounds + 1)]
        slots.sort(key=lambda slot: h(name, "slot", 1, k, s, t, slot[0], slot[1], key=key))
        found.update({code: arm for code, (arm, _) in zip(codes, slots, strict=False)})
    return found


def ordered(name, k, batch, key):
    return {s: sorted(codes, key=lambda c: h(name, "order", k, c, key=key)) for s, codes in strata_of(batch).items()}


def imbalance(case, batch, arms):
    codes = sorted(batch)
    rows, inverted = measured([batch[c]["covariates"] for c in codes])
    total = Fraction(0)
    for arm in case["arms"]:
        held = [row for row, code in zip(rows, codes, strict=True) if arms[code] == arm]
        if held:
            total += len(held) * squared([sum(column) / len(held) for column in zip(*held, strict=True)], inverted)
    return round(total, 9)


def rerandomised(case):
    name, drawn = "nudge-rerandomised/1", []
    for k, batch in enumerate(case["batches"], start=1):
        key = bytes.fromhex(list_hash(batch))
        order = ordered(name, k, batch, key)
        many = ceil(10 / case["acceptance"])
        limit = sorted(imbalance(case, batch, one_try(name, case, k, order, t, key)) for t in range(1, many + 1))[9]
        order, t = ordered(name, k, batch, SEED), 1
        while imbalance(case, batch, one_try(name, case, k, order, t, SEED)) > limit:
            t += 1
        arms = one_try(name, case, k, order, t, SEED)
        drawn += [[k, code, arms[code]] for codes in order.values() for code in codes]
    return drawn


def minimised(case):
    name, drawn, counts = "nudge-minimised/1", [], {}
    arms = case["arms"]
    for k, batch in enumerate(case["batches"], start=1):
        for c in sorted(batch, key=lambda code: h(name, "order", k, code)):
            levels = list(enumerate(batch[c]["stratum"].split("\t")))
            scores = []
            for arm in arms:
                score = Fraction(0)
                for level in levels:
                    held = [counts.get((level, other), 0) + (other == arm) for other in arms]
                    mean = Fraction(sum(held), len(held))
                    spread = sum((x - mean) ** 2 for x in held)
                    score += spread if case["imbalance"] == "variance" else max(held) - min(held)
                scores.append(score)
            least = [score == min(scores) for score in scores]
            chance = Fraction(case["chance"])
            if all(least):
                shares = [Fraction(1, len(arms))] * len(arms)
            else:
                shares = [chance / sum(least) if one else (1 - chance) / (len(arms) - sum(least)) for one in least]
            u = Fraction(int(h(name, "coin", 1, k, c)[:13], 16), 2**52)
            arm = next(arm for place, arm in enumerate(arms, start=1) if sum(shares[:place]) > u)
            for level in levels:
                counts[level, arm] = counts.get((level, arm), 0) + 1
            drawn.append([k, c, arm])
    return drawn


def sequences(case):
    name, drawn = "nudge-sequences/1", []
    for k, batch in enumerate(case["batches"], start=1):
        order = ordered(name, k, batch, SEED)
        arms = one_try(name, case, k, order, 1, SEED)
        drawn += [[k, code, arms[code]] for codes in order.values() for code in codes]
    return drawn


def invented(first, count, stratum, *, covariates=False, pair=False):
    found = {}
    for number in range(first, first + count):
        line = {"stratum": stratum(number)}
        if covariates:
            line["covariates"] = [number * 37 % 101, None if number % 7 == 0 else number * 53 % 17]
        if pair and number % 5:
            line["pair"] = f"P{number % 5 + number // 10 * 10}"
        found[f"H{number:02d}"] = line
    return found


def main():
    two, three = ["current", "new"], ["current", "new", "other"]

    def patch(number):
        return ("north", "south")[number % 2]

    def both(number):
        return f"{patch(number)}\t{('low', 'mid', 'high')[number * 7 % 3]}"

    def whole(number):
        return "all"

    plain = {"arms": two, "ratio": [1, 1]}
    cases = [
        {"method": "pairs", "pairs": "made", **plain,
         "batches": [invented(1, 11, patch, covariates=True), invented(12, 8, patch, covariates=True)]},
        {"method": "pairs", "pairs": "given", **plain,
         "batches": [invented(1, 9, whole, pair=True), invented(11, 9, whole, pair=True)]},
        {"method": "rerandomised", "acceptance": 0.1, **plain,
         "batches": [invented(1, 14, patch, covariates=True), invented(15, 9, patch, covariates=True)]},
        {"method": "rerandomised", "acceptance": 0.2, "arms": three, "ratio": [2, 1, 1],
         "batches": [invented(1, 13, whole, covariates=True)]},
        {"method": "minimised", "chance": 0.8, "imbalance": "range", **plain,
         "batches": [invented(1, 14, both), invented(15, 10, both)]},
        {"method": "minimised", "chance": 0.75, "imbalance": "variance", "arms": three, "ratio": [1, 1, 1],
         "batches": [invented(1, 20, both)]},
        {"method": "sequences", "arms": ["step 1", "step 2", "step 3"], "ratio": [1, 1, 1],
         "batches": [invented(1, 8, patch)]},
    ]  # fmt: skip
    makers = {"pairs": pairs, "rerandomised": rerandomised, "minimised": minimised, "sequences": sequences}
    for case in cases:
        case["drawn"] = makers[case["method"]](case)
        case["list_hashes"] = [list_hash(batch) for batch in case["batches"]]
    facts = {
        "case": "small batches of each draw beside blocks; seed bytes 00 to 1f, trial demo, epoch 1; invented clusters",
        "source": "docs/auditor.md, section The other draws",
        "software": "Python's standard library, exact fractions",
        "version": "3.11",
        "recipe": "python tests/data/oracles/draws.py",
        "tolerance": 0,
    }
    lines = ",\n".join(" " + json.dumps(case) for case in cases)
    sys.stdout.write(json.dumps(facts, indent=1)[:-2] + ',\n "draws": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
