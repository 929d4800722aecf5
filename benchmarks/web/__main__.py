"""`python -m benchmarks.web` runs all figures of the web app."""

from __future__ import annotations

import sys

from benchmarks.web.explore import main

sys.exit(main())
