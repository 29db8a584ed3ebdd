#!/bin/sh
# Installs what building and checking the UI needs, only when it is missing: Debian packages (root, or told
# what to install) and the PyPI packages in a virtual environment under .build/ui. Safe to run again.
#
#   setup.sh          what the bundle needs
#   setup.sh --test   also what the browser tests need (Chromium, Playwright, axe)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
state=${TIMBERLINE_UI_STATE:-$here/../../../.build/ui}
mkdir -p "$state"
state=$(cd "$state" && pwd)

packages="esbuild node-react node-react-dom node-csstype node-prop-types fonts-inter-variable fonts-jetbrains-mono \
fonttools python3-brotli python3-venv"
wheels="deno==2.9.8 lucide==1.1.4"
if [ "${1-}" = --test ]; then
  packages="$packages chromium"
  wheels="$wheels playwright==1.65.2 axe-playwright-python==0.1.8"
fi

missing=
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "setup.sh: these Debian packages are missing; install them with: sudo apt-get install$missing" >&2
    exit 1
  fi
  echo "Installing Debian packages:$missing"
  # shellcheck disable=SC2086 # a list of names
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >"$state/apt.log" 2>&1 ||
    { apt-get update -q >>"$state/apt.log" 2>&1 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >>"$state/apt.log" 2>&1; } ||
    { tail -n 20 "$state/apt.log" >&2; exit 1; }
fi

# The list of wheels is the stamp: a changed pin installs again.
if [ "$(cat "$state/venv/wheels" 2>/dev/null)" != "$wheels" ]; then
  case "$(cat "$state/venv/wheels" 2>/dev/null)" in
    "$wheels "*) exit 0 ;; # already there, with the test tools besides
  esac
  echo "Installing into $state/venv: $wheels"
  [ -x "$state/venv/bin/python" ] || /usr/bin/python3 -m venv "$state/venv"
  # shellcheck disable=SC2086
  "$state/venv/bin/python" -m pip install -q --disable-pip-version-check $wheels
  printf '%s' "$wheels" >"$state/venv/wheels"
fi
