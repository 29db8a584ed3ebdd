// Embeds the model's files with C23 `#embed`.

#include "CEmbeddingModel.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "scales.f32 is little-endian and read in place"
#endif

_Alignas(64) static const unsigned char table[] = {
#embed "static256/table.i8"
};

_Alignas(64) static const unsigned char scales[] = {
#embed "static256/scales.f32"
};

_Alignas(64) static const unsigned char vocabulary[] = {
#embed "static256/vocab.txt"
};

_Static_assert(
    sizeof table == (size_t)TL_STATIC256_PIECE_COUNT * TL_STATIC256_DIMENSION, "table.i8 is not the model's");
_Static_assert(sizeof scales == (size_t)TL_STATIC256_PIECE_COUNT * 4, "scales.f32 is not the model's");

const int8_t *tl_static256_table(void) { return (const int8_t *)table; }

const float *tl_static256_scales(void) { return (const float *)(const void *)scales; }

const uint8_t *tl_static256_vocabulary(size_t *byte_count) {
  *byte_count = sizeof vocabulary;
  return vocabulary;
}
