#include "CKernels.h"

#include <string.h>

static inline uint64_t load64(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;  // little-endian machines only, like the stored form
}

static inline uint64_t mask_of(unsigned width) { return width == 64 ? ~0ull : (1ull << width) - 1; }

/// The value at bit `bit`, byte by byte.
static inline uint64_t value_at(const uint8_t *packed, size_t bit, unsigned width) {
  uint64_t value = 0;
  unsigned got = 0;
  while (got < width) {
    value |= (uint64_t)(packed[bit >> 3] >> (bit & 7)) << got;
    unsigned step = 8 - (unsigned)(bit & 7);
    got += step;
    bit += step;
  }
  return value & mask_of(width);
}

static void unpack_from(
    const uint8_t *packed, size_t packed_count, size_t index, size_t count, unsigned width, uint64_t low,
    uint64_t *out) {
  const uint64_t mask = mask_of(width);
  size_t bit = index * width;
  if (width <= 56) {
    for (; index < count && (bit >> 3) + 8 <= packed_count; index++, bit += width) {
      out[index] = low + ((load64(packed + (bit >> 3)) >> (bit & 7)) & mask);
    }
  }
  for (; index < count && (bit >> 3) + 9 <= packed_count; index++, bit += width) {
    unsigned shift = bit & 7;
    // The ninth byte is shifted in two steps, since a shift by 64 is none.
    uint64_t value = load64(packed + (bit >> 3)) >> shift | (uint64_t)packed[(bit >> 3) + 8] << 1 << (63 - shift);
    out[index] = low + (value & mask);
  }
  for (; index < count; index++, bit += width) out[index] = low + value_at(packed, bit, width);
}

void tl_unpack_portable(
    const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint64_t low, uint64_t *out) {
  if (width == 0) {
    for (size_t index = 0; index < count; index++) out[index] = low;
    return;
  }
  unpack_from(packed, packed_count, 0, count, width, low, out);
}

#if defined(__x86_64__)
#include <immintrin.h>

// Eight values take exactly `width` bytes, so which bytes hold value j and how far they are shifted is the same for
// every eight: the bytes are gathered with one permutation.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,bmi2"))) static void unpack_avx512(
    const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint64_t low, uint64_t *out) {
  const __m512i bits = _mm512_mullo_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi64(width));
  const __m512i places = _mm512_add_epi8(
      _mm512_mullo_epi64(_mm512_srli_epi64(bits, 3), _mm512_set1_epi64(0x0101010101010101ll)),
      _mm512_set1_epi64(0x0706050403020100ll));
  const __m512i shifts = _mm512_and_si512(bits, _mm512_set1_epi64(7));
  const __m512i mask = _mm512_set1_epi64((long long)mask_of(width));
  const __m512i base = _mm512_set1_epi64((long long)low);
  for (size_t index = 0; index < count; index += 8) {
    size_t start = index / 8 * width;
    size_t rest = packed_count - start;
    __mmask64 readable = rest >= 64 ? ~0ull : _bzhi_u64(~0ull, (unsigned)rest);
    __m512i bytes = _mm512_maskz_loadu_epi8(readable, packed + start);
    __m512i values = _mm512_srlv_epi64(_mm512_permutexvar_epi8(places, bytes), shifts);
    values = _mm512_add_epi64(_mm512_and_si512(values, mask), base);
    size_t left = count - index;
    if (left >= 8) {
      _mm512_storeu_si512(out + index, values);
    } else {
      _mm512_mask_storeu_epi64(out + index, (__mmask8)((1u << left) - 1), values);
    }
  }
}

// Two values at a time out of 16 bytes each.
__attribute__((target("avx2"))) static void unpack_avx2(
    const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint64_t low, uint64_t *out) {
  const __m256i mask = _mm256_set1_epi64x((long long)mask_of(width));
  const __m256i base = _mm256_set1_epi64x((long long)low);
  size_t index = 0;
  for (; index + 4 <= count; index += 4) {
    size_t bit = index * width;
    size_t last = (bit + 3 * width) >> 3;
    if (last + 8 > packed_count) break;
    __m256i words = _mm256_set_epi64x(
        (long long)load64(packed + last), (long long)load64(packed + ((bit + 2 * width) >> 3)),
        (long long)load64(packed + ((bit + width) >> 3)), (long long)load64(packed + (bit >> 3)));
    __m256i shifts = _mm256_set_epi64x(
        (bit + 3 * width) & 7, (bit + 2 * width) & 7, (bit + width) & 7, bit & 7);
    __m256i values = _mm256_and_si256(_mm256_srlv_epi64(words, shifts), mask);
    _mm256_storeu_si256((__m256i *)(out + index), _mm256_add_epi64(values, base));
  }
  unpack_from(packed, packed_count, index, count, width, low, out);
}
#endif

