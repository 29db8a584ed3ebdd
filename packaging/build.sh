#!/usr/bin/env bash
# Packs a built binary for people: packaging/build.sh BINARY makes build/timberline-VERSION-linux-ARCH.tar.gz and its SHA-256.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$1
version=$("$binary" version | awk '{print $2}')
name="timberline-$version-linux-$(uname -m)"
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
mkdir "$staging/$name"
cp "$binary" LICENSE README.md CHANGELOG.md packaging/timberline.conf.example packaging/systemd/timberline.service "$staging/$name"
# Times, owners and order are fixed, so that the same binary gives the same archive.
tar -C "$staging" --sort=name --owner=0 --group=0 --numeric-owner --mtime='2026-01-01 00:00:00Z' -cf - "$name" |
  gzip -9n > "build/$name.tar.gz"
(cd build && sha256sum "$name.tar.gz" > "$name.tar.gz.sha256")
echo "build/$name.tar.gz"
