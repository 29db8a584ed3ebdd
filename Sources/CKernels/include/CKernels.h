// Checksum, hash and scan kernels. The header is the contract.
//
// All functions: no allocation, no global state that a caller can see, safe from any thread. Pointers need no alignment
// and may be null only where the length is 0. Results are equal on every machine: each vector form has a scalar form
// beside it and a test holds them equal.
#ifndef TIMBERLINE_CKERNELS_H
#define TIMBERLINE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "CKernelsDistance.h"

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
/// How many of the bytes are `byte`.
size_t tl_count_byte(const uint8_t *bytes, size_t byte_count, uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif
