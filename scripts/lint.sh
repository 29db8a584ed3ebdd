#!/usr/bin/env bash
# What can be checked of the sources without building them: their format, and rules of the house that the compiler cannot see.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0

swift format lint --strict --recursive --parallel Package.swift Sources Tests || status=1

complain() { # rule, matches
  if [ -n "$2" ]; then
    printf 'lint: %s\n%s\n' "$1" "$2" >&2
    status=1
  fi
}
swift_sources() { git ls-files -- "$@" | grep '\.swift$' || true; }

complain "SQL belongs to Storage" "$(swift_sources Sources | grep -v '^Sources/Storage/' |
  xargs -r grep -nE '^\s*(internal |package |public )?import GRDB|sqlite3_' || true)"
complain "FoundationXML and Regex are not for here" "$(swift_sources Sources |
  xargs -r grep -nE 'import FoundationXML|import XMLCoder|import RegexBuilder' || true)"
complain "a scope is proven by Identity or handed on by Storage" "$(swift_sources Sources |
  grep -vE '^Sources/(Identity|Storage|Domain)/' | xargs -r grep -n 'TenantScope(proven' || true)"
complain "crafts are pure" "$(swift_sources Sources/LogParsing Sources/LogTemplates Sources/LogBlocks Sources/LogQuery \
  Sources/Embedding Sources/VectorIndex | xargs -r grep -nE 'import (Foundation|Logging|NIO|GRDB|Dispatch)' || true)"
complain "tests do not sleep" "$(git ls-files -- Tests | grep -E '\.swift$' |
  xargs -r grep -nE 'Task\.sleep|usleep\(|[^a-z]sleep\(' || true)"
exit $status
