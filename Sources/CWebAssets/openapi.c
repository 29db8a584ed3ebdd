#include "COpenAPI.h"

const uint8_t tl_openapi[] = {
#embed "../../docs/reference/openapi.json"
};
const size_t tl_openapi_length = sizeof tl_openapi;
