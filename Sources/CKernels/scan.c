#include "CKernels.h"

#include <string.h>

size_t tl_find_portable(const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count) {
  if (needle_count == 0) return 0;
  if (needle_count > haystack_count) return haystack_count;
  size_t last = haystack_count - needle_count;
  for (size_t offset = 0; offset <= last; offset++) {
    const uint8_t *found = memchr(haystack + offset, needle[0], last - offset + 1);
    if (!found) return haystack_count;
    offset = (size_t)(found - haystack);
    if (memcmp(found, needle, needle_count) == 0) return offset;
  }
  return haystack_count;
}

static inline uint8_t lower(uint8_t byte) { return (uint8_t)(byte - 'A') < 26 ? byte | 0x20 : byte; }

static inline int equal_folded(const uint8_t *bytes, const uint8_t *needle, size_t count) {
  for (size_t index = 0; index < count; index++) {
    if (lower(bytes[index]) != needle[index]) return 0;
  }
  return 1;
}

static size_t find_folded_from(
    const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count, size_t offset) {
  for (; offset + needle_count <= haystack_count; offset++) {
    if (lower(haystack[offset]) == needle[0] && equal_folded(haystack + offset, needle, needle_count)) return offset;
  }
  return haystack_count;
}

#if defined(__x86_64__)
#include <immintrin.h>

// 32 offsets at a time, keeping those where both the first and the last byte of the needle fit (Mula, "SIMD-friendly
// algorithms for substring searching"); only they are compared in full.
__attribute__((target("avx2"))) static size_t find_avx2(
    const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count) {
  const __m256i first = _mm256_set1_epi8((char)needle[0]);
  const __m256i last = _mm256_set1_epi8((char)needle[needle_count - 1]);
  size_t offset = 0;
  while (offset + needle_count - 1 + 32 <= haystack_count) {
    __m256i starts = _mm256_loadu_si256((const __m256i *)(haystack + offset));
    __m256i ends = _mm256_loadu_si256((const __m256i *)(haystack + offset + needle_count - 1));
    uint32_t mask = (uint32_t)_mm256_movemask_epi8(
        _mm256_and_si256(_mm256_cmpeq_epi8(starts, first), _mm256_cmpeq_epi8(ends, last)));
    while (mask) {
      size_t candidate = offset + (size_t)__builtin_ctz(mask);
      if (memcmp(haystack + candidate, needle, needle_count) == 0) return candidate;
      mask &= mask - 1;
    }
    offset += 32;
  }
  size_t rest = tl_find_portable(haystack + offset, haystack_count - offset, needle, needle_count);
  return offset + rest;
}

__attribute__((target("avx2"))) static inline __m256i lower_avx2(__m256i bytes) {
  __m256i shifted = _mm256_add_epi8(bytes, _mm256_set1_epi8((char)(128 - 'A')));
  __m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(-128 + 26)), shifted);
  return _mm256_or_si256(bytes, _mm256_and_si256(upper, _mm256_set1_epi8(0x20)));
}

__attribute__((target("avx2"))) static size_t find_folded_avx2(
    const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count) {
  const __m256i first = _mm256_set1_epi8((char)needle[0]);
  const __m256i last = _mm256_set1_epi8((char)needle[needle_count - 1]);
  size_t offset = 0;
  while (offset + needle_count - 1 + 32 <= haystack_count) {
    __m256i starts = lower_avx2(_mm256_loadu_si256((const __m256i *)(haystack + offset)));
    __m256i ends = lower_avx2(_mm256_loadu_si256((const __m256i *)(haystack + offset + needle_count - 1)));
    uint32_t mask = (uint32_t)_mm256_movemask_epi8(
        _mm256_and_si256(_mm256_cmpeq_epi8(starts, first), _mm256_cmpeq_epi8(ends, last)));
    while (mask) {
      size_t candidate = offset + (size_t)__builtin_ctz(mask);
      if (equal_folded(haystack + candidate, needle, needle_count)) return candidate;
      mask &= mask - 1;
    }
    offset += 32;
  }
  return find_folded_from(haystack, haystack_count, needle, needle_count, offset);
}
#endif

size_t tl_find(const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count) {
  if (needle_count == 0) return 0;
  if (needle_count > haystack_count) return haystack_count;
  if (needle_count == 1) return tl_find_byte(haystack, haystack_count, needle[0]);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return find_avx2(haystack, haystack_count, needle, needle_count);
#endif
  return tl_find_portable(haystack, haystack_count, needle, needle_count);
}

size_t tl_find_ascii_folded(
    const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count) {
  if (needle_count == 0) return 0;
  if (needle_count > haystack_count) return haystack_count;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return find_folded_avx2(haystack, haystack_count, needle, needle_count);
#endif
  return find_folded_from(haystack, haystack_count, needle, needle_count, 0);
}

size_t tl_find_byte(const uint8_t *bytes, size_t byte_count, uint8_t byte) {
  if (byte_count == 0) return 0;
  const uint8_t *found = memchr(bytes, byte, byte_count);
  return found ? (size_t)(found - bytes) : byte_count;
}
