// Checksum, hash, scan, unpack and format kernels. The header is the contract.
//
// All functions: no allocation, no global state that a caller can see, safe from any thread. Pointers need no alignment
// and may be null only where the length is 0. Results are equal on every machine: each vector form has a scalar form
// beside it and a test holds them equal.
#ifndef TIMBERLINE_CKERNELS_H
#define TIMBERLINE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "CKernelsDistance.h"
#include "CKernelsMemory.h"
#include "CKernelsTransformer.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- checksum.c

/// CRC-32C (Castagnoli, reflected 0x82F63B78) of `byte_count` bytes. Start with seed 0; the checksum of `a` followed by
/// `b` is `tl_crc32c(tl_crc32c(0, a), b)`. "123456789" gives 0xE3069283.
uint32_t tl_crc32c(uint32_t seed, const void *bytes, size_t byte_count);
/// The same by table, whatever the processor can do.
uint32_t tl_crc32c_portable(uint32_t seed, const void *bytes, size_t byte_count);

// --- hash.c

/// A 64-bit hash for tables and filters; not for secrets. Stored filters hold its values: the function never changes.
uint64_t tl_hash64(const void *bytes, size_t byte_count, uint64_t seed);
/// Two hashes of the same bytes, independent enough that 128 bits stand for the bytes themselves.
void tl_hash128(const void *bytes, size_t byte_count, uint64_t seed, uint64_t out[2]);

// --- scan.c

/// The offset of the first occurrence of `needle` in `haystack`, or `haystack_count` if there is none. An empty needle
/// is at 0.
size_t tl_find(const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count);
/// The same, one offset after another.
size_t tl_find_portable(const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count);
/// The same with A-Z and a-z of `haystack` equal; `needle` must hold no A-Z.
size_t tl_find_ascii_folded(const uint8_t *haystack, size_t haystack_count, const uint8_t *needle, size_t needle_count);
/// The offset of the first `byte`, or `byte_count` if there is none.
size_t tl_find_byte(const uint8_t *bytes, size_t byte_count, uint8_t byte);

// --- unpack.c: stored numbers to numbers

/// Values of `width` bits (0...64), packed without gaps, least significant bit first, each plus `low`, wrapping.
/// `packed` holds at least `(count * width + 7) / 8` bytes; no byte from `packed_count` on is read.
void tl_unpack(const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint64_t low, uint64_t *out);
void tl_unpack_portable(
    const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint64_t low, uint64_t *out);
/// The same into bytes; `width` is 1...8.
void tl_unpack_bytes(const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint8_t *out);
void tl_unpack_bytes_portable(const uint8_t *packed, size_t packed_count, size_t count, unsigned width, uint8_t *out);
/// Differences to values, in place and wrapping: each becomes what stands before it (`first` for the first one) plus
/// `step` plus itself.
void tl_sum_up(uint64_t *values, size_t count, uint64_t first, uint64_t step);
/// Each value times `scale` plus `base`, wrapping.
void tl_scale(uint64_t *values, size_t count, uint64_t base, uint64_t scale);
void tl_scale_portable(uint64_t *values, size_t count, uint64_t base, uint64_t scale);
/// The largest byte, 0 of none.
uint8_t tl_max_byte(const uint8_t *bytes, size_t count);
uint8_t tl_max_byte_portable(const uint8_t *bytes, size_t count);
/// Byte planes (all low bytes, all second bytes…; 1...4 of `count` bytes each) to numbers.
/// Returns the largest, 0 of none.
uint32_t tl_widen(const uint8_t *planes, size_t count, size_t plane_count, uint32_t *out);
uint32_t tl_widen_portable(const uint8_t *planes, size_t count, size_t plane_count, uint32_t *out);
/// How many of the bytes are `byte`, of the words `word`.
size_t tl_count_byte(const uint8_t *bytes, size_t byte_count, uint8_t byte);
size_t tl_count_byte_portable(const uint8_t *bytes, size_t byte_count, uint8_t byte);
size_t tl_count_word(const uint32_t *words, size_t word_count, uint32_t word);
size_t tl_count_word_portable(const uint32_t *words, size_t word_count, uint32_t word);
/// Bit i of `bits` (`(count + 63) / 64` words, all written) is bit 0 of `passes[codes[i]]`. All codes are below
/// `code_count`.
void tl_match_bytes(const uint8_t *codes, size_t count, size_t code_count, const uint8_t passes[256], uint64_t *bits);
void tl_match_bytes_portable(const uint8_t *codes, size_t count, const uint8_t passes[256], uint64_t *bits);
/// How often each code occurs.
void tl_count_codes(const uint8_t *codes, size_t count, uint32_t counts[256]);

