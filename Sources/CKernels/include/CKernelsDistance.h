// Distances between float32 vectors.
//
// Every form of a kernel gives the same bits: 32 running sums (lane i takes the products at i, i + 32, i + 64 …; each
// product is rounded before it is added, no fused multiply-add), then lane i + 16 is added to lane i, then 8, 4, 2, 1.
// So an index built on one machine is the index built on any other. Form by processor, found at run time: AVX2 on
// x86-64, NEON on arm64, else the portable one.
//
// No kernel asks for alignment; reads stay inside the vectors; nothing is allocated. `n` may be 0.

#ifndef TIMBERLINE_C_KERNELS_DISTANCE_H
#define TIMBERLINE_C_KERNELS_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

/// The inner product of `a` and `b`, `n` components each.
float tl_dot_f32(const float *a, const float *b, size_t n);

/// The squared Euclidean distance between `a` and `b`, `n` components each.
float tl_l2sq_f32(const float *a, const float *b, size_t n);

/// `out[i]` = the inner product of `query` and row `rows[i]`, for `count` rows; the next rows are prefetched meanwhile.
///
/// Rows lie in chunks of `1 << chunk_shift`: row r begins at `chunks[r >> chunk_shift] + (r & mask) * stride`.
void tl_dot_f32_gather(
    const float *query, const float *const *chunks, unsigned chunk_shift, size_t stride, const uint32_t *rows,
    size_t count, size_t n, float *out);

/// As `tl_dot_f32_gather`, with the squared Euclidean distance.
void tl_l2sq_f32_gather(
    const float *query, const float *const *chunks, unsigned chunk_shift, size_t stride, const uint32_t *rows,
    size_t count, size_t n, float *out);

/// What the others are held to.
float tl_dot_f32_portable(const float *a, const float *b, size_t n);
float tl_l2sq_f32_portable(const float *a, const float *b, size_t n);

/// The form in use: "avx2", "neon" or "portable".
const char *tl_distance_form(void);

#endif
