"""The picture of the web app in the README, from the server that `make demo` left running.

python -m tools.demo.picture_app
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import requests
from PIL import Image
from playwright.sync_api import Page

from tests.support.browsers import run_browser

ROOT = Path(__file__).parents[2]
_PICTURE = ROOT / "docs/images/explore.png"
_SIZE = {"width": 1440, "height": 900}
_N_COLORS = 200


def main() -> None:
    """Take the picture."""
    server = json.loads((ROOT / "lightly-demo/server.json").read_text())
    headers = {"Authorization": f"Bearer {server['token']}"}
    datasets = requests.get(f"{server['url']}/v1/datasets", headers=headers, timeout=30).json()
    with run_browser() as browser:
        page = browser.new_page(viewport=_SIZE)  # type: ignore[arg-type]  # a typed dictionary
        page.goto(f"{server['url']}/datasets/{datasets[-1]['id']}/explore")
        picture = _take_picture(page, server["token"])
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(_N_COLORS)
    image.save(_PICTURE, optimize=True)
    print(f"{_PICTURE.relative_to(ROOT)}: {_PICTURE.stat().st_size:,} bytes")


def _take_picture(page: Page, token: str) -> bytes:
    page.fill("input[name=token]", token)
    page.keyboard.press("Enter")
    page.locator("select").last.select_option(label="class")
    page.wait_for_load_state("networkidle")
    # The map is drawn after the last answer.
    page.wait_for_timeout(3000)
    return page.screenshot()


if __name__ == "__main__":
    main()