void tl_unpack(const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint64_t low, uint64_t *out) {
#if defined(__x86_64__)
  if (width > 0 && width <= 56) {
    if (__builtin_cpu_supports("avx512vbmi")) return unpack_avx512(packed, packed_count, count, width, low, out);
    if (__builtin_cpu_supports("avx2")) return unpack_avx2(packed, packed_count, count, width, low, out);
  }
#endif
  tl_unpack_portable(packed, packed_count, count, width, low, out);
}

void tl_sum_up(uint64_t *values, size_t count, uint64_t first, uint64_t step) {
  uint64_t value = first;
  for (size_t index = 0; index < count; index++) {
    value += step + values[index];
    values[index] = value;
  }
}

void tl_unpack_bytes_portable(
    const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint8_t *out) {
  (void)packed_count;
  size_t bit = 0;
  for (size_t index = 0; index < count; index++, bit += width) out[index] = (uint8_t)value_at(packed, bit, width);
}

#if defined(__x86_64__)
__attribute__((target("bmi2"))) static void unpack_bytes_bmi2(
    const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint8_t *out) {
  const uint64_t lanes = 0x0101010101010101ull * mask_of(width);
  size_t index = 0;
  for (; index + 8 <= count && index / 8 * width + 8 <= packed_count; index += 8) {
    uint64_t eight = _pdep_u64(load64(packed + index / 8 * width), lanes);
    memcpy(out + index, &eight, 8);
  }
  for (size_t bit = index * width; index < count; index++, bit += width) {
    out[index] = (uint8_t)value_at(packed, bit, width);
  }
}
#endif

void tl_unpack_bytes(const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint8_t *out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("bmi2")) return unpack_bytes_bmi2(packed, packed_count, count, width, out);
#endif
  tl_unpack_bytes_portable(packed, packed_count, count, width, out);
}

// The next functions are loops that the compiler turns into vector code by itself, once for each kind of processor.
#define EVERY_PROCESSOR(name, result, parameters, arguments)                                       \
  result name##_portable parameters { return name##_body arguments; }                              \
  EVERY_PROCESSOR_AVX2(name, result, parameters, arguments)
#if defined(__x86_64__)
#define EVERY_PROCESSOR_AVX2(name, result, parameters, arguments)                                  \
  __attribute__((target("avx2,bmi,bmi2,popcnt"))) static result name##_avx2 parameters {           \
    return name##_body arguments;                                                                  \
  }                                                                                                \
  result name parameters {                                                                         \
    return __builtin_cpu_supports("avx2") ? name##_avx2 arguments : name##_portable arguments;     \
  }
