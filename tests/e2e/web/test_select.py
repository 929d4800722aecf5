"""The page of selections in a real browser: counts, requests and the tags that come of them."""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from playwright.sync_api import expect

from lightly.api.transport import Transport
from tests.support.browsers import open_page, sign_in
from tests.support.web_scenes import show_scenes

pytestmark = pytest.mark.xdist_group("browser")

N_SCENES = 60
#: Objectives, thresholds of both kinds, a mix.
RULES = "diversity;min=0.01~threshold;key=gain;op=SMALLER;value=3~balance;key=weather"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    with show_scenes(tmp_path_factory.mktemp("select"), N_SCENES) as shown:
        yield shown


@pytest.fixture
def watched(browser, scenes):
    opened = open_page(browser, scenes.server.url)
    yield opened
    opened.shoot("select-last-test")
    opened.page.context.close()
    assert opened.faults == []


def read_code(page, kind: str) -> str:
    page.get_by_role("button", name=kind, exact=True).click()
    return page.locator("aside pre").inner_text()


def press_start(page, name: str):
    start = page.get_by_role("button", name=name, exact=True)
    expect(start).to_be_enabled()
    start.click()


@contextmanager
def record_posts():
    """Yield a list of what clients of this process send meanwhile: path and body."""
    sent: list[tuple[str, object]] = []
    post = Transport.post

    def note(self, path, body=None, *arguments, **options):
        sent.append((path, json.loads(json.dumps(body))))
        return post(self, path, body, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "post", note)
        yield sent


def test_counts_before_a_run_are_those_of_the_data(watched, scenes):
    page = watched.page
    sign_in(watched, f"{scenes.url}/select?r={RULES}&n=36&name=counted")
    kept = scenes.gain < 3
    rules = page.locator("main ul > li")
    expect(rules.nth(1)).to_contain_text(f"{60 - kept.sum()} of 60 samples")
    expect(rules.nth(1)).to_contain_text("time night 100 %")
    expect(page.locator(".big")).to_have_text("36")

    snow = np.asarray(scenes.weather) == "snow"
    assert (kept & snow).sum() < 12
    expect(rules.nth(2).locator("tr", has_text="snow")).to_contain_text("too few")

    # Scores are counted too, and all thresholds together.
    page.get_by_label("Add a rule").select_option("threshold")
    rules.nth(3).get_by_role("combobox", name="Goes by").select_option("score")
    score = rules.nth(3).get_by_role("combobox", name="Score", exact=True)
    score.select_option("uncertainty_entropy")
    rules.nth(3).get_by_label("Number").fill("0.5")
    both = int((kept & (scenes.scores > 0.5)).sum())
    expect(rules.nth(3)).to_contain_text(f"{int((scenes.scores <= 0.5).sum())} of 60 samples")
    expect(page.locator(".sum")).to_contain_text(f"of {both} candidates")
    page.reload()
    expect(page.locator(".sum")).to_contain_text(f"of {both} candidates")
    expect(rules.nth(3).get_by_label("Number")).to_have_value("0.5")


def test_the_page_and_the_python_that_it_prints_send_the_same_and_make_the_tag(watched, scenes):
    page = watched.page
    known = scenes.make_tag("known", [0, 2])
    sign_in(watched, f"{scenes.url}/select")
    page.get_by_role("button", name="As different as possible").click()
    page.get_by_label("Add a rule").select_option("balance")
    rules = page.locator("main ul > li")
    rules.nth(1).get_by_role("combobox", name="Value").select_option("weather")
    rules.nth(1).get_by_role("button", name="my shares").click()
    rules.nth(1).get_by_label("wanted: sun").fill("20")
    rules.nth(1).get_by_label("wanted: snow").fill("80")
    page.get_by_label("Already chosen").select_option(known)
    page.get_by_label("new samples").fill("8")
    page.get_by_label("Name of the new tag").fill("snow mostly")
    python = read_code(page, "Python")
    shown = json.loads(read_code(page, "JSON"))

    with page.expect_request("**/selection") as asked:
        press_start(page, "Select")
    page.locator("section.done").wait_for()
    assert asked.value.post_data_json == shown
    with record_posts() as sent:
        namespace: dict[str, object] = {}
        with patch.dict(os.environ, scenes.environment):
            exec(compile(python, "printed", "exec"), namespace)
    assert [body for path, body in sent if path.endswith("/selection")] == [shown]

    picked = scenes.read_tag("snow mostly")
    link = page.get_by_role("link", name="Look at them")
    assert link.get_attribute("href").endswith(f"explore?tag={namespace['tag'].id}")
    assert len(picked) == 10
    assert {0, 2} < picked
    assert sum(scenes.weather[index] == "snow" for index in picked) >= 6
    expect(page.locator("section.done")).to_contain_text("8 new samples")
    link.click()
    expect(page.locator(".chips .count strong")).to_have_text("10")


