"""The empty post-mortem that a learner fills in. Its sentences earn nothing."""

from crashlab.model import Brief

HEAD = """\
---
# Ids come from `crashlab taxonomy`; every scenario has the same list.
# cause is the one primary cause, contributing holds other causes that took part, if any.
cause:
contributing: []
# component is where the cause sits; object is the one feature, file, package or alias concerned.
component:
object:
# ruled_out holds causes that you excluded by a measurement.
ruled_out: []
---
"""

USAGE = """\
<!-- Cite what you measured as [selector=value], for instance [latency p95_ms=85]; `crashlab measure` prints facts
in this form. Each citation is checked against your own stack. Say next to it what it shows. Remarks like this
one are not read. -->
"""

SECTIONS = (
    ("Summary", "What broke, why and for how long, in two or three sentences."),
    ("Impact", "Who or what was affected, by how much, and from when until when; with numbers."),
    ("Timeline", "What happened when, one line per event, with times."),
    ("Detection", "How the incident came to notice, and what could have shown it earlier."),
    ("Root cause", "The mechanism from its origin to the symptom, with its object and its numbers."),
    ("Evidence", "What you measured, cited, and what each fact tells apart."),
    ("Resolution", "What you changed, why it removes the cause, and how you know that it works."),
    ("Prevention", "Actions that somebody can check: a verb, an object and a way to verify."),
)
"""Headings in their order, each with its instruction."""


def empty(brief: Brief) -> str:
    """Return the template for one incident. The incident's title becomes the heading, on one line."""
    title = " ".join(brief.title.split()) or "Post-mortem"
    body = "\n\n".join(f"## {heading}\n\n<!-- {instruction} -->" for heading, instruction in SECTIONS)
    return f"{HEAD}\n# {title}\n\n{USAGE}\n{body}\n"


def sentences() -> tuple[str, ...]:
    """Every instructing sentence of the template."""
    return (*(instruction for _, instruction in SECTIONS), USAGE.replace("<!--", "").replace("-->", ""))
