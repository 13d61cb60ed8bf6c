"""One whole incident before your eyes: the flagship scenario, investigated, repaired and graded like anyone's."""

from collections.abc import Iterator

from crashlab import answers, scenario, store
from crashlab.incident import Incident, keep_current
from crashlab.model import Brief, Evidence, Frozen, Verdict
from crashlab.settings import Settings
from crashlab.stack.base import Report
from crashlab.starting import start

SCENARIO = "featurelib-pin"


class Step(Frozen):
    """One step: what is done and why, the command that does it, and what it shows."""

    title: str
    command: str = ""
    text: str = ""
    brief: Brief | None = None
    verdict: Verdict | None = None


INVESTIGATION = (
    ("Is it the data or the code? The same orders through both code paths.", "parity mismatch"),
    ("They differ. In which feature, and by how much?", "feature distance_km parity_ratio"),
    ("Is it that feature alone, as a wrong unit would be?", "feature vehicle parity_mismatch"),
    ("Several features at once: not a unit. Is the promoted version serving?", "registry alias=champion version"),
    ("Approved for production?", "registry version=5 promotion"),
    ("The model is right. Latency as well: what runs before the model?", "latency p95_ms"),
    ("Against the healthy days", "latency window=before p95_ms"),
    ("Which release of the in-house library does serving have?", "pin serving featurelib"),
    ("And which one did the model's training have?", "pin model featurelib"),
)
"""Questions of the reference investigation, with the fact that answers each."""


def run(settings: Settings, report: Report) -> Iterator[Step]:
    """Play the demonstration on the embedded runtime. The stack is torn down at the end, whatever happens.

    Commands without an id speak of the same incident afterwards as before.
    """
    with keep_current(settings):
        incident = start(settings, SCENARIO, blind=True, runtime="embedded", report=report)
        try:
            yield from _solve(settings, incident, report)
        finally:
            incident.stop()
    yield Step(title="The seal is opened", command="stop", text=incident.opened())


def _solve(settings: Settings, incident: Incident, report: Report) -> Iterator[Step]:
    yield Step(title="You are paged", command="start --blind --runtime embedded", brief=incident.brief)
    for question, selector in INVESTIGATION:
        entry = incident.measure(selector)
        yield Step(title=question, command=f"measure {selector}", text=entry.citation)
    reference, _ = scenario.fixes(SCENARIO)
    base = incident.stack.workspace.head()
    reference.apply(incident.stack, incident.sealed.truth)
    diff = incident.workspace.diff(base)
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and len(line) < 80]  # noqa: PLR2004 hashes are longer
    yield Step(title="Pin what the model was trained with, and ship it", text="\n".join(changed[:12]))
    commit = incident.deploy(reference.name, report)
    yield Step(title="The old version served until the new one was ready", command="deploy", text=commit[:7])
    for question, selector in (("Is it right, and not just up?", "parity mismatch"), ("And quick?", "latency p95_ms")):
        entry = incident.measure(selector)
        yield Step(title=question, command=f"measure {selector}", text=entry.citation)
    broken = store.read(incident.paths.broken, Evidence)
    folder = settings.scenarios / SCENARIO
    text = answers.render(folder, answers.REFERENCE, incident.sealed.truth, incident.brief, broken, incident.workload)
    store.write_text(incident.paths.postmortem, text)
    yield Step(title="The post-mortem", text=text)
    verdict = incident.submit(text, "demo", report)
    yield Step(title="Graded by what was measured, with a reason for every point", command="submit", verdict=verdict)
