"""Measures the grader on the held-out part of the labelled corpus, with attacks, mutations and baselines beside it.

`python -m crashlab.bench_grader` prints the tables; `--write` puts them into `docs/reference/grader-quality.md`. `--lazy` does
so for the answers without a diagnosis or a fix alone, in seconds.
"""

import argparse
import hashlib
import math
import platform
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import grader
from crashlab.model import Bundle
from grader.postmortem import Malformed
from grader.scoring import assess
from tests.grader import baselines, incidents, lazy, negation
from tests.grader.attacks import ATTACKS, attacks
from tests.grader.labelled import KINDS, VOICES, Labelled, corpus
from tests.grader.mutations import FRAMES, FRESH_FRAMES, denied_accounts, mutations, paraphrases

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "grader-quality.md"
BANDS = 11
"""Bands of ten points into which scores are rounded for the weighted kappa."""
NEAR = 5.0
REPEATS = 100
THIS = "this grader"


@dataclass(frozen=True)
class Graded:
    """A submission with what one grader makes of it."""

    item: Labelled
    score: float
    diagnosed: bool


def diagnosed(bundle: Bundle) -> bool:
    """Whether the grader takes the cause for rightly declared, asserted and committed to."""
    try:
        return assess(bundle).diagnosed
    except Malformed:
        return False


def grade_all(items: Sequence[Labelled], name: str) -> list[Graded]:
    """Grade submissions with this grader or with a baseline."""
    found = []
    for item in items:
        bundle = item.bundle()
        if name == THIS:
            found.append(Graded(item, grader.grade(bundle).score, diagnosed(bundle)))
        else:
            made = baselines.grade(name, bundle)
            found.append(Graded(item, made.score, made.diagnosed))
    return found


def accuracy(rows: Sequence[Graded]) -> float:
    """Share of submissions whose cause is judged as the label says."""
    return sum(row.diagnosed == row.item.label.diagnosed for row in rows) / len(rows)


def kappa(left: Sequence[int], right: Sequence[int], bands: int = BANDS) -> float:
    """Quadratic weighted kappa of two ratings in bands 0 to `bands` - 1 (Cohen, 1968)."""
    count = len(left)
    both = Counter(zip(left, right, strict=True))
    one, other = Counter(left), Counter(right)
    observed = sum((a - b) ** 2 * n for (a, b), n in both.items())
    expected = sum((a - b) ** 2 * one[a] * other[b] / count for a in range(bands) for b in range(bands))
    return 1 - observed / expected if expected else 1.0


def band(score: float) -> int:
    """Round a score to its band of ten points, halves up."""
    return max(0, min(BANDS - 1, math.floor(score / 10 + 0.5)))


def pearson(left: Sequence[float], right: Sequence[float]) -> float:
    """Correlation of two series; 0 where one is constant."""
    a, b = sum(left) / len(left), sum(right) / len(right)
    top = sum((x - a) * (y - b) for x, y in zip(left, right, strict=True))
    below = math.sqrt(sum((x - a) ** 2 for x in left) * sum((y - b) ** 2 for y in right))
    return top / below if below else 0.0


def length_effect(rows: Sequence[Graded]) -> float:
    """Correlation of a text's length in words with score less label."""
    return pearson([len(r.item.text.split()) for r in rows], [r.score - r.item.label.score for r in rows])


def _score(bundle: Bundle, name: str) -> float:
    return grader.grade(bundle).score if name == THIS else baselines.grade(name, bundle).score


def _passes(bundle: Bundle, name: str) -> bool:
    return grader.grade(bundle).passed if name == THIS else baselines.grade(name, bundle).diagnosed


def paraphrase_share(name: str, *, held_out: bool = True) -> tuple[float, int]:
    """Share of pairs of paraphrases within five points, and the number of pairs."""
    pairs = [(left, right) for held, left, right in paraphrases() if held == held_out]
    good = sum(abs(_score(left, name) - _score(right, name)) <= NEAR for left, right in pairs)
    return good / len(pairs), len(pairs)


def mutation_rows(*, held_out: bool = True) -> list[tuple[str, bool, int, float]]:
    """Return per mutation: name, whether the score must stay, how many there are, and the share that behaves."""
    found: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for each in mutations():
        if each.held_out != held_out:
            continue
        before, after = grader.grade(each.original), grader.grade(each.mutated)
        good = (
            abs(before.score - after.score) <= NEAR
            if each.keeps
            else not after.passed and before.score - after.score >= 2 * NEAR
        )
        found[each.name, each.keeps].append(good)
    return [(name, keeps, len(good), sum(good) / len(good)) for (name, keeps), good in found.items()]


