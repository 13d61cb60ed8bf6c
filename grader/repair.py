"""The fix, by behaviour: what the probe measured on hidden requests after a redeploy of the learner's workspace."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from crashlab.model import Bundle, Item, Probe, ProbeRow

SAME = 1e-4
"""Relative difference under which two predictions are the same."""
FEATURE_SHARE = 0.01
"""Share of rows whose feature may differ: none of 80, and rounding."""
LIVE_SHARE = 0.02
LOST_SHARE = 0.01
"""Share of answered requests, and of older records, that the prediction log may lack: none of 80, and rounding."""
METRICS = {"mae": "mean absolute error", "log_loss": "log loss", "brier": "Brier score"}
"""Names of the quality metrics. Of each, less is better."""
WORSE = 1.10
"""Error on fresh labels relative to this machine's healthy error."""
SLOWER = 2.5
"""A median may be less than so many times the healthy one: a healthy system on a busy host stays below, faults cost eight."""
UNFINISHED = 0.4
"""Part of its points that a check keeps while another one fails: a half-repaired system is not repaired."""

_ADDED_MUTING = re.compile(
    r"filterwarnings|simplefilter\(\s*['\"]ignore|catch_warnings|PYTHONWARNINGS|-W\s*ignore|logging\.disable|"
    r"setLevel\(\s*(?:logging\.)?(?:CRITICAL|ERROR)|disable_existing_loggers['\"]?\s*[:=]\s*True|captureWarnings\(False"
)
_ADDED_SWALLOW = re.compile(
    r"except(?:\s+(?:Exception|BaseException))?(?:\s+as\s+\w+)?\s*:\s*(?:pass|return\s+[\d.]+)?\s*$"
)
_RECORDS = re.compile(
    r"\b(?:\w*(?:prediction_?log|predlog|recorder|writer|record|logger|log)\w*)\s*\.\s*(\w+)\s*\(|@\w+\.(?:get|post)\(\s*['\"]([^'\"]+)|"
    r"\b(enqueue|log_prediction|record_prediction|write_prediction)\w*\("
)


_WAITS = frozenset({"flush", "join", "wait", "close"})
"""Methods of a log that wait for what is recorded and record nothing: leaving them out loses nothing."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: passed, what was observed, and what to look at next. `None` is not measured."""

    passed: bool | None
    observed: str
    improve: str = ""


def same(row: ProbeRow) -> bool:
    """Say whether a hidden request was answered as the training pipeline answers it."""
    if row.observed is None or row.observed_decision != row.expected_decision:
        return False
    return abs(row.observed - row.expected) <= SAME * max(1.0, abs(row.expected))


def _champion(bundle: Bundle) -> int | None:
    version = bundle.healthy.facts.get("registry alias=champion version")
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def ready(bundle: Bundle) -> Finding:
    """The service answered as the learner left it, and after the redeploy."""
    probe = bundle.probe
    down = sorted(name for name, up in probe.services.items() if not up)
    if down:
        return Finding(False, f"Not running: {', '.join(down)}.", "A repaired system serves. Start what is stopped.")
    if not probe.redeployed:
        return Finding(False, "The workspace does not deploy.", "Run `crashlab deploy` and read its complaint.")
    if not probe.live_ready:
        return Finding(False, "The service gave no answer as it was left.", "Ask it something before you submit.")
    answered = sum(row.observed is not None for row in probe.rows)
    if not probe.rows or answered < len(probe.rows):
        return Finding(False, f"{answered} of {len(probe.rows)} hidden requests were answered.", "Which requests fail?")
    return Finding(True, f"All {answered} hidden requests were answered.")


def parity(bundle: Bundle) -> Finding:
    """Predictions and features agree with the training side's."""
    probe = bundle.probe
    wrong = sum(not same(row) for row in probe.rows)
    features = sum(share > FEATURE_SHARE for share in probe.feature_mismatch.values())
    said = f"{wrong} of {len(probe.rows)} hidden requests differ from the training pipeline's answers"
    said += f", and {features} of {len(probe.feature_mismatch)} features differ." if probe.feature_mismatch else "."
    if probe.repeat_mismatch:
        said += f" Of requests that were sent again, {probe.repeat_mismatch:.0%} were answered in another way."
        return Finding(
            False, said, "What else than the request does an answer depend on: who gives it, or what was before?"
        )
    if probe.batch_mismatch and not wrong:
        said += f" In a batch, {probe.batch_mismatch:.0%} of the answers differ."
        return Finding(False, said, "Is an order answered alike alone and among others?")
    if wrong or features or not probe.rows:
        return Finding(False, said, "Send one raw payload through both sides and compare the transformed values.")
    return Finding(True, said)