#else
#define EVERY_PROCESSOR_AVX2(name, result, parameters, arguments)                                  \
  result name parameters { return name##_portable arguments; }
#endif
#define BODY static inline __attribute__((always_inline))

BODY uint8_t tl_max_byte_body(const uint8_t *bytes, size_t count) {
  uint8_t highest = 0;
  for (size_t index = 0; index < count; index++) highest = bytes[index] > highest ? bytes[index] : highest;
  return highest;
}
EVERY_PROCESSOR(tl_max_byte, uint8_t, (const uint8_t *bytes, size_t count), (bytes, count))

BODY uint32_t tl_widen_body(const uint8_t *planes, size_t count, size_t plane_count, uint32_t *out) {
  uint32_t highest = 0;
  if (plane_count == 1) {
    for (size_t index = 0; index < count; index++) {
      out[index] = planes[index];
      highest = out[index] > highest ? out[index] : highest;
    }
    return highest;
  }
  const uint8_t *second = planes + count;
  for (size_t index = 0; index < count; index++) {
    out[index] = (uint32_t)planes[index] | (uint32_t)second[index] << 8;
    highest = out[index] > highest ? out[index] : highest;
  }
  if (plane_count == 2) return highest;
  for (size_t plane = 2; plane < plane_count; plane++) {
    for (size_t index = 0; index < count; index++) {
      out[index] |= (uint32_t)planes[plane * count + index] << (8 * plane);
    }
  }
  highest = 0;
  for (size_t index = 0; index < count; index++) highest = out[index] > highest ? out[index] : highest;
  return highest;
}
EVERY_PROCESSOR(
    tl_widen, uint32_t, (const uint8_t *planes, size_t count, size_t plane_count, uint32_t *out),
    (planes, count, plane_count, out))

BODY size_t tl_count_byte_body(const uint8_t *bytes, size_t byte_count, uint8_t byte) {
  size_t count = 0;
  for (size_t index = 0; index < byte_count;) {
    // Counted in bytes for as long as a byte can hold it.
    size_t end = byte_count - index > 255 ? index + 255 : byte_count;
    uint8_t part = 0;
    for (; index < end; index++) part += bytes[index] == byte;
    count += part;
  }
  return count;
}
EVERY_PROCESSOR(
    tl_count_byte, size_t, (const uint8_t *bytes, size_t byte_count, uint8_t byte), (bytes, byte_count, byte))

BODY size_t tl_count_word_body(const uint32_t *words, size_t word_count, uint32_t word) {
  uint32_t count = 0;
  for (size_t index = 0; index < word_count; index++) count += words[index] == word;
  return count;
}
EVERY_PROCESSOR(
    tl_count_word, size_t, (const uint32_t *words, size_t word_count, uint32_t word), (words, word_count, word))

BODY void tl_scale_body(uint64_t *values, size_t count, uint64_t base, uint64_t scale) {
  for (size_t index = 0; index < count; index++) values[index] = base + values[index] * scale;
}
EVERY_PROCESSOR(
    tl_scale, void, (uint64_t *values, size_t count, uint64_t base, uint64_t scale), (values, count, base, scale))

BODY int64_t tl_spans_body(const int64_t *lengths, size_t count, uint32_t affixes, tl_span *out) {
  uint32_t offset = 0;
  for (size_t index = 0; index < count; index++) {
    uint32_t length = (uint32_t)lengths[index] + affixes;
    out[index].offset = offset;
    out[index].length = length;
    offset += length;
  }
  return offset;
}
EVERY_PROCESSOR(
    tl_spans, int64_t, (const int64_t *lengths, size_t count, uint32_t affixes, tl_span *out),
    (lengths, count, affixes, out))

BODY int64_t tl_sum_lengths_body(const int64_t *lengths, size_t count, int64_t max) {
  uint64_t seen = 0;
  uint64_t total = 0;
  for (size_t index = 0; index < count; index++) {
    seen |= (uint64_t)lengths[index];
    total += (uint64_t)lengths[index];
  }
  // With every length below 2^40 and fewer than 2^24 of them no sum has wrapped.
  if (seen >> 40 == 0 && count < 1u << 24) return total <= (uint64_t)max ? (int64_t)total : -1;
  int64_t left = max;
  for (size_t index = 0; index < count; index++) {
    if (lengths[index] < 0 || lengths[index] > left) return -1;
    left -= lengths[index];
  }
  return max - left;
}
EVERY_PROCESSOR(
    tl_sum_lengths, int64_t, (const int64_t *lengths, size_t count, int64_t max), (lengths, count, max))

void tl_match_bytes_portable(const uint8_t *codes, size_t count, const uint8_t passes[256], uint64_t *bits) {
  for (size_t word = 0; word * 64 < count; word++) {
    size_t end = count - word * 64 < 64 ? count - word * 64 : 64;
    uint64_t value = 0;
    for (size_t index = 0; index < end; index++) value |= (uint64_t)(passes[codes[word * 64 + index]] & 1) << index;
    bits[word] = value;
  }
}

#if defined(__x86_64__)
// For codes below 16: the table is one register.
__attribute__((target("avx2"))) static void match_nibbles_avx2(
    const uint8_t *codes, size_t count, const uint8_t passes[256], uint64_t *bits) {
  const __m256i table = _mm256_slli_epi16(
      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)passes)), 7);
  size_t word = 0;
  for (; word * 64 + 64 <= count; word++) {
    __m256i first = _mm256_loadu_si256((const __m256i *)(codes + word * 64));
    __m256i second = _mm256_loadu_si256((const __m256i *)(codes + word * 64 + 32));
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_shuffle_epi8(table, first));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_shuffle_epi8(table, second));
    bits[word] = (uint64_t)high << 32 | low;
  }
  if (word * 64 < count) tl_match_bytes_portable(codes + word * 64, count - word * 64, passes, bits + word);
}
#endif

