from collections.abc import Iterator

import pytest

from tests.browser import chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Chromium]:
    binary = chromium.find()
    if binary is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    made = chromium.Chromium(binary, tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


@pytest.fixture
def page(browser: chromium.Chromium) -> Iterator[chromium.Page]:
    made = browser.page()
    yield made
    made.close()
