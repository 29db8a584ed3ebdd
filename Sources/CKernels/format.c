#include "CKernels.h"

#include <string.h>

static const char pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static const uint64_t powers[20] = {
    1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull, 100000000ull, 1000000000ull,
    10000000000ull, 100000000000ull, 1000000000000ull, 10000000000000ull, 100000000000000ull, 1000000000000000ull,
    10000000000000000ull, 100000000000000000ull, 1000000000000000000ull, 10000000000000000000ull};

/// 1 for 0.
static inline unsigned digit_count(uint64_t value) {
  // log10(2) is about 1233 / 4096.
  unsigned guess = ((64 - (unsigned)__builtin_clzll(value | 1)) * 1233) >> 12;
  return guess + (value >= powers[guess]) + (value == 0);
}

/// Eight digits of a value below 10^8 as eight bytes, the first digit lowest: halves, then pairs, then digits are parted
/// side by side in one word.
static inline uint64_t eight_digits(uint32_t value) {
  uint64_t halves = (uint64_t)(value / 10000) | (uint64_t)(value % 10000) << 32;
  uint64_t hundreds = ((halves * 10486) >> 20) & 0x0000007F0000007Full;
  uint64_t parts = hundreds | (halves - hundreds * 100) << 16;
  uint64_t tens = ((parts * 103) >> 10) & 0x000F000F000F000Full;
  return (tens | (parts - tens * 10) << 8) + 0x3030303030303030ull;
}

/// The lowest `width` (1...8) digits; writes eight bytes.
static inline void write_loosely(uint32_t value, unsigned width, uint8_t *out) {
  uint64_t digits = eight_digits(value) >> (64 - 8 * width);
  memcpy(out, &digits, 8);
}

/// `width` (0...20) digits of a value below 10^width, leading zeros included; writes up to seven bytes more.
static inline void write_digits(uint64_t value, unsigned width, uint8_t *out) {
  if (width == 0) return;
  if (width <= 8) return write_loosely((uint32_t)value, width, out);
  uint64_t high = value / 100000000;
  uint32_t low = (uint32_t)(value - high * 100000000);
  if (width <= 16) {
    write_loosely((uint32_t)high, width - 8, out);
  } else {
    uint64_t top = high / 100000000;
    write_loosely((uint32_t)top, width - 16, out);
    write_loosely((uint32_t)(high - top * 100000000), 8, out + width - 16);
  }
  write_loosely(low, 8, out + width - 8);
}

/// The same, to the byte.
static inline void write_exactly(uint64_t value, unsigned width, uint8_t *out) {
  for (; width >= 2; width -= 2) {
    uint64_t rest = value / 100;
    memcpy(out + width - 2, pairs + 2 * (value - rest * 100), 2);
    value = rest;
  }
  if (width == 1) out[0] = (uint8_t)('0' + value % 10);
}

static inline uint8_t *write_unsigned(uint64_t value, uint8_t *out) {
  unsigned width = digit_count(value);
  write_digits(value, width, out);
  return out + width;
}

static inline uint8_t *write_integer(int64_t value, uint8_t *out) {
  if (value >= 0) return write_unsigned((uint64_t)value, out);
  *out = '-';
  return write_unsigned(0 - (uint64_t)value, out + 1);
}

static inline uint8_t *append(const uint8_t *bytes, size_t count, uint8_t *out) {
  for (size_t index = 0; index < count; index++) out[index] = bytes[index];
  return out + count;
}

// One loop for all kinds: CORE writes the value of `index` at `end` and moves it on.
#define FORMAT(CORE)                                                                   \
  uint8_t *end = out;                                                                  \
  for (size_t index = 0; index < count; index++) {                                     \
    uint8_t *start = end;                                                              \
    end = append(affixes.prefix, affixes.prefix_count, end);                           \
    CORE;                                                                              \
    end = append(affixes.suffix, affixes.suffix_count, end);                           \
    spans[index].offset = (uint32_t)(start - out);                                     \
    spans[index].length = (uint32_t)(end - start);                                     \
  }                                                                                    \
  return (size_t)(end - out);

size_t tl_format_integers(
    const int64_t *values, size_t count, tl_affixes affixes, uint8_t *out, tl_span *spans) {
  FORMAT(end = write_integer(values[index], end))
}

size_t tl_format_padded(
    const int64_t *values, size_t count, unsigned width, tl_affixes affixes, uint8_t *out, tl_span *spans) {
  FORMAT({
    write_digits((uint64_t)values[index], width, end);
    end += width;
  })
}

size_t tl_format_decimals(
    const int64_t *values, size_t count, unsigned places, tl_affixes affixes, uint8_t *out, tl_span *spans) {
  const uint64_t scale = powers[places];
  FORMAT({
    uint64_t whole = (uint64_t)values[index] / scale;
    end = write_unsigned(whole, end);
    *end = '.';
    write_digits((uint64_t)values[index] - whole * scale, places, end + 1);
    end += places + 1;
  })
}

size_t tl_format_numbers(
    const int64_t *magnitudes, const uint32_t *codes, size_t count, tl_affixes affixes, uint8_t *out, tl_span *spans) {
  FORMAT({
    uint32_t code = codes[index];
    if (code & 1) *end++ = '-';
    for (uint32_t zero = 0; zero < code / 2; zero++) *end++ = '0';
    end = write_unsigned((uint64_t)magnitudes[index], end);
  })
}

size_t tl_format_addresses(
    const uint8_t *planes, size_t count, tl_affixes affixes, uint8_t *out, tl_span *spans) {
  FORMAT({
    end = write_unsigned(planes[index], end);
    for (size_t plane = 1; plane < 4; plane++) {
      *end = '.';
      end = write_unsigned(planes[plane * count + index], end + 1);
    }
  })
}

