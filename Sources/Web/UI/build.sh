#!/bin/sh
# Builds the UI into Sources/CWebAssets/dist, where the C target embeds it.
#
#   build.sh           bundle
#   build.sh --check   types, lint, format and unit tests first; anything wrong stops the build
#   build.sh --check-only   those alone (check.sh)
set -eu
cd "$(dirname "$0")"
state=${TIMBERLINE_UI_STATE:-../../../.build/ui}
mkdir -p "$state"
state=$(cd "$state" && pwd)
assets=$(cd ../../CWebAssets && pwd)
out=$state/out

sh ./setup.sh

# Copied, not linked: through links Deno reads the real path, finds no types, and every style becomes `any`.
if [ ! -d node_modules/@types/react ]; then
  library=$(dpkg -L node-react | sed -n 's|/react/package.json$||p' | grep -v '@types' | head -n 1)
  rm -rf node_modules
  mkdir -p node_modules/@types
  for package in react react-dom scheduler loose-envify js-tokens csstype prop-types; do
    cp -rL "$library/$package" node_modules/
  done
  for package in react react-dom scheduler prop-types; do
    cp -rL "$library/@types/$package" node_modules/@types/
  done
fi

mkdir -p generated
"$state/venv/bin/python" scripts/icons.py generated/icons.ts

case "${1-}" in --check*)
  export DENO_DIR="$state/deno" DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
  deno=$state/venv/bin/deno
  "$deno" check --quiet main.tsx boot.ts
  "$deno" lint --quiet
  "$deno" fmt --check --quiet
  "$deno" test --quiet --no-prompt --allow-read=. --allow-env=NODE_ENV
  if [ "$1" = --check-only ]; then exit 0; fi
  ;;
esac

rm -rf "$out"
mkdir -p "$out/assets"
esbuild main.tsx --bundle --splitting --format=esm --minify --jsx=automatic --target=es2022 \
  --define:process.env.NODE_ENV='"production"' --entry-names='[name]-[hash]' --chunk-names='c-[hash]' \
  --metafile="$state/meta.json" --outdir="$out/assets" --log-level=warning
# Theme and density before first paint; a file of its own because inline scripts are forbidden.
esbuild boot.ts --minify --target=es2022 --outfile="$out/assets/boot.js" --log-level=warning
esbuild styles/app.css --bundle --minify '--external:/assets/*' --outfile="$out/assets/app.css" --log-level=warning

# Subsetting takes seconds and changes with nothing but these arguments.
fonts=$state/fonts-1
if [ ! -f "$fonts/mono-semibold.woff2" ]; then
  mkdir -p "$fonts"
  text='U+0020-007E,U+00A0-017F,U+2010-2026,U+2190-2199,U+2318,U+23CE'
  inter=$(dpkg -L fonts-inter-variable | grep '/Inter-roman.var.ttf$')
  mono=$(dpkg -L fonts-jetbrains-mono | grep '/JetBrainsMono-Regular.ttf$')
  pyftsubset "$inter" --unicodes="$text" --layout-features='kern,liga,calt,tnum,case,cv05,cv08,ss03' \
    --flavor=woff2 --output-file="$fonts/inter.woff2"
  pyftsubset "$mono" --unicodes="$text,U+2500-259F" --layout-features='kern,zero' \
    --flavor=woff2 --output-file="$fonts/mono.woff2"
  pyftsubset "${mono%Regular.ttf}SemiBold.ttf" --unicodes="$text,U+2500-259F" --layout-features='kern,zero' \
    --flavor=woff2 --output-file="$fonts/mono-semibold.woff2"
fi
cp "$fonts"/*.woff2 "$out/assets/"

# Hashed names, compressed twins, the page that names them, the table that embeds them, and the budget.
/usr/bin/python3 scripts/assets.py "$out" "$assets/dist" index.html

# A C file compiled before the bundle existed has no dependency on it.
# Only then: an unchanged bundle costs the compiler and the linker nothing.
[ "$assets/assets.c" -nt "$assets/dist/assets.inc" ] || touch "$assets/assets.c"
