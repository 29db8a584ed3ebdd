// Distances between vectors, and the codes that stand for vectors.
//
// Every form of a kernel gives the same bits, so an index built on one machine is the index built on any other.
// Integer kernels are exact. Float kernels keep 32 running sums (lane i takes the products at i, i + 32, i + 64, …;
// each product is rounded before it is added, no fused multiply-add), then lane i + 16 is added to lane i, then 8, 4,
// 2, 1.
// Forms, found at run time: AVX-512 with VNNI and AVX2 on x86-64, NEON on arm64, else the portable one. (float32 has no
// AVX-512 form: bound by the latency of its additions, it would be no faster than AVX2.)
//
// No kernel asks for alignment; reads stay inside the vectors; they allocate nothing. `n` may be 0.
//
// Rows lie in chunks of `1 << chunk_shift`: row r begins `(r & mask) * stride` bytes after `chunks[r >> chunk_shift]`.

#ifndef TIMBERLINE_C_KERNELS_DISTANCE_H
#define TIMBERLINE_C_KERNELS_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

// --- float32

/// The inner product of `a` and `b`, `n` components each.
float tl_dot_f32(const float *a, const float *b, size_t n);

/// The squared Euclidean distance between `a` and `b`, `n` components each.
float tl_l2sq_f32(const float *a, const float *b, size_t n);

/// The sum of the squares of the components, and the largest magnitude among them; infinite if one is no number. Eight
/// running sums in double, added as above.
double tl_squares_f32(const float *a, size_t n, float *largest);

// --- int8

/// The inner product of `a` and `b`, exact: n <= 65,536.
int32_t tl_dot_i8(const int8_t *a, const int8_t *b, size_t n);

/// `out[i]` = the inner product of `query` and row `rows[i]`, for `count` rows; the next rows are prefetched meanwhile.
void tl_dot_i8_gather(
    const int8_t *query, const uint8_t *const *chunks, unsigned chunk_shift, size_t stride, const uint32_t *rows,
    size_t count, size_t n, int32_t *out);

// --- Twelve-bit codes: an int8 code that walks read, and four bits more of each component in a residual apart
//
// Component i is `16 * code[i] + nibble(i) - 8` steps. In each run of 64 components (the last run is padded), byte j of
// the residual's 32 holds the nibble of component j in its low half and of component j + 32 in its high half.

/// Bytes of the residual of `n` components.
#define TL_RESIDUAL_BYTES(n) (((n) + 63) / 64 * 32)

/// Codes `a`: step = largest magnitude / 2032, components rounded to whole steps, halves away from zero. Components
/// have magnitude <= 1e15. `residual` may be null.
/// Returns the step; 0 for a vector of zeros and one too small to have one.
float tl_encode12(const float *a, size_t n, float largest, int8_t *code, uint8_t *residual);

/// The inner products of a vector with its own code, in units of the code and, with a residual, in steps. Eight running
/// sums in double, as in `tl_squares_f32`.
void tl_inner_products(
    const float *a, const int8_t *code, const uint8_t *residual, size_t n, double *by_code, double *by_steps);

/// The components, in steps times `step`.
void tl_decode12(const int8_t *code, const uint8_t *residual, size_t n, float step, float *out);

/// The inner product of `query` and the coded vector, in steps: `step` times it is the inner product. Bits as
/// `tl_dot_f32` gives for the whole numbers of steps.
float tl_dot_code12(const float *query, const int8_t *code, const uint8_t *residual, size_t n);

/// The squared Euclidean distance between `query` and the coded vector. Bits as `tl_l2sq_f32` gives for what
/// `tl_decode12` does.
float tl_l2sq_code12(const float *query, const int8_t *code, const uint8_t *residual, size_t n, float step);

// --- float16 (IEEE binary16)

/// Rounds to nearest, halves to even; beyond 65,504 it is infinity.
void tl_f16_from_f32(const float *a, size_t n, uint16_t *out);
void tl_f32_from_f16(const uint16_t *a, size_t n, float *out);

/// As `tl_dot_f32` and `tl_l2sq_f32` with `b` brought to float32.
float tl_dot_f16(const float *a, const uint16_t *b, size_t n);
float tl_l2sq_f16(const float *a, const uint16_t *b, size_t n);

// --- Memory

/// Pages of zeros for `byte_count` bytes, from the system and not from the heap: large blocks among small ones leave
/// holes there, and what is given back does not leave the process. Null if there are none.
void *tl_pages_allocate(size_t byte_count);
void tl_pages_free(void *pages, size_t byte_count);

/// Asks for the cache line at `address`, which need not be readable.
static inline void tl_prefetch(const void *address) { __builtin_prefetch(address); }

/// Asks for the cache lines of `byte_count` bytes.
static inline void tl_prefetch_bytes(const void *address, size_t byte_count) {
  for (size_t i = 0; i < byte_count; i += 64) __builtin_prefetch((const char *)address + i);
}

// --- What the others are held to

float tl_dot_f32_portable(const float *a, const float *b, size_t n);
float tl_l2sq_f32_portable(const float *a, const float *b, size_t n);
double tl_squares_f32_portable(const float *a, size_t n, float *largest);
float tl_encode12_portable(const float *a, size_t n, float largest, int8_t *code, uint8_t *residual);
void tl_inner_products_portable(
    const float *a, const int8_t *code, const uint8_t *residual, size_t n, double *by_code, double *by_steps);
int32_t tl_dot_i8_portable(const int8_t *a, const int8_t *b, size_t n);
float tl_dot_code12_portable(const float *query, const int8_t *code, const uint8_t *residual, size_t n);
float tl_l2sq_code12_portable(const float *query, const int8_t *code, const uint8_t *residual, size_t n, float step);
void tl_f16_from_f32_portable(const float *a, size_t n, uint16_t *out);
void tl_f32_from_f16_portable(const uint16_t *a, size_t n, float *out);
float tl_dot_f16_portable(const float *a, const uint16_t *b, size_t n);
float tl_l2sq_f16_portable(const float *a, const uint16_t *b, size_t n);

/// Holds every form that this processor can run, not only the one in use, against the portable one on vectors made from
/// `seed`. Returns null, or the name of the first kernel that differs.
const char *tl_distance_check(size_t n, uint64_t seed);

/// The form in use: "avx512", "avx2", "neon" or "portable".
const char *tl_distance_form(void);

#endif
