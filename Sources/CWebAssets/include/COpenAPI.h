// The API's own description, docs/reference/openapi.json, carried inside the binary.
#ifndef TIMBERLINE_C_OPENAPI_H
#define TIMBERLINE_C_OPENAPI_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t *const tl_openapi;
extern const size_t tl_openapi_length;

#endif
