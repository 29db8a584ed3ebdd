#!/bin/sh
# The pages in a real browser: Debian's Chromium against the real binary, named by TIMBERLINE_BINARY, with its sample
# incident. Arguments choose tests by a part of their name. Pictures are kept in .build/ui/pictures.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
state=${TIMBERLINE_UI_STATE:-$here/../../.build/ui}
: "${TIMBERLINE_BINARY:?name the binary to test, as in TIMBERLINE_BINARY=build/timberline}"
sh "$here/../../Sources/Web/UI/setup.sh" --test
state=$(cd "$state" && pwd)
export TIMBERLINE_UI_PICTURES="${TIMBERLINE_UI_PICTURES:-$state/pictures}"
cd "$here"
exec "$state/venv/bin/python" -B -m harness "$@"
