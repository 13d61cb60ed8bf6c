"""Evidently's page in a real browser without a network."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crashlab import report, workload
from crashlab.evidence.observer import Observer, Windows
from crashlab.stack.fake import FakeStack
from serving.prediction_log import PredictionLog, Row
from tests.browser.chromium import Page

ROOT = Path(__file__).parents[2]
START = datetime(2026, 9, 1, tzinfo=UTC)


def recorded(folder: Path, features: list[str]) -> None:
    rng = random.Random(1)
    folder.mkdir(parents=True)
    log = PredictionLog(folder / "predictions.db", dropped=lambda _: None)
    log.start()
    for i in range(60):
        at = (START + timedelta(minutes=i)).isoformat()
        vector = {name: rng.gauss(5, 1) for name in features}
        log.add(Row(f"r{i}", f"o{i}", at, at, {}, vector, 30.0, 5, "abc1234", 20.0))
    log.close()


def test_the_page_opens_offline(page: Page, tmp_path: Path) -> None:
    load = workload.load(ROOT, "eta")
    features = list(load.features[:3])
    stack = FakeStack(home=tmp_path)
    recorded(tmp_path / "data", features)
    rng = random.Random(2)
    reference: dict[str, list[float | None]] = {name: [rng.gauss(0, 1) for _ in range(200)] for name in features}
    windows = Windows((START, START), (START, START + timedelta(days=1)))
    made = report.build(Observer(stack, load, windows, reference), "now", "features", tmp_path / "reports")
    assert {column.name for column in made.columns if column.drifted} == set(features)
    page.offline()
    page.open(made.html.as_uri())
    page.wait("document.body.innerText.includes('drift')")
    text = page.value("document.body.innerText")
    assert [name for name in features if name not in text] == []
    assert page.value("document.querySelectorAll('svg, canvas').length") > 0
    assert [url for url in page.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert page.errors == []
