"""Resolution on invented crowds whose truth is known: what is suggested rightly and wrongly, by what befell the
records.

`--train` counts, on other seeds than those that are measured, how often records of one person and of two strangers
stand in each level of `weights.toml`. `--scale` runs `casewright link` on 5,000 customers and 500,000 earlier subjects.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
from claims import Claim, claims_option, hand_over

from casewright.demo.crowd.crowd import Crowd, Entry, crowd
from casewright.engine.query import Reader
from casewright.link.forms import forms_of
from casewright.link.likeness import likeness
from casewright.link.return_mapping import day_of
from casewright.link.weights import weights
from casewright.model.settings import LinkSettings

TRAINED, MEASURED = range(1, 5), range(101, 105)
Pairs = dict[frozenset[str], dict[str, Any]]


def forms(told: Crowd) -> pa.Table:
    return pa.Table.from_pylist([forms_of(_person(entry)) for entry in (*told.customers, *told.priors)])


def _person(entry: Entry) -> dict[str, Any]:
    fields = {name: value or None for name, value in asdict(entry.written).items()}
    origin = "prior" if entry.source == "prior" else "return"
    return {"person": entry.number, "origin": origin, "born_on": day_of(fields["born"]), **fields}


def found(told: Crowd, least: float) -> Pairs:
    pairs, _ = likeness(forms(told), least)
    return {frozenset((row["person_l"], row["person_r"])): row for row in pairs.to_pylist()}


def measure(seeds: Iterable[int], customers: int, priors: int, threshold: float) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    kin: Counter[str] = Counter()
    wrongly: Counter[str] = Counter()
    right = wrong = all_pairs = 0
    for seed in seeds:
        told = crowd(seed, customers, priors)
        entries = {entry.number: entry for entry in (*told.customers, *told.priors)}
        truth = {frozenset(pair): befell for pair, befell in told.truth().items()}
        pairs = found(told, threshold)
        all_pairs += len(truth)
        for pair, befell in truth.items():
            for kind in befell or ("nothing",):
                kinds[kind] += 1
                hit[kind] += pair in pairs
        for pair in pairs:
            right += pair in truth
            wrong += pair not in truth
            if pair not in truth:
                wrongly[next((entries[n].kin for n in pair if entries[n].kin), "strangers")] += 1
        kin.update(entry.kin for entry in told.priors if entry.kin)
    return {
        "kinds": kinds,
        "hit": hit,
        "kin": kin,
        "wrongly": wrongly,
        "right": right,
        "wrong": wrong,
        "all": all_pairs,
    }


def table(of: Mapping[str, Any], what: str) -> str:
    precision, recall = of["right"] / max(1, of["right"] + of["wrong"]), of["right"] / max(1, of["all"])
    lines = [f"{what}: {of['all']} pairs are one person; suggested {of['right']} rightly, {of['wrong']} wrongly.",
             f"precision {precision:.4f}, recall {recall:.4f}", "",
             "| what befell one of the two records | pairs | found |",
             "|---|--:|--:|"]  # fmt: skip
    lines += [f"| {kind} | {n} | {of['hit'][kind] / n:.3f} |" for kind, n in sorted(of["kinds"].items())]
    lines += ["", "| near to a customer, but somebody else | there are | suggested |", "|---|--:|--:|"]
    lines += [f"| {kind} | {n} | {of['wrongly'][kind]} |" for kind, n in sorted(of["kin"].items())]
    return "\n".join([*lines, f"| strangers | all others | {of['wrongly']['strangers']} |"])


def train(customers: int, priors: int) -> str:
    """Shares of levels among pairs that are one person (of those that say) and among random pairs of strangers."""
    model = weights()
    same: dict[str, Counter[int]] = {one.name: Counter() for one in model.comparisons}
    apart: dict[str, Counter[int]] = {one.name: Counter() for one in model.comparisons}
    for seed in TRAINED:
        told = crowd(seed, customers, priors)
        truth = {frozenset(pair) for pair in told.truth()}
        _count(same, [row for pair, row in found(told, 0.0).items() if pair in truth])
        dice = Random(seed)
        few = Crowd(tuple(dice.sample(told.customers, 300)), tuple(dice.sample(told.priors, 3000)))
        pairs, _ = likeness(forms(few), 0.0, everything=True)
        _count(apart, [row for row in pairs.to_pylist() if frozenset((row["person_l"], row["person_r"])) not in truth])
    lines = []
    for one in model.comparisons:
        lines.append(one.name)
        for number in reversed(range(len(one.levels))):
            m, u = (side[one.name][number] / max(1, sum(n for level, n in side[one.name].items() if level >= 0))
                    for side in (same, apart))  # fmt: skip
            level = one.level(number)
            assert level is not None
            lines.append(f"  m {m:.4f} (now {level.m:g})  u {u:.2e} (now {level.u:g})  {level.says}")
    return "\n".join(lines)


def _count(into: dict[str, Counter[int]], rows: list[dict[str, Any]]) -> None:
    for one in weights().comparisons:
        into[one.name].update(row[f"gamma_{one.column}"] for row in rows)


def scale(customers: int, priors: int) -> tuple[str, Claim]:
    """`casewright link` as it is run, on tables as services and units write them."""
    told = crowd(7, customers, priors)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        fields = ("full_name", "born", "email", "phone", "country")
        subjects = [(e.number, *asdict(e.written).values()) for e in told.priors]
        _csv(folder / "prior.csv", [("case", *fields), *subjects])
        customers_rows = [("CW-0", e.source, "00", e.number, *asdict(e.written).values()) for e in told.customers]
        _csv(folder / "returns.csv", [("reference", "service", "txid", "customer", *fields), *customers_rows])
        case, keys = folder / "case", {**os.environ, "CASEWRIGHT_HOME": str(folder / "home")}
        _ours("new", case, "--title", "T", "--agency", "A", "--examiner", "E", env=keys)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        inputs = ("--returns", folder / "returns.csv", "--prior", folder / "prior.csv")
        answer = json.loads(_ours("link", case, *inputs, "--json", env=keys))
        seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        truth, found = {frozenset(pair) for pair in told.truth()}, _judgeable(case)
    right, wrong = len(found & truth), len(found - truth)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    links = Counter(row["kind"] for row in answer["pairs"])
    claim = Claim("link", seconds, "s", f"{customers:,} customers and {priors:,} earlier subjects")
    return "\n".join((
        f"{customers} customers x {priors} earlier: {seconds:.0f} s ({cpu:.0f} s of processor time without its "
        f"workers), the largest process {after.ru_maxrss / 1024:.0f} MB.",
        f"{len(truth)} pairs are one person; suggested {right} rightly, {wrong} wrongly: precision "
        f"{right / max(1, right + wrong):.4f}, recall {right / len(truth):.4f}",
        f"links of all kinds: {dict(links)}",
    )), claim  # fmt: skip


def _csv(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def _ours(*words: object, env: Mapping[str, str]) -> str:
    words = (sys.executable, "-m", "casewright", *map(str, words))
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    return done.stdout


def _judgeable(case: Path) -> set[frozenset[str]]:
    """Suggested pairs by the numbers that the crowd gave its records."""
    sql = """SELECT split_part(l.reference, '/', 2) AS one,
    CASE WHEN r.origin = 'prior' THEN r.reference ELSE split_part(r.reference, '/', 2) END AS other
    FROM suggestions s JOIN persons l ON l.person = s.from_id JOIN persons r ON r.person = s.to_id"""
    with Reader(case / "tables") as reader:
        return {frozenset((row["one"], row["other"])) for row in reader.rows(sql)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--priors", type=int, default=50_000)
    parser.add_argument("--threshold", type=float, default=LinkSettings().suggest_at)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--scale", action="store_true")
    claims_option(parser)
    given = parser.parse_args()
    if given.train:
        print(train(given.customers, given.priors))
        return
    if given.scale:
        said, claim = scale(5_000, 500_000)
        print(said)
        hand_over("resolution", given.claims, [claim])
        return
    size = f"{given.customers} customers and {given.priors} earlier subjects"
    what = f"{len(MEASURED)} crowds of {size}, from {given.threshold}"
    print(table(measure(MEASURED, given.customers, given.priors, given.threshold), what))


if __name__ == "__main__":
    main()
