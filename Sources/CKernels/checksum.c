#include "CKernels.h"

#include <string.h>

// Slicing by 8 (Kounavis and Berry 2005). The tables are filled on first use: whoever comes first writes the same
// values, and `ready` is set after them.
static uint32_t table[8][256];
static int ready;

static void fill_table(void) {
  for (uint32_t value = 0; value < 256; value++) {
    uint32_t crc = value;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
    __atomic_store_n(&table[0][value], crc, __ATOMIC_RELAXED);
  }
  for (int slice = 1; slice < 8; slice++) {
    for (uint32_t value = 0; value < 256; value++) {
      uint32_t before = __atomic_load_n(&table[slice - 1][value], __ATOMIC_RELAXED);
      uint32_t low = __atomic_load_n(&table[0][before & 0xFF], __ATOMIC_RELAXED);
      __atomic_store_n(&table[slice][value], (before >> 8) ^ low, __ATOMIC_RELAXED);
    }
  }
  __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
}

uint32_t tl_crc32c_portable(uint32_t seed, const void *bytes, size_t byte_count) {
  if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) fill_table();
  const uint8_t *p = bytes;
  uint32_t crc = ~seed;
  while (byte_count >= 8) {
    uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
    crc = table[7][low & 0xFF] ^ table[6][(low >> 8) & 0xFF] ^ table[5][(low >> 16) & 0xFF] ^ table[4][low >> 24] ^
          table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    p += 8;
    byte_count -= 8;
  }
  while (byte_count-- > 0) crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xFF];
  return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t seed, const void *bytes, size_t byte_count) {
  const uint8_t *p = bytes;
  uint64_t crc = (uint32_t)~seed;
  while (byte_count >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    crc = _mm_crc32_u64(crc, word);
    p += 8;
    byte_count -= 8;
  }
  uint32_t rest = (uint32_t)crc;
  while (byte_count-- > 0) rest = _mm_crc32_u8(rest, *p++);
  return ~rest;
}

uint32_t tl_crc32c(uint32_t seed, const void *bytes, size_t byte_count) {
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(seed, bytes, byte_count);
  return tl_crc32c_portable(seed, bytes, byte_count);
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

uint32_t tl_crc32c(uint32_t seed, const void *bytes, size_t byte_count) {
  const uint8_t *p = bytes;
  uint32_t crc = ~seed;
  while (byte_count >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    crc = __crc32cd(crc, word);
    p += 8;
    byte_count -= 8;
  }
  while (byte_count-- > 0) crc = __crc32cb(crc, *p++);
  return ~crc;
}
#else
uint32_t tl_crc32c(uint32_t seed, const void *bytes, size_t byte_count) {
  return tl_crc32c_portable(seed, bytes, byte_count);
}
#endif
