#include "CKernelsDistance.h"

#include <stdbool.h>

#if defined(__x86_64__) || defined(_M_X64)
#define TL_AVX2 1
#include <immintrin.h>
#elif defined(__aarch64__)
#define TL_NEON 1
#include <arm_neon.h>
#endif

// A fused multiply-add rounds once where the contract says twice.
#pragma STDC FP_CONTRACT OFF

#define LANES 32

// Portable

static float sum_lanes(float lanes[LANES]) {
  for (size_t half = LANES / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

float tl_dot_f32_portable(const float *a, const float *b, size_t n) {
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (size_t j = 0; j < LANES; j++) lanes[j] += a[i + j] * b[i + j];
  }
  for (size_t j = 0; i + j < n; j++) lanes[j] += a[i + j] * b[i + j];
  return sum_lanes(lanes);
}

float tl_l2sq_f32_portable(const float *a, const float *b, size_t n) {
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (size_t j = 0; j < LANES; j++) {
      float difference = a[i + j] - b[i + j];
      lanes[j] += difference * difference;
    }
  }
  for (size_t j = 0; i + j < n; j++) {
    float difference = a[i + j] - b[i + j];
    lanes[j] += difference * difference;
  }
  return sum_lanes(lanes);
}

// AVX2

#if TL_AVX2

#define TARGET_AVX2 __attribute__((target("avx2")))

// Lanes beyond `left` components read nothing and hold zero.
TARGET_AVX2 static inline __m256i lanes_below(long left) {
  const __m256i order = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(left > 8 ? 8 : left < 0 ? 0 : (int)left), order);
}

TARGET_AVX2 static inline float sum_avx2(__m256 s0, __m256 s1, __m256 s2, __m256 s3) {
  __m256 eight = _mm256_add_ps(_mm256_add_ps(s0, s2), _mm256_add_ps(s1, s3));
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

TARGET_AVX2 static inline float dot_avx2(const float *a, const float *b, size_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    s0 = _mm256_add_ps(s0, _mm256_mul_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
    s1 = _mm256_add_ps(s1, _mm256_mul_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8)));
    s2 = _mm256_add_ps(s2, _mm256_mul_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16)));
    s3 = _mm256_add_ps(s3, _mm256_mul_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24)));
  }
  if (i < n) {
    __m256 *sums[4] = {&s0, &s1, &s2, &s3};
    for (size_t j = 0; i < n; i += 8, j++) {
      __m256i mask = lanes_below((long)(n - i));
      __m256 product = _mm256_mul_ps(_mm256_maskload_ps(a + i, mask), _mm256_maskload_ps(b + i, mask));
      *sums[j] = _mm256_add_ps(*sums[j], product);
    }
  }
  return sum_avx2(s0, s1, s2, s3);
}

TARGET_AVX2 static inline __m256 square_avx2(__m256 a, __m256 b) {
  __m256 difference = _mm256_sub_ps(a, b);
  return _mm256_mul_ps(difference, difference);
}

TARGET_AVX2 static inline float l2sq_avx2(const float *a, const float *b, size_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    s0 = _mm256_add_ps(s0, square_avx2(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
    s1 = _mm256_add_ps(s1, square_avx2(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8)));
    s2 = _mm256_add_ps(s2, square_avx2(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16)));
    s3 = _mm256_add_ps(s3, square_avx2(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24)));
  }
  if (i < n) {
    __m256 *sums[4] = {&s0, &s1, &s2, &s3};
    for (size_t j = 0; i < n; i += 8, j++) {
      __m256i mask = lanes_below((long)(n - i));
      *sums[j] = _mm256_add_ps(*sums[j], square_avx2(_mm256_maskload_ps(a + i, mask), _mm256_maskload_ps(b + i, mask)));
    }
  }
  return sum_avx2(s0, s1, s2, s3);
}

static inline bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }

#endif

// NEON

#if TL_NEON

static inline float sum_neon(float32x4_t s[8]) {
  // Lanes 4k … 4k + 3 are in s[k].
  for (size_t half = 4; half > 0; half /= 2) {
    for (size_t k = 0; k < half; k++) s[k] = vaddq_f32(s[k], s[k + half]);
  }
  float32x2_t two = vadd_f32(vget_low_f32(s[0]), vget_high_f32(s[0]));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

static inline float dot_neon(const float *a, const float *b, size_t n) {
  float32x4_t s[8];
  for (size_t k = 0; k < 8; k++) s[k] = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (size_t k = 0; k < 8; k++) {
      s[k] = vaddq_f32(s[k], vmulq_f32(vld1q_f32(a + i + 4 * k), vld1q_f32(b + i + 4 * k)));
    }
  }
  if (i < n) {
    float x[LANES] = {0}, y[LANES] = {0};
    for (size_t j = 0; i + j < n; j++) x[j] = a[i + j], y[j] = b[i + j];
    for (size_t k = 0; k < 8; k++) s[k] = vaddq_f32(s[k], vmulq_f32(vld1q_f32(x + 4 * k), vld1q_f32(y + 4 * k)));
  }
  return sum_neon(s);
}

