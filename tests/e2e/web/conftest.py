"""One server for all tests of pages, and one browser for each module."""

from __future__ import annotations

import pytest

from tests.support.browsers import open_page, run_browser
from tests.support.web_app import run_shown


@pytest.fixture(scope="session")
def shown(tmp_path_factory):
    with run_shown(tmp_path_factory.mktemp("web")) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    """A browser for one module: while it runs, no other test can start an event loop."""
    with run_browser() as running:
        yield running


@pytest.fixture
def watched(browser, shown):
    opened = open_page(browser, shown.server.url)
    yield opened
    opened.shoot("last-test")
    opened.page.context.close()
    assert opened.faults == []
