#!/usr/bin/env bash
# Installs the Debian packages that a step needs, only those that are missing, and says what it does.
#   scripts/setup.sh build|test|browser
set -euo pipefail

case "${1:-build}" in
  build)
    packages=(
      make g++ binutils python3 python3-venv pkg-config
      libsqlite3-dev libssl-dev libargon2-dev libzstd-dev zlib1g-dev
      esbuild node-react node-react-dom node-csstype node-prop-types
      fonts-inter-variable fonts-jetbrains-mono fonttools python3-brotli
    ) ;;
  test) packages=(python3 zstd) ;;
  browser) packages=(chromium python3-venv) ;;
  *) echo "setup: unknown step '$1'" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing Debian packages: ${missing[*]}"
  run=()
  [ "$(id -u)" -eq 0 ] || run=(sudo)
  "${run[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v swift >/dev/null; then
  echo "setup: the Swift toolchain (6.2 or newer) is not on the PATH; see https://www.swift.org/install/linux/" >&2
  exit 1
fi

# The archives that the binary carries inside; see the linker settings in Package.swift.
if [ "${1:-build}" = "build" ]; then
  archives="$(dirname "$0")/../.build/static"
  mkdir -p "$archives"
  for name in sqlite3 zstd z stdc++; do
    ln -sf "$(gcc -print-file-name="lib$name.a")" "$archives/"
  done
fi
