#!/usr/bin/env bash
# The binary is one file: it may need the C library's own shared objects and nothing else.
set -euo pipefail
binary=$1
foreign=$(ldd "$binary" | awk '{print $1}' |
  grep -vE '^(linux-vdso|libc|libm|libdl|libpthread|librt|libutil|libgcc_s|libstdc\+\+|/lib64/ld-linux|/lib/ld-linux)[.-]' || true)
if [ -n "$foreign" ]; then
  echo "check-binary: $binary needs more than the C library: $foreign" >&2
  exit 1
fi