/// Moves bit i of `bits` to where the i-th bit of `places` stands, and back. All are bit sets in words; `places` and the
/// spread one have `word_count`, the other as many as hold the bits of `places`. Returns how many those are.
size_t tl_spread_bits(const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out);
size_t tl_spread_bits_portable(const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out);
size_t tl_gather_bits(const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out);
size_t tl_gather_bits_portable(const uint64_t *bits, const uint64_t *places, size_t word_count, uint64_t *out);

/// A run of bytes of some buffer, as Swift's `ByteSpan` lies in memory.
typedef struct {
  uint32_t offset;
  uint32_t length;
} tl_span;

/// The sum of the lengths; -1 if one is negative or they are more than `max` together.
int64_t tl_sum_lengths(const int64_t *lengths, size_t count, int64_t max);
int64_t tl_sum_lengths_portable(const int64_t *lengths, size_t count, int64_t max);
/// Spans one after another, each `affixes` longer than its length. Returns where the last ends.
int64_t tl_spans(const int64_t *lengths, size_t count, uint32_t affixes, tl_span *out);
int64_t tl_spans_portable(const int64_t *lengths, size_t count, uint32_t affixes, tl_span *out);

// --- format.c: numbers to the text they were stored from
//
// `tl_format_…` writes values one after another, each between a prefix and a suffix, with a span each, and returns how
// many bytes it wrote. `out` has room for the longest such values and 16 bytes more, which may be written, too.

typedef struct {
  const uint8_t *prefix;
  size_t prefix_count;
  const uint8_t *suffix;
  size_t suffix_count;
} tl_affixes;

/// Decimal, at most 20 bytes.
size_t tl_format_integers(const int64_t *values, size_t count, tl_affixes affixes, uint8_t *out, tl_span *spans);
/// `width` (0...18) digits; values are at least 0 and below 10^width.
size_t tl_format_padded(
    const int64_t *values, size_t count, unsigned width, tl_affixes affixes, uint8_t *out, tl_span *spans);
/// With a point before the last `places` (1...9) digits; values are at least 0. At most 21 bytes.
size_t tl_format_decimals(
    const int64_t *values, size_t count, unsigned places, tl_affixes affixes, uint8_t *out, tl_span *spans);
/// A minus where the code is odd, `code / 2` zeros, and an unsigned magnitude of at most 20 digits.
size_t tl_format_numbers(
    const int64_t *magnitudes, const uint32_t *codes, size_t count, tl_affixes affixes, uint8_t *out, tl_span *spans);
/// IPv4 addresses out of four planes of `count` octets. At most 15 bytes.
size_t tl_format_addresses(const uint8_t *planes, size_t count, tl_affixes affixes, uint8_t *out, tl_span *spans);
/// Pieces of `text` of the given lengths, which are not negative.
size_t tl_format_slices(
    const uint8_t *text, const int64_t *lengths, size_t count, tl_affixes affixes, uint8_t *out, tl_span *spans);

/// How one day's times are written: a text whose digits of the time of day are put in.
typedef struct {
  const uint8_t *text;
  size_t byte_count;
  /// Where the two digits stand.
  size_t hour;
  size_t minute;
  size_t second;
  /// Where the fraction's digits stand, `places` (0...9) of them.
  size_t fraction;
  unsigned places;
  /// Seconds since 1970 of the day's start.
  int64_t day_start;
} tl_clock;

/// Writes the texts of the moments `distances` units (of 10^-places seconds) from `times`, `byte_count` bytes each, up to the first that is of
/// another day; returns how many.
size_t tl_format_clock_times(
    const int64_t *distances, const int64_t *times, size_t count, const tl_clock *clock, uint8_t *out);

/// Nibbles, the low one of each byte first, as 0-9 and from `letters` on.
void tl_hex_digits(const uint8_t *packed, size_t digit_count, uint8_t letters, uint8_t *out);
void tl_hex_digits_portable(const uint8_t *packed, size_t digit_count, uint8_t letters, uint8_t *out);

/// The values of a slot: `spans[codes[record]]`, or `spans[record]` where there are no codes, of `bytes`, whose memory
/// goes on for 15 bytes after the last value.
typedef struct {
  const uint8_t *bytes;
  const tl_span *spans;
  const uint32_t *codes;
} tl_slot;

/// Puts a message together: `slot_count + 1` literals, which are `literal_byte_count` bytes, and between them the
/// record's values. The literals' memory, too, goes on for 15 bytes.
///
/// Returns the message's byte count n; it is written only if `capacity` is at least n + 16, and then up to 15 bytes
/// after it are written, too.
size_t tl_compose(
    const uint8_t *literal_bytes, const tl_span *literals, const tl_slot *slots, size_t slot_count, size_t record,
    size_t literal_byte_count, uint8_t *out, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
