#include "CKernels.h"

#include <string.h>

// Multiply-and-fold: the two halves of a 64 by 64 bit product, xored, spread every input bit over the word. Eight bytes
// go into each side of a product, keyed by odd constants (digits of the golden ratio and of square roots), so 16 bytes
// cost one multiply.
static const uint64_t k0 = 0x9E3779B97F4A7C15u, k1 = 0x6A09E667F3BCC909u;
static const uint64_t k2 = 0xBB67AE8584CAA73Bu, k3 = 0x3C6EF372FE94F82Bu;

static inline uint64_t load64(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static inline uint64_t load32(const uint8_t *p) {
  uint32_t word;
  memcpy(&word, p, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap32(word);
#endif
  return word;
}

static inline uint64_t fold(uint64_t left, uint64_t right) {
  unsigned __int128 product = (unsigned __int128)left * right;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// The last 0 to 16 bytes as two words; overlapping loads where there are fewer than the words could hold.
static inline void tail(const uint8_t *p, size_t n, uint64_t *low, uint64_t *high) {
  if (n > 8) {
    *low = load64(p);
    *high = load64(p + n - 8);
  } else if (n >= 4) {
    *low = load32(p);
    *high = load32(p + n - 4);
  } else if (n > 0) {
    *low = (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 | p[n - 1];
    *high = 0;
  } else {
    *low = 0;
    *high = 0;
  }
}

uint64_t tl_hash64(const void *bytes, size_t byte_count, uint64_t seed) {
  const uint8_t *p = bytes;
  size_t n = byte_count;
  uint64_t state = fold(seed ^ k0, k1);
  if (n > 48) {
    uint64_t second = state, third = state;
    do {
      state = fold(load64(p) ^ k1, load64(p + 8) ^ state);
      second = fold(load64(p + 16) ^ k2, load64(p + 24) ^ second);
      third = fold(load64(p + 32) ^ k3, load64(p + 40) ^ third);
      p += 48;
      n -= 48;
    } while (n > 48);
    state ^= second ^ third;
  }
  while (n > 16) {
    state = fold(load64(p) ^ k1, load64(p + 8) ^ state);
    p += 16;
    n -= 16;
  }
  uint64_t low, high;
  tail(p, n, &low, &high);
  return fold(k1 ^ byte_count, fold(low ^ k2, high ^ state));
}

void tl_hash128(const void *bytes, size_t byte_count, uint64_t seed, uint64_t out[2]) {
  const uint8_t *p = bytes;
  size_t n = byte_count;
  uint64_t first = fold(seed ^ k0, k1), second = fold(seed ^ k2, k3);
  while (n > 16) {
    uint64_t low = load64(p), high = load64(p + 8);
    first = fold(low ^ k1, high ^ first);
    second = fold(high ^ k3, low ^ second) + (low ^ k0);
    p += 16;
    n -= 16;
  }
  uint64_t low, high;
  tail(p, n, &low, &high);
  out[0] = fold(k1 ^ byte_count, fold(low ^ k2, high ^ first));
  out[1] = fold(k3 ^ byte_count, fold(high ^ k0, low ^ second) + low);
}