def timings(items: Sequence[Labelled]) -> tuple[float, float]:
    """Return the median and the 99th percentile of grading one post-mortem, in milliseconds, after a warm-up."""
    bundles = [item.bundle() for item in items]
    grader.grade(bundles[0])
    times = []
    for bundle in bundles:
        started = time.perf_counter()
        grader.grade(bundle)
        times.append(1000 * (time.perf_counter() - started))
    times.sort()
    return times[len(times) // 2], times[min(len(times) - 1, int(0.99 * len(times)))]


def digest() -> str:
    """Return a SHA-256 over the bytes of every verdict, page and revealed answer of the corpus."""
    whole = hashlib.sha256()
    for item in corpus():
        bundle = item.bundle()
        verdict = grader.grade(bundle)
        whole.update(verdict.model_dump_json().encode())
        whole.update(grader.render_html(verdict, bundle, reveal=True).encode())
        whole.update(grader.reveal_text(verdict, bundle).encode())
    return whole.hexdigest()


def repeated(items: Sequence[Labelled]) -> int:
    """Grade one submission of each scenario many times; return how many different outputs one input ever had, at most."""
    most = 0
    for scenario in incidents.SCENARIOS:
        bundle = next(item for item in items if item.scenario == scenario).bundle()
        most = max(most, len({grader.grade(bundle).model_dump_json() for _ in range(REPEATS)}))
    return most


def other_digest(python: str) -> str:
    """Return the digest and the version of another interpreter, which has the grader's requirements installed."""
    code = "import platform; from tests.grader.bench import digest; print(platform.python_version(), digest())"
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    return done.stdout.strip() or f"failed: {done.stderr.strip()[-200:]}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def percent(value: float) -> str:
    """Write a share in per cent with one decimal."""
    return f"{100 * value:.1f} %"


def _per(key: Callable[[Labelled], str], names: Sequence[str], rows: Sequence[Graded]) -> str:
    made = []
    for name in names:
        mine = [row for row in rows if key(row.item) == name]
        if mine:
            gap = sum(row.score - row.item.label.score for row in mine) / len(mine)
            off = sum(abs(row.score - row.item.label.score) for row in mine) / len(mine)
            made.append((name, str(len(mine)), percent(accuracy(mine)), f"{gap:+.1f}", f"{off:.1f}"))
    return table(("", "n", "cause right", "mean difference", "mean absolute difference"), made)


def in_post_mortems(rows: Sequence[Graded]) -> tuple[float, int, float, int]:
    """Measure denials in whole post-mortems of the held-out part.

    Returns the share of denied accounts that are not taken for a diagnosis and how many there are, and the share of right
    diagnoses that are not taken for one, whatever the reason, and how many there are.
    """
    asserted = [row.diagnosed for row in rows if row.item.label.diagnosed]
    return *denied_share(FRESH_FRAMES), 1 - sum(asserted) / len(asserted), len(asserted)


def denied_share(frames: Sequence[str], *, held_out: bool = True) -> tuple[float, int]:
    """Share of accounts denied in these ways that are not taken for a diagnosis, and how many there are."""
    denied = [not diagnosed(bundle) for held, bundle in denied_accounts(frames) if held == held_out]
    return sum(denied) / len(denied), len(denied)


def denials() -> str:
    """Return the table of denials: each held-out list, and all lists of the tuning part together."""
    parts = [(name, (name,)) for name in negation.held_out()]
    parts += [
        ("held-out lists", negation.held_out()),
        (f"the {len(negation.tuning())} lists of the tuning part", negation.tuning()),
    ]
    rows = []
    for title, names in parts:
        found = negation.rates(negation.outcomes(*names))
        rows.append((title, f"{found['judged']:.0f}", percent(found["recall"]), percent(found["falsely_negated"])))
    return table(("", "mentions", "denials read as denials", "assertions falsely denied"), rows)


def report(others: Sequence[str] = ()) -> str:
    """Measure everything and return the page."""
    held = [item for item in corpus() if item.held_out]
    tuned = [item for item in corpus() if not item.held_out]
    names = (THIS, *baselines.MEASURES)
    graded = {name: grade_all(held, name) for name in names}
    every_attack = attacks()
    beaten = {name: sum(_passes(bundle, name) for *_, bundle in every_attack) for name in names}
    reading = negation.rates(negation.outcomes(*negation.held_out()))
    whole = in_post_mortems(graded[THIS])
    known = denied_share(FRAMES)
    similar = {name: paraphrase_share(name) for name in names}
    rows = [
        ("cause verdict as labelled", "≥ 97 %", *(percent(accuracy(graded[n])) for n in names)),
        (
            "quadratic weighted kappa of the score", "≥ 0.85",
            *(f"{kappa([band(r.item.label.score) for r in graded[n]], [band(r.score) for r in graded[n]]):.3f}" for n in names),
        ),
        (f"paraphrases within 5 points ({similar[THIS][1]} pairs)", "≥ 95 %", *(percent(similar[n][0]) for n in names)),
        (f"denials in post-mortems read as denials ({whole[1]})", "≥ 98 %", percent(whole[0]), "-", "-"),
        (f"right diagnoses in post-mortems not taken for one ({whole[3]})", "≤ 2 %", percent(whole[2]), "-", "-"),
        (f"denials in single sentences read as denials ({reading['judged']:.0f})", "≥ 98 %", percent(reading["recall"]), "-", "-"),
        ("assertions in single sentences falsely denied", "≤ 2 %", percent(reading["falsely_negated"]), "-", "-"),
        ("correlation of length with score less label", "< 0.1", *(f"{length_effect(graded[n]):+.3f}" for n in names)),
        (f"attacks that pass, of {len(every_attack)}", "0", *(str(beaten[n]) for n in names)),
    ]  # fmt: skip
    idle: dict[str, list[tuple[float, bool, float, float]]] = defaultdict(list)
    for scenario in incidents.SCENARIOS:
        for name, bundle in baselines.answers(scenario).items():
            verdict = grader.grade(bundle)
            written = verdict.score - sum(i.points or 0 for i in verdict.items if i.id.startswith("fix-"))
            idle[name].append((max(0.0, written), verdict.passed, *(_score(bundle, n) for n in baselines.MEASURES)))
    still = [
        (name, f"{sum(r[0] for r in found) / len(found):.1f} of 80", f"{sum(r[1] for r in found)} of {len(found)}",
         *(f"{sum(r[2 + at] for r in found) / len(found):.1f} of 100" for at in range(len(baselines.MEASURES))))
        for name, found in idle.items()
    ]  # fmt: skip
    middle, tail = timings(held)
    same = digest()
    bytes_rows = [(platform.python_version(), same[:16])]
    for python in others:
        version, _, value = other_digest(python).partition(" ")
        bytes_rows.append((version, f"{value[:16]}, {'the same' if value == same else 'DIFFERENT'}"))
    changes = table(
        ("change", "the score must", "n", "behaves"),
        [(name, "stay within 5 points" if keeps else "fall by 10 and not pass", str(n), percent(share)) for name, keeps, n, share in mutation_rows()],
    )  # fmt: skip
    parts = [
        "# How good the grader is",
        "<!-- Made by `make bench-grader ARGS=--write`. -->",
        (f"Measured on {len(held)} of {len(corpus())} labelled submissions that were held out: every submission of {len(incidents.HELD_OUT)} "
        f"incidents ({', '.join(incidents.HELD_OUT)}), and every submission in the voice of a {incidents.HELD_OUT_VOICE} speaker. "
        f"The grader's lists and rules were tuned on the other {len(tuned)}. How the corpus was made and what its labels are worth "
        "is told in [the decision on the corpus](../decisions/0005-labelled-corpus.md)."),
        "## Targets",
        table(("", "target", *names), rows),
        "## Denials",
        ("Sentences that deny or assert a cause, by list. No rule was changed for a held-out list; "
        "[the decision on the corpus](../decisions/0005-labelled-corpus.md) tells how often a new one had to be written."),
        denials(),
        (f"In whole post-mortems, the account of the cause is denied sentence by sentence in {len(FRESH_FRAMES)} ways, each in a right post-mortem of "
        "the held-out part. The ways were written before the grader was asked about any of them. What is not taken for a diagnosis "
        "although it is one counts against the grader whatever the reason, so it is an upper bound of what is falsely denied."),
        table(
            ("ways to deny", "accounts", "not taken for a diagnosis"),
            [
                (f"{len(FRAMES)} that rules were made for", str(known[1]), percent(known[0])),
                (f"{len(FRESH_FRAMES)} fresh ones", str(whole[1]), percent(whole[0])),
            ],
        ),
        "## Answers without an investigation",
        ("On a repaired system, so that the writing alone is judged: mean points for the writing (80 with everything right), how many pass, "
        "and what the other two graders give."),
        table(("answer", "this grader", "pass", *baselines.MEASURES), still),
        lazy.section(),
        "## Right post-mortems, changed",
        changes,
        "## By kind, voice and incident",
        _per(lambda item: item.kind, KINDS, graded[THIS]),
        _per(lambda item: item.voice, VOICES, graded[THIS]),
        _per(lambda item: item.scenario, incidents.SCENARIOS, graded[THIS]),
        "## Attacks",
        f"{len(ATTACKS)} attacks on {len(incidents.SCENARIOS)} incidents: {', '.join(ATTACKS)}.",
        "## Time and bytes",
        (f"One post-mortem takes {middle:.0f} ms (median) and {tail:.0f} ms (99th percentile) without start-up. Graded {REPEATS} times, "
        f"each of {len(incidents.SCENARIOS)} bundles gave {repeated(corpus())} different verdict(s). SHA-256 over verdicts, pages and revealed "
        "answers of the whole corpus:"),
        table(("Python", "SHA-256"), bytes_rows),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def with_section(page: str) -> str:
    """Return the page with its section on the answers without a diagnosis as it is measured now."""
    before, _, rest = page.partition(lazy.HEADING)
    after = rest.partition("\n## ")[2]
    return f"{before}{lazy.section()}\n\n## {after}"


def main() -> None:
    """Print the report, or one section of it in seconds; write it into the documentation where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page into docs/reference")
    parser.add_argument("--python", action="append", default=[], help="another interpreter to compare bytes with")
    parser.add_argument("--lazy", action="store_true", help="answers without a diagnosis or a fix alone")
    options = parser.parse_args()
    text = lazy.section() if options.lazy else report(options.python)
    print(text)  # noqa: T201 - a command
    if options.write:
        page = with_section(PAGE.read_text(encoding="utf-8")) if options.lazy else text
        PAGE.write_text(page, encoding="utf-8")
