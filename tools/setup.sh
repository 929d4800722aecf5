#!/usr/bin/env bash
# Makes .venv with everything that is needed, from nothing but Debian and Python 3.11.
#
#   tools/setup.sh          what running the platform needs
#   tools/setup.sh test     also what the tests need: PostgreSQL, Chromium, the published clients,
#                           Azurite
#
# A stamp file remembers what was installed, so that a second run takes a moment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
  say "Installing system packages: $*"
  if ! { as_root apt-get -qq update && DEBIAN_FRONTEND=noninteractive as_root apt-get -qq install -y --no-install-recommends "$@" >/dev/null; }; then
    say "Could not install $*. Install it by hand, then run this again."
    exit 1
  fi
}

find_python() {
  local name
  for name in "${PYTHON:-}" python3.11 python3; do
    if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  say "Python 3.11 is needed. Set PYTHON=/path/to/python3.11."
  exit 1
}

install_python_packages() {
  local python stamp
  stamp=$(cat requirements/all.txt pyproject.toml | sha256sum | cut -d' ' -f1)
  if [ -x .venv/bin/lightly ] && [ "$(cat .venv/.stamp 2>/dev/null || true)" = "$stamp" ]; then
    return
  fi
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
  say "Installing Python packages into .venv (about a minute)"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/all.txt
  # The package itself: built with what is installed already, nothing else is fetched.
  LIGHTLY_SKIP_WEB_BUILD=1 .venv/bin/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
  echo "$stamp" > .venv/.stamp
  warm_compiled_code
}

# The first large selection and the first UMAP compile for a while; what can be kept of that is kept
# beside the packages. Nobody waits for it.
warm_compiled_code() {
  nohup nice -n 19 .venv/bin/python -m lightly.selection.kernels >/dev/null 2>&1 &
  nohup nice -n 19 .venv/bin/python -c '
import numpy as np
from lightly.server.embeddings.projections import project

project(np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32), "UMAP")
' >/dev/null 2>&1 &
}

install_test_systems() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || apt_install postgresql
  command -v chromium >/dev/null || apt_install chromium fonts-liberation
  .venv/bin/python tools/install_published_clients.py
  .venv/bin/python tools/install_azurite.py
}

# Kept by a hash of its sources: a moment when nothing changed, half a minute at the first time.
build_web_app() {
  .venv/bin/python tools/build_web.py >&2
}

install_python_packages
build_web_app
if [ "${1:-}" = test ]; then install_test_systems; fi
