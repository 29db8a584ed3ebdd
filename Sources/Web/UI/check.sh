#!/bin/sh
# Types, lint, format and unit tests of the UI; builds nothing.
exec sh "$(dirname "$0")/build.sh" --check-only
