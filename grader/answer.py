"""What was injected, for after the end of an incident: cause, mechanism, causal chain, evidence and remedy."""

from collections.abc import Iterable

from crashlab.model import Bundle, Verdict
from grader import causes, citations
from grader.postmortem import Malformed, parse_text
from grader.reader import read


def chain(bundle: Bundle) -> list[str]:
    """Return the causal chain from what was changed to what was noticed."""
    truth = bundle.truth
    cause = causes.load().by_id.get(truth.cause)
    steps = (
        [f"{truth.onset:%Y-%m-%d %H:%M} UTC: it began at `{truth.object}` ({truth.component})"]
        if truth.needs_change
        else []
    )
    steps.append(f"{cause.title if cause else truth.cause}: {cause.definition}" if cause else truth.cause)
    steps.append(truth.mechanism.sentence)
    steps += [f"Alert {alert.rule}: {alert.summary}" for alert in bundle.brief.alerts]
    return steps


def telling_facts(bundle: Bundle) -> list[tuple[str, str, str]]:
    """Return the facts that decide: selector, value in the incident, value in the healthy system."""
    found = []
    for key, value in bundle.broken.facts.items():
        if any(citations.matches(pattern, key) for pattern in bundle.truth.discriminating):
            found.append((key, str(value), str(bundle.healthy.facts.get(key, "—"))))
    return found


def facts(bundle: Bundle) -> Iterable[tuple[str, str]]:
    """Yield what the truth says, as label and text."""
    truth = bundle.truth
    yield "Cause", truth.cause
    yield "Component", truth.component
    yield "Object", truth.object
    yield "Mechanism", truth.mechanism.sentence
    for second in truth.contributing:
        yield "A second fault", f"{second.cause} ({second.component}, {second.object}): {second.mechanism.sentence}"
    yield "Remedy", truth.remedy
    if truth.look_alikes:
        yield "Easily taken for", ", ".join(truth.look_alikes)
    if test := causes.load().deciding_test(truth.cause):
        yield "The test that decides", test


def checked_citations(bundle: Bundle) -> list[tuple[str, str, str]]:
    """Return the learner's citations: as written, the outcome, and the value in the incident."""
    try:
        document = read(parse_text(bundle.submission.text).body)
    except Malformed:
        return []
    found = []
    for citation, sentence in document.citations:
        result = citations.check(citation, sentence, bundle)
        value = bundle.broken.facts.get(result.key, bundle.notebook.get(result.key, "—")) if result.key else "—"
        found.append((citation.raw, result.outcome, str(value)))
    return list(dict.fromkeys(found))


def as_text(verdict: Verdict, bundle: Bundle, reference: str = "") -> str:
    """Return the answer as plain text of short lines; `reference` is the post-mortem to compare with."""
    lines = [f"{label}: {text}" for label, text in facts(bundle)]
    lines += ["", "How it came about:"]
    lines += [f"  {at}. {step}" for at, step in enumerate(chain(bundle), start=1)]
    telling = telling_facts(bundle)
    if telling:
        lines += ["", "What tells it apart (incident, healthy):"]
        lines += [f"  [{key}={value}]   healthy: {healthy}" for key, value, healthy in telling]
    checked = [each for each in checked_citations(bundle) if each[1] != "true"]
    if checked:
        lines += ["", "Citations of yours that did not hold (as written, outcome, in the incident):"]
        lines += [f"  {raw}   {outcome}   {value}" for raw, outcome, value in checked]
    if reference:
        lines += ["", "A post-mortem that passes:", *(f"  {line}".rstrip() for line in reference.strip().splitlines())]
    lines += ["", f"Your score was {verdict.score:g} of {verdict.max_score:g}."]
    return "\n".join(lines) + "\n"
