"""The flagship from alert to verdict, as a learner would solve it, by the commands of the demonstration."""

from tests.conftest import Shell
from tests.kit import processes


def test_the_flagship_is_solved_from_alert_to_verdict(crashlab: Shell) -> None:
    before = {process.pid for process in processes(crashlab.home)}
    ran = crashlab("demo", "--json")
    assert ran.code == 0, ran
    steps = ran.json
    fired = {alert["rule"] for step in steps if step["brief"] for alert in step["brief"]["alerts"]}
    assert {"prediction-quality", "prediction-shift"} <= fired
    told = {step["command"]: step["text"] for step in steps if step["command"].startswith("measure ")}
    # Measured last on the repaired system: both sides agree again.
    assert told["measure parity mismatch"] == "[parity mismatch=0]"
    assert told["measure pin serving featurelib"] != told["measure pin model featurelib"].replace("model", "serving")
    verdict = steps[-2]["verdict"]
    assert verdict["passed"]
    assert verdict["score"] >= 90, verdict
    # Other incidents of the session go on.
    assert {process.pid for process in processes(crashlab.home)} <= before