void tl_match_bytes(
    const uint8_t *codes, size_t count, size_t code_count, const uint8_t passes[256], uint64_t *bits) {
#if defined(__x86_64__)
  if (code_count <= 16 && __builtin_cpu_supports("avx2")) return match_nibbles_avx2(codes, count, passes, bits);
#endif
  (void)code_count;
  tl_match_bytes_portable(codes, count, passes, bits);
}

void tl_count_codes(const uint8_t *codes, size_t count, uint32_t counts[256]) {
  // Four tables: equal neighbors do not wait for each other.
  uint32_t tables[4][256] = {{0}};
  size_t index = 0;
  for (; index + 4 <= count; index += 4) {
    tables[0][codes[index]]++;
    tables[1][codes[index + 1]]++;
    tables[2][codes[index + 2]]++;
    tables[3][codes[index + 3]]++;
  }
  for (; index < count; index++) tables[0][codes[index]]++;
  for (size_t code = 0; code < 256; code++) {
    counts[code] = tables[0][code] + tables[1][code] + tables[2][code] + tables[3][code];
  }
}

size_t tl_spread_bits_portable(const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out) {
  size_t next = 0;
  for (size_t word = 0; word < word_count; word++) {
    uint64_t value = 0;
    for (uint64_t left = places[word]; left; left &= left - 1, next++) {
      if (bits[next >> 6] >> (next & 63) & 1) value |= left & (0 - left);
    }
    out[word] = value;
  }
  return next;
}

size_t tl_gather_bits_portable(const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out) {
  size_t next = 0;
  for (size_t word = 0; word < word_count; word++) {
    for (uint64_t left = places[word]; left; left &= left - 1, next++) {
      if ((next & 63) == 0) out[next >> 6] = 0;
      if (bits[word] & left & (0 - left)) out[next >> 6] |= 1ull << (next & 63);
    }
  }
  return next;
}

#if defined(__x86_64__)
__attribute__((target("bmi2,popcnt"))) static size_t spread_bits_bmi2(
    const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out) {
  size_t next = 0;
  for (size_t word = 0; word < word_count; word++) {
    size_t count = (size_t)__builtin_popcountll(places[word]);
    uint64_t value = 0;
    if (count > 0) {
      unsigned shift = next & 63;
      value = bits[next >> 6] >> shift;
      if (shift + count > 64) value |= bits[(next >> 6) + 1] << (64 - shift);
    }
    out[word] = _pdep_u64(value, places[word]);
    next += count;
  }
  return next;
}

__attribute__((target("bmi2,popcnt"))) static size_t gather_bits_bmi2(
    const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out) {
  size_t next = 0;
  for (size_t word = 0; word < word_count; word++) {
    size_t count = (size_t)__builtin_popcountll(places[word]);
    if (count == 0) continue;
    uint64_t value = _pext_u64(bits[word], places[word]);
    unsigned shift = next & 63;
    if (shift == 0) {
      out[next >> 6] = value;
    } else {
      out[next >> 6] |= value << shift;
      if (shift + count > 64) out[(next >> 6) + 1] = value >> (64 - shift);
    }
    next += count;
  }
  return next;
}
#endif

size_t tl_spread_bits(const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("bmi2")) return spread_bits_bmi2(bits, places, word_count, out);
#endif
  return tl_spread_bits_portable(bits, places, word_count, out);
}

size_t tl_gather_bits(const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("bmi2")) return gather_bits_bmi2(bits, places, word_count, out);
#endif
  return tl_gather_bits_portable(bits, places, word_count, out);
}