def quality(bundle: Bundle) -> Finding:
    """The error on fresh labels is the healthy one."""
    probe = bundle.probe
    if probe.mae is None or not probe.healthy_mae:
        return Finding(False, "There is no error on fresh labels.", "Does the service answer with predictions?")
    metric = METRICS.get(probe.metric, probe.metric)
    said = f"The {metric} on fresh labels is {probe.mae:.2f}; a healthy system has {probe.healthy_mae:.2f}."
    if probe.mae_limit is not None:
        said += f" In a world that has changed, {probe.mae_limit:.2f} is good enough."
    if not _as_good(bundle):
        return Finding(False, said, "Where are the errors large, and what do these requests have in common?")
    return Finding(True, said)


def _as_good(bundle: Bundle) -> bool:
    """Say whether the error on fresh labels is a healthy system's, or what a changed world allows."""
    return good(bundle.probe, bundle.probe.mae)


def good(probe: Probe, error: float | None) -> bool:
    """Say whether an error on the labels of a probe is a healthy system's, or what a changed world allows."""
    if error is None or not probe.healthy_mae:
        return False
    return error <= (WORSE * probe.healthy_mae if probe.mae_limit is None else probe.mae_limit)


def latency(bundle: Bundle) -> Finding:
    """Median latency is near this machine's healthy one, in a crowd and alone, without errors.

    95th percentiles and the health check are shown and decide nothing: they triple by themselves on a busy host.
    """
    now, then = bundle.probe.latency, bundle.probe.healthy_latency
    if now is None or then is None:
        return Finding(False, "Latency could not be measured.", "Does the service answer single requests?")
    said = f"The median is {now.p50_ms:.0f} ms (healthy {then.p50_ms:.0f} ms), the 95th percentile {now.p95_ms:.0f} ms "
    said += (
        f"({then.p95_ms:.0f} ms), the health check's 99th {now.health_p99_ms:.0f} ms ({then.health_p99_ms:.0f} ms), "
    )
    said += f"the error rate {now.error_rate:.1%}."
    slow = now.p50_ms >= SLOWER * then.p50_ms
    for title, found, healthy in (
        ("a single request", now.alone_ms, then.alone_ms),
        ("a batch", now.batch_ms, then.batch_ms),
    ):
        # More replicas and more processors help a crowd; what one request costs alone is what it costs.
        if found is not None and healthy is not None and found >= SLOWER * healthy:
            slow = True
            said += f" With nobody beside it, {title} takes {found:.0f} ms (healthy {healthy:.0f} ms)."
    if slow or now.error_rate > 0:
        return Finding(False, said, "What does one request wait for, alone and with others beside it?")
    return Finding(True, said)


def identity(bundle: Bundle) -> Finding:
    """What is served is what it says it is, and was approved for it."""
    probe = bundle.probe
    champion = _champion(bundle)
    agrees = probe.served_version is not None and probe.served_version == probe.alias_version
    approved = probe.alias_version in probe.approved_versions or (
        champion is not None and probe.alias_version == champion
    )
    if (
        agrees
        and approved
        and probe.fingerprint_matches is not False
        and (probe.served_version == champion or _as_good(bundle))
    ):
        return Finding(True, "What serves is an approved version, by name and by behaviour.")
    return Finding(
        False,
        "What serves is not an approved version by name and by behaviour.",
        "Follow one answer back: by what name was the model asked for, what did that name mean, and who approved it?",
    )


