"""The API's /docs page in a real browser: every route and field, from this host alone."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from serving import app as application
from serving.eta import schema
from serving.model import Served
from serving.settings import Settings
from tests.browser.chromium import PATIENCE, Page


class Workload:
    """The real requests of `eta`, without its features: the page shows no prediction."""

    TITLE = "Delivery times API"
    NOUN = "order"
    ENTITY = "order_id"
    EVENT_TIME = "placed_at"
    PREDICTION_FIELD = "eta_minutes"
    BATCH_KEY = "orders"
    SAMPLE = schema.SAMPLE
    Order = schema.Order
    Batch = schema.Batch

    class Preprocessor:
        def __init__(self, data: Path) -> None:
            pass


@pytest.fixture
def api(tmp_path: Path) -> Iterator[str]:
    settings = Settings("eta", tmp_path, "http://nowhere", "eta", "champion", "abc1234", "127.0.0.1", 0)
    model = Served("eta", "champion", 5, "run", "2026-01-01T00:00:00+00:00", None)
    server = uvicorn.Server(
        uvicorn.Config(application.create_app(settings, Workload, model), port=0, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_the_page_shows_every_route_and_field(page: Page, api: str) -> None:
    page.open(f"{api}/docs")
    page.wait("document.querySelectorAll('section').length >= 6")
    text = page.value("document.body.innerText")
    spec = page.value(f"fetch('{api}/openapi.json').then(answer => answer.json())")
    assert set(spec["paths"]) == {"/predict", "/predict/batch", "/health", "/ready", "/info", "/metrics"}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in " ".join(text.split())
            assert operation["summary"] in text
    for name, field in spec["components"]["schemas"]["Order"]["properties"].items():
        assert name in text
        assert field["description"] in text
    assert page.errors == []


def test_it_asks_this_host_alone(page: Page, api: str) -> None:
    page.open(f"{api}/docs")
    page.wait("document.querySelectorAll('section').length >= 6")
    assert f"{api}/openapi.json" in page.requests
    assert [url for url in page.requests if not url.startswith(f"{api}/")] == []


def test_it_fits_a_narrow_screen(page: Page, api: str) -> None:
    page.size(360)
    page.open(f"{api}/docs")
    page.wait("document.querySelectorAll('section').length >= 6")
    assert page.value("document.documentElement.scrollWidth") <= 360
