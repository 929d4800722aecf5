"""Runs one script inside a published client's environment; started by `runner.py`.

Works in the current folder: `order.json` and `script.py` are there, `result.json` is written.
Nothing but the standard library may be imported here before the script itself asks for more.
"""

import json
import runpy
import sys
import time
from pathlib import Path


def main() -> None:
    """Run the script; its global `result`, if it sets one, is written as JSON."""
    order = json.loads(Path("order.json").read_text("utf-8"))
    if order["needs_torch_stand_ins"]:
        import torch_stand_ins  # type: ignore[import-not-found]  # lies next to this file

        torch_stand_ins.install()
    # The script must see the client as a user would, not the modules next to this one.
    del sys.path[0]
    if order["longest_sleep_s"] is not None:
        cap_sleeps(order["longest_sleep_s"])
    script_globals = {"arguments": order["arguments"]}
    result_file = Path("result.json").resolve()
    left_over = runpy.run_path("script.py", init_globals=script_globals, run_name="__main__")
    result_file.write_text(json.dumps(left_over.get("result")), "utf-8")


def cap_sleeps(longest_sleep_s: float) -> None:
    """Shorten every sleep, such as the pauses between retries and polls."""
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(float(seconds), longest_sleep_s))


if __name__ == "__main__":
    main()