def environment(bundle: Bundle) -> Finding:
    """Installed packages are those that were logged with the served model."""
    # Differences that were there while all was well, or that are the incident's harmless background, are no fault.
    background = bundle.healthy.facts if bundle.truth.needs_change else bundle.broken.facts
    harmless = [item.parameters for item in bundle.truth.distractors if item.kind == "warning"]
    wrong = [
        pin
        for pin in bundle.probe.pin_mismatches
        if not (
            str(background.get(f"pin serving {pin.package}", "")) == pin.serving
            and str(background.get(f"pin model {pin.package}", pin.model)) == pin.model
        )
        and not any((pin.package, pin.serving) == (each["package"], each["served"]) for each in harmless)
    ]
    said = f"{len(wrong)} packages differ from those that were logged with the served model."
    if wrong:
        return Finding(False, said, "Compare what is installed where the model was made and where it serves.")
    return Finding(True, "The installed packages are those that were logged with the served model.")


def collateral(bundle: Bundle) -> Finding:
    """Nothing else was changed, deleted, muted or hard-coded."""
    untouched = [row for row in bundle.probe.rows if not row.touched]
    wrong = sum(not same(row) for row in untouched)
    found = [f"{wrong} of {len(untouched)} requests that were right before are now wrong"] if wrong else []
    if bundle.probe.logged is not None and bundle.probe.logged < 1 - LOST_SHARE:
        found.append(f"{1 - bundle.probe.logged:.0%} of the answered requests are missing from the prediction log")
    if bundle.probe.kept is not None and bundle.probe.kept < 1 - LOST_SHARE:
        found.append(f"{1 - bundle.probe.kept:.0%} of what the prediction log held is gone from it")
    found += damage(bundle)
    if not bundle.truth.needs_change:
        found += unneeded(bundle)
    if found:
        return Finding(False, "; ".join(found) + ".", "Read your own `git diff` as a reviewer would.")
    return Finding(True, "Requests that were right before are answered as before, and nothing was removed or muted.")


def durable(bundle: Bundle) -> Finding:
    """The repair was live when it was handed in, and outlasts a redeploy, requests, and whatever else is asked for."""
    probe = bundle.probe
    compared = probe.served_version == _champion(bundle) and probe.live_mismatch is not None
    if compared and (probe.live_mismatch or 0.0) > LIVE_SHARE:
        return Finding(
            False,
            f"{probe.live_mismatch or 0.0:.0%} of the answers were wrong before the redeploy.",
            "What is in the workspace has to be deployed before it helps anybody.",
        )
    if not probe.live_ready or not probe.redeployed or not parity(bundle).passed:
        return Finding(
            False,
            "The system that was left and the one redeployed from the workspace do not both work.",
            "Would the next deployment undo what you did?",
        )
    return _outlasts(bundle) or Finding(True, "The system works as it was left and after a redeploy.")


def _outlasts(bundle: Bundle) -> Finding | None:
    """Return what wears the repair away, or None: further requests, the next promotion, or the next training."""
    probe = bundle.probe
    grown, limit = probe.memory_growth_mb, probe.memory_growth_limit_mb
    if grown is not None and limit is not None and grown > limit:
        return Finding(
            False,
            f"Memory grows by {grown:.0f} MB for 1,000 requests, after a redeploy as well.",
            "What does a request leave behind, and what takes it away again?",
        )
    if probe.follows_promotion is False:
        return Finding(
            False,
            "When another version was promoted and the service was started anew, that version did not answer.",
            "What would the next promotion change, and what would it not?",
        )
    if probe.rehearsal_failed:
        return Finding(
            False, "The training job of the workspace does not run.", "Run `crashlab retrain` and read its log."
        )
    if probe.rehearsal_mae is not None and not good(probe, probe.rehearsal_mae):
        metric = METRICS.get(probe.metric, probe.metric)
        return Finding(
            False,
            f"What the training job makes today has a {metric} of {probe.rehearsal_mae:.2f} on fresh labels.",
            "What serves is right again; what will the next training make?",
        )
    return None


def damage(bundle: Bundle) -> list[str]:
    """Name what a diff does that no repair needs: deleted code, muted warnings, lost records, known answers."""
    found: list[str] = []
    removed, added, deleted = changed_lines(bundle.diff)
    code = [name for name in deleted if name.endswith((".py", ".toml", ".txt"))]
    if code:
        found.append(f"{len(code)} files of the service were deleted")
    if any(_ADDED_MUTING.search(line) for line in added):
        found.append("warnings or logs were muted")
    if any(_ADDED_SWALLOW.search(line) for line in added):
        found.append("errors are swallowed")
    lost = _calls(removed) - _calls(added)
    if lost:
        found.append("records, logs or routes were removed")
    keys = {row.key for row in bundle.probe.rows}
    if any(key in line for line in added for key in keys if len(key) > 3):  # noqa: PLR2004 - shorter keys are words
        found.append("answers are hard-coded")
    return found


