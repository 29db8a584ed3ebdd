// Embeds the bundle with C23 `#embed`. `dist/assets.inc`, written by Sources/Web/UI/build.sh, holds two lists of
// macro calls: BYTES(name, "file") once a byte run, and ASSET(…) once a file, sorted by path.
//
// This file is compiled to an empty table when the bundle is missing. A C file compiled before the bundle existed
// has no dependency on it, so build.sh ends by touching this one.

#include "CWebAssets.h"

#include <string.h>

#if __has_include("dist/assets.inc") && __has_embed("dist/index.html")

#define TL_WEB_ASSET_BYTES
#include "dist/assets.inc"
#undef TL_WEB_ASSET_BYTES

static const tl_web_asset table[] = {
#define TL_WEB_ASSET_ROWS
#include "dist/assets.inc"
#undef TL_WEB_ASSET_ROWS
};

const tl_web_asset *const tl_web_assets = table;
const size_t tl_web_asset_count = sizeof table / sizeof table[0];

#else

const tl_web_asset *const tl_web_assets = NULL;
const size_t tl_web_asset_count = 0;

#endif

const tl_web_asset *tl_web_asset_find(const char *path, size_t length) {
  size_t low = 0, high = tl_web_asset_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const char *candidate = tl_web_assets[middle].path;
    size_t candidate_length = strlen(candidate);
    size_t common = candidate_length < length ? candidate_length : length;
    int order = memcmp(candidate, path, common);
    if (order == 0 && candidate_length == length) return &tl_web_assets[middle];
    if (order < 0 || (order == 0 && candidate_length < length)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return NULL;
}