def test_a_run_of_a_worker_is_scheduled_as_the_python_schedules_it(watched, scenes):
    page = watched.page
    rules = (
        "diversity;strength=2;min=0.1~weights;of=predictions;task=cars;cat=car~typicality;near=5"
        "~threshold;of=score;key=uncertainty_margin;task=cars;value=0.25;op=BIGGER_EQUAL"
        "~random;seed=4~balance;key=weather;dist=TARGET;to=sun:0.5~weights;key=gain;most=9"
    )
    schema = {
        "name": "cars",
        "type": "OBJECT_DETECTION",
        "categories": [{"id": 0, "name": "car"}],
    }
    scenes.call("POST", "/predictions/tasks", schema)
    sign_in(watched, f"{scenes.url}/select?on=worker&n=12.5%25&priority=HIGH&r={rules}")
    python = read_code(page, "Python")
    shown = json.loads(read_code(page, "JSON"))
    with (
        page.expect_request("**/config/vX") as configured,
        page.expect_request("**/docker/worker/schedule") as scheduled,
    ):
        press_start(page, "Schedule the run")
    expect(page.locator("form .good")).to_be_visible()
    assert configured.value.post_data_json == shown

    with record_posts() as sent, patch.dict(os.environ, scenes.environment):
        exec(compile(python, "printed", "exec"), {})
    (_, config), (_, schedule) = sent
    creator = {"creator": "USER_WEBAPP"}
    assert config | creator == shown
    by_page = scheduled.value.post_data_json
    assert schedule | creator == by_page | {"configId": schedule["configId"]}
    runs = scenes.call("GET", "/docker/worker/schedule").json()
    assert len(runs) == 2


def test_a_selection_under_way_can_be_cancelled_and_makes_no_tag(watched, scenes):
    page = watched.page
    sign_in(watched, f"{scenes.url}/select?n=5&name=never made")
    with held_up(scenes.server.pid):
        press_start(page, "Select")
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Cancelled: no tag was made.")).to_be_visible()
    assert "never made" not in {tag["name"] for tag in scenes.call("GET", "/tags").json()}
    page.get_by_role("button", name="Change it and try again").click()
    expect(page.get_by_role("button", name="Select", exact=True)).to_be_enabled()
    assert "job=" not in page.url


@contextmanager
def held_up(pid: int):
    """Hold the processes that do the work of a server, so that a job goes on for as long."""
    children = list_children(pid)
    assert children
    for child in children:
        os.kill(child, signal.SIGSTOP)
    try:
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGCONT)


def list_children(pid: int) -> list[int]:
    """Return all processes below one."""
    lists = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    found = [int(text) for texts in lists for text in texts]
    return found + [below for child in found for below in list_children(child)]


def test_what_stands_in_the_way_is_said(watched, scenes):
    page = watched.page
    sign_in(watched, f"{scenes.url}/select?r=similarity&name=initial-tag")
    hint = page.locator("form p[role=status]").last
    expect(hint).to_have_text("Choose a tag.")
    page.get_by_role("combobox", name="Like those of a tag").select_option(index=1)
    expect(hint).to_have_text("There is a tag of this name already.")
    page.get_by_label("Name of the new tag").fill("!")
    expect(hint).to_contain_text("A name has")
    page.get_by_label("Name of the new tag").fill("fine then")
    expect(page.get_by_role("button", name="Select", exact=True)).to_be_enabled()
    page.go_back()
    expect(hint).to_have_text("Choose a tag.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser, scenes, scheme):
    watched = open_page(browser, scenes.server.url, scheme=scheme)
    page = watched.page
    sign_in(watched, f"{scenes.url}/select?r={RULES}&n=9&name=accessible {scheme}")
    expect(page.locator(".big")).to_have_text("9")
    page.wait_for_load_state("networkidle")
    assert watched.find_obstacles() == []
    watched.shoot(f"select-{scheme}")
    press_start(page, "Select")
    page.locator("section.done svg").first.wait_for()
    assert watched.find_obstacles() == []
    watched.shoot(f"selected-{scheme}")
    assert re.search("job=[a-f0-9]{24}", page.url)
    page.context.close()
    assert watched.faults == []