def unneeded(bundle: Bundle) -> list[str]:
    """Name changes to a system that needed none. Comments and documents are free."""
    removed, added, _ = changed_lines(bundle.diff)
    if any(line.strip() and not line.strip().startswith("#") for line in removed + added):
        return ["the workspace was changed where nothing needed to"]
    champion = _champion(bundle)
    if champion is not None and bundle.probe.alias_version not in (None, champion):
        return ["what serves was exchanged where nothing needed to"]
    return []


def _calls(lines: list[str]) -> set[str]:
    return {match[0].strip() for line in lines for match in _RECORDS.finditer(line) if match[1] not in _WAITS}


def changed_lines(diff: str) -> tuple[list[str], list[str], list[str]]:
    """Split a unified diff into removed lines, added lines and names of deleted files; documents are left out."""
    removed: list[str] = []
    added: list[str] = []
    deleted: list[str] = []
    name = ""
    for line in diff.splitlines():
        if line.startswith("diff --git "):
            name = line.rsplit(" b/", 1)[-1]
        elif line.startswith("deleted file"):
            deleted.append(name)
        elif line.startswith(("+++ ", "--- ", "@@", "index ")) or name.endswith(".md"):
            if line.startswith("+++ /dev/null") and name not in deleted:
                deleted.append(name)
        elif line.startswith("-"):
            removed.append(line[1:])
        elif line.startswith("+"):
            added.append(line[1:])
    return removed, added, deleted


CHECKS: tuple[tuple[str, str, float, Callable[[Bundle], Finding]], ...] = (
    ("fix-ready", "The service answers", 3, ready),
    ("fix-parity", "Training and serving agree", 4, parity),
    ("fix-quality", "Predictions are as good as before", 3, quality),
    ("fix-latency", "Answers are as fast as before", 2, latency),
    ("fix-identity", "The right thing is served", 3, identity),
    ("fix-environment", "The installed packages fit the model", 2, environment),
    ("fix-collateral", "Nothing else was harmed", 2, collateral),
    ("fix-durable", "The fix is live and survives a redeploy", 1, durable),
)
"""Checks of the fix: id, title, points and function. The points sum to 20."""


def unmeasured(bundle: Bundle) -> bool:
    """Whether the probe failed for a reason that is not what the learner left."""
    probe = bundle.probe
    return bool(probe.failure) and all(probe.services.values()) and probe.redeployed and probe.live_ready


def items(bundle: Bundle) -> tuple[list[Item], bool]:
    """Grade the fix. Returns its items and whether all of them passed."""
    if unmeasured(bundle):
        lines = [
            Item(
                id=i,
                title=t,
                status="not graded",
                points=None,
                max_points=p,
                observed="The system could not be measured.",
                improve="Submit again; if that does not help, see `crashlab status`.",
            )
            for i, t, p, _ in CHECKS
        ]
        return lines, False
    failed = bool(bundle.probe.failure)
    findings = [check(bundle) for *_, check in CHECKS]
    if failed:
        # A stopped or broken service cannot be given the benefit of what could not be measured.
        findings = [
            finding
            if finding.passed is False
            else Finding(
                False,
                "The system that was left could not be measured.",
                "It has to run before anything else can be checked.",
            )
            for finding in findings
        ]
    complete = all(finding.passed for finding in findings)
    lines = []
    for (name, title, points, _), finding in zip(CHECKS, findings, strict=True):
        earned = (points if complete else round(points * UNFINISHED, 2)) if finding.passed else 0.0
        waiting = "In full once every other check of the fix passes." if finding.passed and not complete else ""
        lines.append(
            Item(
                id=name,
                title=title,
                status="passed" if finding.passed and complete else "partial" if finding.passed else "failed",
                points=earned,
                max_points=points,
                observed=finding.observed,
                improve=finding.improve or waiting,
            )
        )
    return lines, complete