static inline float l2sq_neon(const float *a, const float *b, size_t n) {
  float32x4_t s[8];
  for (size_t k = 0; k < 8; k++) s[k] = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (size_t k = 0; k < 8; k++) {
      float32x4_t difference = vsubq_f32(vld1q_f32(a + i + 4 * k), vld1q_f32(b + i + 4 * k));
      s[k] = vaddq_f32(s[k], vmulq_f32(difference, difference));
    }
  }
  if (i < n) {
    float x[LANES] = {0}, y[LANES] = {0};
    for (size_t j = 0; i + j < n; j++) x[j] = a[i + j], y[j] = b[i + j];
    for (size_t k = 0; k < 8; k++) {
      float32x4_t difference = vsubq_f32(vld1q_f32(x + 4 * k), vld1q_f32(y + 4 * k));
      s[k] = vaddq_f32(s[k], vmulq_f32(difference, difference));
    }
  }
  return sum_neon(s);
}

#endif

// One vector

float tl_dot_f32(const float *a, const float *b, size_t n) {
#if TL_AVX2
  if (has_avx2()) return dot_avx2(a, b, n);
#elif TL_NEON
  return dot_neon(a, b, n);
#endif
  return tl_dot_f32_portable(a, b, n);
}

float tl_l2sq_f32(const float *a, const float *b, size_t n) {
#if TL_AVX2
  if (has_avx2()) return l2sq_avx2(a, b, n);
#elif TL_NEON
  return l2sq_neon(a, b, n);
#endif
  return tl_l2sq_f32_portable(a, b, n);
}

const char *tl_distance_form(void) {
#if TL_AVX2
  if (has_avx2()) return "avx2";
#elif TL_NEON
  return "neon";
#endif
  return "portable";
}

// Many rows

// How many rows ahead are fetched: a row is read in about the time memory takes to answer.
#define ROWS_AHEAD 3

#define CACHE_LINE_FLOATS 16

// The body of a gather in one form, inlined into a function that carries that form's target.
#define GATHER(kernel)                                                                                                \
  do {                                                                                                                \
    const uint32_t mask = (1u << chunk_shift) - 1;                                                                    \
    for (size_t i = 0; i < count; i++) {                                                                              \
      if (i + ROWS_AHEAD < count) {                                                                                   \
        uint32_t next = rows[i + ROWS_AHEAD];                                                                         \
        const float *ahead = chunks[next >> chunk_shift] + (size_t)(next & mask) * stride;                            \
        for (size_t j = 0; j < n; j += CACHE_LINE_FLOATS) __builtin_prefetch(ahead + j);                              \
      }                                                                                                               \
      out[i] = kernel(query, chunks[rows[i] >> chunk_shift] + (size_t)(rows[i] & mask) * stride, n);                  \
    }                                                                                                                 \
  } while (0)

#define GATHER_PARAMETERS                                                                                             \
  const float *query, const float *const *chunks, unsigned chunk_shift, size_t stride, const uint32_t *rows,          \
      size_t count, size_t n, float *out

#if TL_AVX2
TARGET_AVX2 static void dot_gather_avx2(GATHER_PARAMETERS) { GATHER(dot_avx2); }
TARGET_AVX2 static void l2sq_gather_avx2(GATHER_PARAMETERS) { GATHER(l2sq_avx2); }
#endif

void tl_dot_f32_gather(GATHER_PARAMETERS) {
#if TL_AVX2
  if (has_avx2()) {
    dot_gather_avx2(query, chunks, chunk_shift, stride, rows, count, n, out);
    return;
  }
  GATHER(tl_dot_f32_portable);
#elif TL_NEON
  GATHER(dot_neon);
#else
  GATHER(tl_dot_f32_portable);
#endif
}

void tl_l2sq_f32_gather(GATHER_PARAMETERS) {
#if TL_AVX2
  if (has_avx2()) {
    l2sq_gather_avx2(query, chunks, chunk_shift, stride, rows, count, n, out);
    return;
  }
  GATHER(tl_l2sq_f32_portable);
#elif TL_NEON
  GATHER(l2sq_neon);
#else
  GATHER(tl_l2sq_f32_portable);
#endif
}
