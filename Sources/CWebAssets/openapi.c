#include "COpenAPI.h"

static const uint8_t document[] = {
#embed "../../docs/reference/openapi.json"
};

const uint8_t *const tl_openapi = document;
const size_t tl_openapi_length = sizeof document;