size_t tl_format_slices(
    const uint8_t *text, const int64_t *lengths, size_t count, tl_affixes affixes, uint8_t *out, tl_span *spans) {
  FORMAT({
    memcpy(end, text, (size_t)lengths[index]);
    text += lengths[index];
    end += lengths[index];
  })
}

static inline int64_t divided(int64_t value, int64_t divisor) {
  int64_t quotient = value / divisor;
  return quotient - (value % divisor < 0);
}

static inline __attribute__((always_inline)) size_t format_clock_times(
    const int64_t *distances, const int64_t *times, size_t count, const tl_clock *clock, unsigned places,
    int64_t units_per_second, int64_t nanoseconds_per_unit, uint8_t *out) {
  const size_t width = clock->byte_count;
  for (size_t index = 0; index < count; index++) {
    int64_t units = (int64_t)((uint64_t)divided(times[index], nanoseconds_per_unit) + (uint64_t)distances[index]);
    int64_t second = (int64_t)((uint64_t)divided(units, units_per_second) - (uint64_t)clock->day_start);
    if (second < 0 || second >= 86400) return index;
    uint8_t *text = out + index * width;
    memcpy(text, clock->text, width);
    uint32_t now = (uint32_t)second;
    memcpy(text + clock->hour, pairs + 2 * (now / 3600), 2);
    memcpy(text + clock->minute, pairs + 2 * (now / 60 % 60), 2);
    memcpy(text + clock->second, pairs + 2 * (now % 60), 2);
    if (places > 0) {
      uint64_t whole = ((uint64_t)second + (uint64_t)clock->day_start) * (uint64_t)units_per_second;
      write_exactly((uint64_t)units - whole, places, text + clock->fraction);
    }
  }
  return count;
}

size_t tl_format_clock_times(
    const int64_t *distances, const int64_t *times, size_t count, const tl_clock *clock, uint8_t *out) {
  // The usual fractions by themselves: dividing by a number known here is multiplying.
  switch (clock->places) {
    case 0: return format_clock_times(distances, times, count, clock, 0, 1, 1000000000, out);
    case 3: return format_clock_times(distances, times, count, clock, 3, 1000, 1000000, out);
    case 6: return format_clock_times(distances, times, count, clock, 6, 1000000, 1000, out);
    case 9: return format_clock_times(distances, times, count, clock, 9, 1000000000, 1, out);
    default:
      return format_clock_times(
          distances, times, count, clock, clock->places, (int64_t)powers[clock->places],
          (int64_t)powers[9 - clock->places], out);
  }
}

void tl_hex_digits_portable(const uint8_t *packed, size_t digit_count, uint8_t letters, uint8_t *out) {
  for (size_t index = 0; index < digit_count; index++) {
    uint8_t nibble = (packed[index >> 1] >> ((index & 1) * 4)) & 0x0F;
    out[index] = (uint8_t)(nibble < 10 ? '0' + nibble : letters + nibble - 10);
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static void hex_digits_avx2(
    const uint8_t *packed, size_t digit_count, uint8_t letters, uint8_t *out) {
  uint8_t alphabet[16];
  for (int value = 0; value < 16; value++) alphabet[value] = (uint8_t)(value < 10 ? '0' + value : letters + value - 10);
  const __m256i table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)alphabet));
  const __m256i low_mask = _mm256_set1_epi16(0x000F);
  size_t index = 0;
  for (; index + 32 <= digit_count; index += 32) {
    __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(packed + index / 2)));
    __m256i nibbles = _mm256_or_si256(
        _mm256_and_si256(wide, low_mask), _mm256_slli_epi16(_mm256_srli_epi16(wide, 4), 8));
    _mm256_storeu_si256((__m256i *)(out + index), _mm256_shuffle_epi8(table, nibbles));
  }
  tl_hex_digits_portable(packed + index / 2, digit_count - index, letters, out + index);
}
#endif

void tl_hex_digits(const uint8_t *packed, size_t digit_count, uint8_t letters, uint8_t *out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return hex_digits_avx2(packed, digit_count, letters, out);
#endif
  tl_hex_digits_portable(packed, digit_count, letters, out);
}

/// Copies in steps of 16 bytes, up to 15 more than `count` of both.
static inline uint8_t *copy_loosely(const uint8_t *from, size_t count, uint8_t *to) {
  for (size_t index = 0; index < count; index += 16) memcpy(to + index, from + index, 16);
  return to + count;
}

size_t tl_compose(
    const uint8_t *literal_bytes, const tl_span *literals, const tl_slot *slots, size_t slot_count, size_t record,
    size_t literal_byte_count, uint8_t *out, size_t capacity) {
  size_t byte_count = literal_byte_count;
  for (size_t slot = 0; slot < slot_count; slot++) {
    size_t place = slots[slot].codes ? slots[slot].codes[record] : record;
    byte_count += slots[slot].spans[place].length;
  }
  if (byte_count + 16 > capacity) return byte_count;
  uint8_t *end = copy_loosely(literal_bytes + literals[0].offset, literals[0].length, out);
  for (size_t slot = 0; slot < slot_count; slot++) {
    size_t place = slots[slot].codes ? slots[slot].codes[record] : record;
    tl_span span = slots[slot].spans[place];
    end = copy_loosely(slots[slot].bytes + span.offset, span.length, end);
    end = copy_loosely(literal_bytes + literals[slot + 1].offset, literals[slot + 1].length, end);
  }
  return byte_count;
}
