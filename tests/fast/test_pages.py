"""Pages of the catalogue: up to date, and silent about the answer until they are unfolded."""

import os
import re
from pathlib import Path

import pytest

from crashlab import pages, scenario
from crashlab.settings import Settings, from_environment
from crashlab.verify import Matrix, Step

ROOT = Path(__file__).parents[2]
SETTINGS = from_environment(os.environ)
NAMES = scenario.names(ROOT / "scenarios")


def test_the_pages_are_what_the_scenarios_say():
    stale = [path.name for path in pages.outdated(SETTINGS)]
    assert stale == [], "run `crashlab catalogue --write`"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_gives_nothing_away_before_it_is_unfolded(name):
    text = (ROOT / pages.FOLDER / f"{name}.md").read_text()
    shown = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL).replace(name, "").lower()
    # Links to look-alikes are names of other scenarios, which the catalogue lists anyway.
    shown = re.sub(r"\[[\w-]+\]\([\w-]+\.md\)", "", shown)
    truth = scenario.plan(name, pages.EXAMPLE_SEED)
    for fault in truth.faults:
        for word in (fault.cause, fault.cause.replace("-", " "), fault.mechanism.sentence.lower()):
            assert word not in shown
        assert fault.component == "none" or f"`{fault.object.lower()}`" not in shown
    assert truth.remedy.lower() not in shown


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_evidence_fix_and_source(name):
    text = (ROOT / pages.FOLDER / f"{name}.md").read_text()
    truth = scenario.plan(name, pages.EXAMPLE_SEED)
    found = scenario.load(ROOT / "scenarios", name)
    assert all(f"**`{fact}`**" in text for fact in truth.discriminating)
    assert all(source.url in text for source in found.sources)
    assert text.count("<details>") == text.count("</details>") == len(found.hints) + 1


def test_writing_repairs_what_is_missing_wrong_or_of_no_scenario(tmp_path):
    for part in ("scenarios", "docs"):
        (tmp_path / part).symlink_to(ROOT / part) if part == "scenarios" else (tmp_path / part).mkdir()
    settings = Settings(root=tmp_path, home=tmp_path)
    assert len(pages.write(settings)) == len(NAMES) + 1
    folder = tmp_path / pages.FOLDER
    (folder / "gone.md").write_text("")
    (folder / "wrong-alias.md").write_text("")
    assert {path.name for path in pages.outdated(settings)} == {"gone.md", "wrong-alias.md"}
    pages.write(settings)
    assert pages.outdated(settings) == []
    assert not (folder / "gone.md").exists()


def test_a_matrix_names_what_failed_on_any_seed():
    good = Step(name="doing nothing fails", passed=True, detail="", seconds=2.0)
    bad = Step(name="alerts clear their thresholds", passed=False, detail="", seconds=4.0)
    results = [
        Matrix(scenario="wrong-alias", runtime="embedded", seed=seed, steps=steps, phases={})
        for seed, steps in ((1, (good, good)), (2, (good, bad)))
    ]
    assert pages.matrix(results).splitlines()[-1] == (
        "| `wrong-alias` | embedded | 2 | 2 | alerts clear their thresholds | 5 |"
    )
