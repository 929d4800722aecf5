"""One server and one browser for all tests of pages."""

from __future__ import annotations

import pytest

from tests.support.browsers import open_page, run_browser
from tests.support.web_app import run_shown


@pytest.fixture(scope="package")
def shown(tmp_path_factory):
    with run_shown(tmp_path_factory.mktemp("web")) as found:
        yield found


@pytest.fixture(scope="package")
def browser():
    with run_browser() as running:
        yield running


@pytest.fixture
def watched(browser, shown):
    opened = open_page(browser, shown.server.url)
    yield opened
    opened.shoot("last-test")
    opened.page.context.close()
    assert opened.faults == []
