// The built web UI, carried inside the binary.
//
// One row per file of the bundle. The table is written by Sources/Web/UI/build.sh; in a tree where that has
// not run there are zero rows, and the server says so on the page it serves instead.

#ifndef TIMBERLINE_C_WEB_ASSETS_H
#define TIMBERLINE_C_WEB_ASSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "COpenAPI.h"

/// One file of the bundle. Every pointer is to constant memory that lives as long as the program; strings end
/// in NUL, byte runs do not.
typedef struct tl_web_asset {
  /// The path to serve it under, beginning with a slash: "/assets/main-1A2B3C4D.js". The page is "/index.html".
  const char *path;
  /// The value of Content-Type, charset included.
  const char *content_type;
  /// The bytes as built.
  const uint8_t *data;
  size_t length;
  /// The same bytes for `Content-Encoding: gzip`; NULL and 0 where compression gains nothing (fonts).
  const uint8_t *gzip_data;
  size_t gzip_length;
  /// A strong ETag of `data`, quotes included. Clients that receive `gzip_data` may be given the same one,
  /// together with `Vary: Accept-Encoding`.
  const char *etag;
  /// Whether the path holds a hash of the content, so that `Cache-Control: public, max-age=31536000, immutable`
  /// is right. Everything else is `no-cache`.
  bool immutable;
} tl_web_asset;

/// `tl_web_asset_count` rows, sorted by `path` in byte order.
extern const tl_web_asset *const tl_web_assets;
extern const size_t tl_web_asset_count;

/// The row for `path` (not NUL-terminated, `length` bytes), or NULL. Binary search; no allocation.
const tl_web_asset *tl_web_asset_find(const char *path, size_t length);

#endif
