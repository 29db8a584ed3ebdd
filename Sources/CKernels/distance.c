#include "CKernelsDistance.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

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

// Inlined into functions for one processor each, whose vectors the compiler then uses.
#define BODY static inline __attribute__((always_inline))

BODY void squares_of_run(const float part[32], double lanes[8], uint32_t bits[8]) {
  for (size_t k = 0; k < 32; k += 8) {
    for (size_t j = 0; j < 8; j++) {
      uint32_t magnitude;
      memcpy(&magnitude, part + k + j, sizeof magnitude);
      magnitude &= 0x7FFFFFFF;
      // Magnitudes order like their bits, infinity and what is no number above all.
      bits[j] = magnitude > bits[j] ? magnitude : bits[j];
      lanes[j] += (double)part[k + j] * (double)part[k + j];
    }
  }
}

BODY double squares_body(const float *a, size_t n, float *largest) {
  double lanes[8] = {0};
  uint32_t bits[8] = {0};
  size_t i = 0;
  for (; i + 32 <= n; i += 32) squares_of_run(a + i, lanes, bits);
  if (i < n) {
    float part[32] = {0};
    memcpy(part, a + i, (n - i) * sizeof(float));
    squares_of_run(part, lanes, bits);
  }
  uint32_t most = 0;
  for (size_t j = 0; j < 8; j++) most = bits[j] > most ? bits[j] : most;
  if (most > 0x7F800000) most = 0x7F800000;
  memcpy(largest, &most, sizeof most);
  for (size_t half = 4; half > 0; half /= 2) {
    for (size_t j = 0; j < half; j++) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

double tl_squares_f32_portable(const float *a, size_t n, float *largest) { return squares_body(a, n, largest); }

int32_t tl_dot_i8_portable(const int8_t *a, const int8_t *b, size_t n) {
  int32_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += (int32_t)a[i] * (int32_t)b[i];
  return sum;
}

// Twelve-bit codes

// Coded in runs, so that residual bytes are written once.
#define RUN 64

BODY void encode_run(const float part[RUN], float inverse, int8_t high[RUN], uint8_t residual[RUN / 2]) {
  uint8_t nibbles[RUN];
  for (size_t j = 0; j < RUN; j++) {
    float scaled = part[j] * inverse;
    int32_t steps = (int32_t)(scaled + (scaled < 0 ? -0.5f : 0.5f));
    int32_t upper = (steps + 8) >> 4;
    high[j] = (int8_t)upper;
    nibbles[j] = (uint8_t)(steps - 16 * upper + 8);
  }
  for (size_t j = 0; j < RUN / 2; j++) residual[j] = (uint8_t)(nibbles[j] | nibbles[j + RUN / 2] << 4);
}

BODY float encode12_body(const float *a, size_t n, float largest, int8_t *code, uint8_t *residual) {
  // Below the smallest normal number there are no 2032 steps.
  float inverse = largest > 1e-34f ? 2032.0f / largest : 0;
  uint8_t unused[RUN / 2];
  size_t i = 0;
  for (; i + RUN <= n; i += RUN) encode_run(a + i, inverse, code + i, residual ? residual + i / 2 : unused);
  if (i < n) {
    float part[RUN] = {0};
    int8_t high[RUN];
    memcpy(part, a + i, (n - i) * sizeof(float));
    encode_run(part, inverse, high, residual ? residual + i / 2 : unused);
    memcpy(code + i, high, n - i);
  }
  return inverse > 0 ? largest / 2032.0f : 0;
}

float tl_encode12_portable(const float *a, size_t n, float largest, int8_t *code, uint8_t *residual) {
  return encode12_body(a, n, largest, code, residual);
}

BODY void inner_products_body(
    const float *a, const int8_t *code, const uint8_t *residual, size_t n, double *by_code, double *by_steps) {
  double coded[8] = {0}, stepped[8] = {0};
  for (size_t i = 0; i < n; i += RUN) {
    float part[RUN] = {0}, codes[RUN], nibbles[RUN] = {0};
    int8_t high[RUN] = {0};
    size_t count = n - i < RUN ? n - i : RUN;
    memcpy(part, a + i, count * sizeof(float));
    memcpy(high, code + i, count);
    for (size_t j = 0; j < RUN; j++) codes[j] = high[j];
    for (size_t k = 0; k < RUN; k += 8) {
      for (size_t j = 0; j < 8; j++) coded[j] += (double)part[k + j] * (double)codes[k + j];
    }
    if (!residual) continue;
    for (size_t j = 0; j < RUN / 2; j++) {
      uint8_t byte = residual[i / 2 + j];
      nibbles[j] = (float)((byte & 15) - 8);
      nibbles[j + RUN / 2] = (float)((byte >> 4) - 8);
    }
    for (size_t k = 0; k < RUN; k += 8) {
      for (size_t j = 0; j < 8; j++) stepped[j] += (double)part[k + j] * (double)(16 * codes[k + j] + nibbles[k + j]);
    }
  }
  for (size_t half = 4; half > 0; half /= 2) {
    for (size_t j = 0; j < half; j++) coded[j] += coded[j + half], stepped[j] += stepped[j + half];
  }
  *by_code = coded[0];
  *by_steps = stepped[0];
}

void tl_inner_products_portable(
    const float *a, const int8_t *code, const uint8_t *residual, size_t n, double *by_code, double *by_steps) {
  inner_products_body(a, code, residual, n, by_code, by_steps);
}

// Whole steps of the run that begins at `start`, zeros beyond n.
static inline void steps_of_run(const int8_t *code, const uint8_t *residual, size_t start, size_t n, float out[RUN]) {
  for (size_t j = 0; j < RUN; j++) {
    uint8_t byte = residual[start / 2 + j % (RUN / 2)];
    int32_t nibble = j < RUN / 2 ? byte & 15 : byte >> 4;
    out[j] = start + j < n ? (float)(16 * code[start + j] + nibble - 8) : 0;
  }
}

void tl_decode12(const int8_t *code, const uint8_t *residual, size_t n, float step, float *out) {
  for (size_t start = 0; start < n; start += RUN) {
    float steps[RUN];
    steps_of_run(code, residual, start, n, steps);
    for (size_t j = 0; j < RUN && start + j < n; j++) out[start + j] = steps[j] * step;
  }
}

float tl_dot_code12_portable(const float *query, const int8_t *code, const uint8_t *residual, size_t n) {
  float lanes[LANES] = {0};
  for (size_t start = 0; start < n; start += RUN) {
    float steps[RUN];
    steps_of_run(code, residual, start, n, steps);
    for (size_t j = 0; j < RUN && start + j < n; j++) lanes[j % LANES] += query[start + j] * steps[j];
  }
  return sum_lanes(lanes);
}

float tl_l2sq_code12_portable(const float *query, const int8_t *code, const uint8_t *residual, size_t n, float step) {
  float lanes[LANES] = {0};
  for (size_t start = 0; start < n; start += RUN) {
    float steps[RUN];
    steps_of_run(code, residual, start, n, steps);
    for (size_t j = 0; j < RUN && start + j < n; j++) {
      float component = steps[j] * step;
      float difference = query[start + j] - component;
      lanes[j % LANES] += difference * difference;
    }
  }
  return sum_lanes(lanes);
}

// float16

static inline uint16_t half_from(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  bits &= 0x7FFFFFFF;
  if (bits > 0x7F800000) return sign | 0x7E00 | (uint16_t)(bits >> 13 & 0x1FF);  // not a number, made quiet
  if (bits >= 0x477FF000) return sign | 0x7C00;                                   // rounds to infinity
  if (bits < 0x38800000) {
    // Subnormal: a multiple of 2^-24, which the addition of 0.5 leaves in the last bits, rounded to even.
    float magnitude;
    memcpy(&magnitude, &bits, sizeof bits);
    magnitude += 0.5f;
    memcpy(&bits, &magnitude, sizeof bits);
    return sign | (uint16_t)(bits - 0x3F000000);
  }
  bits += 0xFFF + (bits >> 13 & 1);
  return sign | (uint16_t)((bits >> 13) - (112 << 10));
}

static inline float float_from(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3FF, bits;
  if (exponent == 0) {
    float magnitude = (float)fraction * 0x1p-24f;
    memcpy(&bits, &magnitude, sizeof bits);
  } else if (exponent == 31) {
    bits = 0x7F800000 | (fraction ? 0x400000 | fraction << 13 : 0);
  } else {
    bits = (exponent + 112) << 23 | fraction << 13;
  }
  bits |= sign;
  float value;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

void tl_f16_from_f32_portable(const float *a, size_t n, uint16_t *out) {
  for (size_t i = 0; i < n; i++) out[i] = half_from(a[i]);
}

void tl_f32_from_f16_portable(const uint16_t *a, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = float_from(a[i]);
}

float tl_dot_f16_portable(const float *a, const uint16_t *b, size_t n) {
  float lanes[LANES] = {0};
  for (size_t i = 0; i < n; i++) lanes[i % LANES] += a[i] * float_from(b[i]);
  return sum_lanes(lanes);
}

float tl_l2sq_f16_portable(const float *a, const uint16_t *b, size_t n) {
  float lanes[LANES] = {0};
  for (size_t i = 0; i < n; i++) {
    float difference = a[i] - float_from(b[i]);
    lanes[i % LANES] += difference * difference;
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

TARGET_AVX2 static inline int32_t dot_i8_avx2(const int8_t *a, const int8_t *b, size_t n) {
  __m256i s0 = _mm256_setzero_si256(), s1 = s0;
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i a0 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(a + i)));
    __m256i b0 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + i)));
    __m256i a1 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(a + i + 16)));
    __m256i b1 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + i + 16)));
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(a0, b0));
    s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(a1, b1));
  }
  s0 = _mm256_add_epi32(s0, s1);
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(s0), _mm256_extracti128_si256(s0, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
  return _mm_cvtsi128_si32(four) + tl_dot_i8_portable(a + i, b + i, n - i);
}

TARGET_AVX2 static inline void steps_avx2(const int8_t *code, __m128i nibbles, __m256 out[2]) {
  __m256i steps = _mm256_slli_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)code)), 4);
  steps = _mm256_add_epi16(steps, _mm256_sub_epi16(_mm256_cvtepu8_epi16(nibbles), _mm256_set1_epi16(8)));
  out[0] = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(steps)));
  out[1] = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(steps, 1)));
}

// Steps of the half run of 32 components: half 0 has the low nibbles, half 1 the high ones.
TARGET_AVX2 static inline void half_run_avx2(const int8_t *code, const uint8_t *residual, int half, __m256 out[4]) {
  const __m128i low = _mm_set1_epi8(15);
  for (int k = 0; k < 2; k++) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(residual + 16 * k));
    if (half) bytes = _mm_srli_epi16(bytes, 4);
    steps_avx2(code + 16 * k, _mm_and_si128(bytes, low), out + 2 * k);
  }
}

TARGET_AVX2 static inline float dot_code12_avx2(
    const float *query, const int8_t *code, const uint8_t *residual, size_t n) {
  __m256 s[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  for (size_t i = 0; i < n; i += LANES) {
    float part[LANES];
    int8_t codes[LANES];
    const float *q = query + i;
    const int8_t *c = code + i;
    if (n - i < LANES) {
      memset(part, 0, sizeof part), memset(codes, 0, sizeof codes);
      memcpy(part, q, (n - i) * sizeof(float)), memcpy(codes, c, n - i);
      q = part, c = codes;
    }
    __m256 steps[4];
    half_run_avx2(c, residual + i / RUN * (RUN / 2), i / LANES % 2, steps);
    for (int k = 0; k < 4; k++) s[k] = _mm256_add_ps(s[k], _mm256_mul_ps(_mm256_loadu_ps(q + 8 * k), steps[k]));
  }
  return sum_avx2(s[0], s[1], s[2], s[3]);
}

TARGET_AVX2 static inline float l2sq_code12_avx2(
    const float *query, const int8_t *code, const uint8_t *residual, size_t n, float step) {
  __m256 s[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  __m256 size = _mm256_set1_ps(step);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    __m256 steps[4];
    half_run_avx2(code + i, residual + i / RUN * (RUN / 2), i / LANES % 2, steps);
    for (int k = 0; k < 4; k++) {
      s[k] = _mm256_add_ps(s[k], square_avx2(_mm256_loadu_ps(query + i + 8 * k), _mm256_mul_ps(steps[k], size)));
    }
  }
  if (i < n) {
    // What is padded must differ by nothing: both sides are zero.
    float q[LANES] = {0}, x[LANES] = {0};
    float steps[RUN];
    size_t start = i / RUN * RUN;
    steps_of_run(code, residual, start, n, steps);
    for (size_t j = 0; i + j < n; j++) q[j] = query[i + j], x[j] = steps[i - start + j] * step;
    for (int k = 0; k < 4; k++) {
      s[k] = _mm256_add_ps(s[k], square_avx2(_mm256_loadu_ps(q + 8 * k), _mm256_loadu_ps(x + 8 * k)));
    }
  }
  return sum_avx2(s[0], s[1], s[2], s[3]);
}

#define TARGET_F16C __attribute__((target("avx2,f16c")))

TARGET_F16C static inline __m256 halves_f16c(const uint16_t *a) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)a));
}

TARGET_F16C static void f16_from_f32_f16c(const float *a, size_t n, uint16_t *out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm_storeu_si128((__m128i *)(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(a + i), _MM_FROUND_TO_NEAREST_INT));
  }
  tl_f16_from_f32_portable(a + i, n - i, out + i);
}

TARGET_F16C static void f32_from_f16_f16c(const uint16_t *a, size_t n, float *out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(out + i, halves_f16c(a + i));
  tl_f32_from_f16_portable(a + i, n - i, out + i);
}

TARGET_F16C static float dot_f16_f16c(const float *a, const uint16_t *b, size_t n) {
  __m256 s[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  for (size_t i = 0; i < n; i += LANES) {
    float part[LANES];
    uint16_t halves[LANES];
    const float *x = a + i;
    const uint16_t *y = b + i;
    if (n - i < LANES) {
      memset(part, 0, sizeof part), memset(halves, 0, sizeof halves);
      memcpy(part, x, (n - i) * sizeof(float)), memcpy(halves, y, (n - i) * sizeof(uint16_t));
      x = part, y = halves;
    }
    for (int k = 0; k < 4; k++) {
      s[k] = _mm256_add_ps(s[k], _mm256_mul_ps(_mm256_loadu_ps(x + 8 * k), halves_f16c(y + 8 * k)));
    }
  }
  return sum_avx2(s[0], s[1], s[2], s[3]);
}

TARGET_F16C static float l2sq_f16_f16c(const float *a, const uint16_t *b, size_t n) {
  __m256 s[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  for (size_t i = 0; i < n; i += LANES) {
    float part[LANES];
    uint16_t halves[LANES];
    const float *x = a + i;
    const uint16_t *y = b + i;
    if (n - i < LANES) {
      memset(part, 0, sizeof part), memset(halves, 0, sizeof halves);
      memcpy(part, x, (n - i) * sizeof(float)), memcpy(halves, y, (n - i) * sizeof(uint16_t));
      x = part, y = halves;
    }
    for (int k = 0; k < 4; k++) {
      s[k] = _mm256_add_ps(s[k], square_avx2(_mm256_loadu_ps(x + 8 * k), halves_f16c(y + 8 * k)));
    }
  }
  return sum_avx2(s[0], s[1], s[2], s[3]);
}

TARGET_AVX2 static double squares_avx2(const float *a, size_t n, float *largest) {
  return squares_body(a, n, largest);
}

TARGET_AVX2 static float encode12_avx2(const float *a, size_t n, float largest, int8_t *code, uint8_t *residual) {
  return encode12_body(a, n, largest, code, residual);
}

TARGET_AVX2 static void inner_products_avx2(
    const float *a, const int8_t *code, const uint8_t *residual, size_t n, double *by_code, double *by_steps) {
  inner_products_body(a, code, residual, n, by_code, by_steps);
}

static inline bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
static inline bool has_f16c(void) { return has_avx2() && __builtin_cpu_supports("f16c"); }

// AVX-512

#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

// The instruction multiplies bytes without a sign by bytes with one: a + 128 stands for a, and 128 times the sum of b
// is taken off again.
TARGET_AVX512 static inline int32_t sum_i8_avx512(const int8_t *b, size_t n) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i sum = _mm512_setzero_si512();
  size_t i = 0;
  for (; i + 64 <= n; i += 64) sum = _mm512_dpbusd_epi32(sum, ones, _mm512_loadu_si512(b + i));
  if (i < n) sum = _mm512_dpbusd_epi32(sum, ones, _mm512_maskz_loadu_epi8(~0ull >> (64 - (n - i)), b + i));
  return _mm512_reduce_add_epi32(sum);
}

TARGET_AVX512 static inline int32_t dot_shifted_avx512(const int8_t *a, const int8_t *b, size_t n) {
  const __m512i shift = _mm512_set1_epi8((char)0x80);
  __m512i s0 = _mm512_setzero_si512(), s1 = s0;
  size_t i = 0;
  for (; i + 128 <= n; i += 128) {
    s0 = _mm512_dpbusd_epi32(s0, _mm512_xor_si512(_mm512_loadu_si512(a + i), shift), _mm512_loadu_si512(b + i));
    s1 = _mm512_dpbusd_epi32(
        s1, _mm512_xor_si512(_mm512_loadu_si512(a + i + 64), shift), _mm512_loadu_si512(b + i + 64));
  }
  for (; i < n; i += 64) {
    __mmask64 mask = n - i >= 64 ? ~0ull : ~0ull >> (64 - (n - i));
    __m512i x = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, a + i), shift);
    s0 = _mm512_dpbusd_epi32(s0, x, _mm512_maskz_loadu_epi8(mask, b + i));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
}

TARGET_AVX512 static inline int32_t dot_i8_avx512(const int8_t *a, const int8_t *b, size_t n) {
  return (int32_t)((uint32_t)dot_shifted_avx512(a, b, n) - 128u * (uint32_t)sum_i8_avx512(b, n));
}

TARGET_AVX512 static inline float sum_avx512(__m512 s0, __m512 s1) {
  __m512 sixteen = _mm512_add_ps(s0, s1);
  __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sixteen), _mm512_extractf32x8_ps(sixteen, 1));
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

// The steps of 64 components in four registers.
TARGET_AVX512 static inline void run_avx512(__m512i codes, __m256i residual, __m512 out[4]) {
  const __m256i low = _mm256_set1_epi8(15);
  __m256i nibbles[2] = {_mm256_and_si256(residual, low), _mm256_and_si256(_mm256_srli_epi16(residual, 4), low)};
  __m256i halves[2] = {_mm512_castsi512_si256(codes), _mm512_extracti64x4_epi64(codes, 1)};
  for (int k = 0; k < 2; k++) {
    __m512i steps = _mm512_slli_epi16(_mm512_cvtepi8_epi16(halves[k]), 4);
    steps = _mm512_add_epi16(steps, _mm512_sub_epi16(_mm512_cvtepu8_epi16(nibbles[k]), _mm512_set1_epi16(8)));
    out[2 * k] = _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm512_castsi512_si256(steps)));
    out[2 * k + 1] = _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(steps, 1)));
  }
}

TARGET_AVX512 static inline float dot_code12_avx512(
    const float *query, const int8_t *code, const uint8_t *residual, size_t n) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, steps[4];
  size_t i = 0;
  for (; i + RUN <= n; i += RUN) {
    run_avx512(_mm512_loadu_si512(code + i), _mm256_loadu_si256((const __m256i *)(residual + i / 2)), steps);
    s0 = _mm512_add_ps(s0, _mm512_mul_ps(_mm512_loadu_ps(query + i), steps[0]));
    s1 = _mm512_add_ps(s1, _mm512_mul_ps(_mm512_loadu_ps(query + i + 16), steps[1]));
    s0 = _mm512_add_ps(s0, _mm512_mul_ps(_mm512_loadu_ps(query + i + 32), steps[2]));
    s1 = _mm512_add_ps(s1, _mm512_mul_ps(_mm512_loadu_ps(query + i + 48), steps[3]));
  }
  if (i < n) {
    uint64_t mask = ~0ull >> (64 - (n - i));
    __m512i codes = _mm512_maskz_loadu_epi8(mask, code + i);
    run_avx512(codes, _mm256_loadu_si256((const __m256i *)(residual + i / 2)), steps);
    for (int k = 0; k < 4; k++) {
      __m512 q = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16 * k), query + i + 16 * k);
      __m512 product = _mm512_mul_ps(q, steps[k]);
      if (k % 2) {
        s1 = _mm512_add_ps(s1, product);
      } else {
        s0 = _mm512_add_ps(s0, product);
      }
    }
  }
  return sum_avx512(s0, s1);
}

static inline bool has_avx512(void) {
  return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

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

static inline int32_t dot_i8_neon(const int8_t *a, const int8_t *b, size_t n) {
  int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    int8x16_t x = vld1q_s8(a + i), y = vld1q_s8(b + i);
#if defined(__ARM_FEATURE_DOTPROD)
    s0 = vdotq_s32(s0, x, y);
#else
    s0 = vpadalq_s16(s0, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
    s1 = vpadalq_s16(s1, vmull_s8(vget_high_s8(x), vget_high_s8(y)));
#endif
  }
  return vaddvq_s32(vaddq_s32(s0, s1)) + tl_dot_i8_portable(a + i, b + i, n - i);
}

// A float kernel on rows brought to float32, a run at a time: `fill` writes run i of the row into `x`.
#define RUNS_NEON(add, fill)                                                                                          \
  float32x4_t s[8];                                                                                                   \
  for (size_t k = 0; k < 8; k++) s[k] = vdupq_n_f32(0);                                                               \
  for (size_t i = 0; i < n; i += RUN) {                                                                               \
    float q[RUN] = {0}, x[RUN] = {0};                                                                                 \
    size_t count = n - i < RUN ? n - i : RUN;                                                                         \
    memcpy(q, query + i, count * sizeof(float));                                                                      \
    fill;                                                                                                             \
    for (size_t k = 0; k < 16; k++) {                                                                                 \
      float32x4_t y = vld1q_f32(q + 4 * k), z = vld1q_f32(x + 4 * k);                                                 \
      s[k % 8] = vaddq_f32(s[k % 8], add);                                                                            \
    }                                                                                                                 \
  }                                                                                                                   \
  return sum_neon(s)

static inline float dot_code12_neon(const float *query, const int8_t *code, const uint8_t *residual, size_t n) {
  RUNS_NEON(vmulq_f32(y, z), steps_of_run(code, residual, i, n, x));
}

static inline float l2sq_code12_neon(
    const float *query, const int8_t *code, const uint8_t *residual, size_t n, float step) {
  RUNS_NEON(vmulq_f32(vsubq_f32(y, z), vsubq_f32(y, z)), {
    steps_of_run(code, residual, i, n, x);
    for (size_t j = 0; j < RUN; j++) x[j] *= step;
  });
}

static inline float dot_f16_neon(const float *query, const uint16_t *b, size_t n) {
  RUNS_NEON(vmulq_f32(y, z), tl_f32_from_f16_portable(b + i, count, x));
}

static inline float l2sq_f16_neon(const float *query, const uint16_t *b, size_t n) {
  RUNS_NEON(vmulq_f32(vsubq_f32(y, z), vsubq_f32(y, z)), tl_f32_from_f16_portable(b + i, count, x));
}

#endif

// The form in use

// Calls the best form there is: `avx512`, `avx2` and `neon` may be left empty.
#if TL_AVX2
#define DISPATCH(avx512, avx2, neon, portable)                                                                        \
  do {                                                                                                                \
    avx512;                                                                                                           \
    avx2;                                                                                                             \
    portable;                                                                                                         \
  } while (0)
#elif TL_NEON
#define DISPATCH(avx512, avx2, neon, portable) neon
#else
#define DISPATCH(avx512, avx2, neon, portable) portable
#endif

float tl_dot_f32(const float *a, const float *b, size_t n) {
  DISPATCH(, if (has_avx2()) return dot_avx2(a, b, n), return dot_neon(a, b, n), return tl_dot_f32_portable(a, b, n));
}

float tl_l2sq_f32(const float *a, const float *b, size_t n) {
  DISPATCH(, if (has_avx2()) return l2sq_avx2(a, b, n), return l2sq_neon(a, b, n),
           return tl_l2sq_f32_portable(a, b, n));
}

double tl_squares_f32(const float *a, size_t n, float *largest) {
  DISPATCH(, if (has_avx2()) return squares_avx2(a, n, largest), return tl_squares_f32_portable(a, n, largest),
           return tl_squares_f32_portable(a, n, largest));
}

float tl_encode12(const float *a, size_t n, float largest, int8_t *code, uint8_t *residual) {
  DISPATCH(, if (has_avx2()) return encode12_avx2(a, n, largest, code, residual),
           return tl_encode12_portable(a, n, largest, code, residual),
           return tl_encode12_portable(a, n, largest, code, residual));
}

void tl_inner_products(
    const float *a, const int8_t *code, const uint8_t *residual, size_t n, double *by_code, double *by_steps) {
#if TL_AVX2
  if (has_avx2()) {
    inner_products_avx2(a, code, residual, n, by_code, by_steps);
    return;
  }
#endif
  tl_inner_products_portable(a, code, residual, n, by_code, by_steps);
}

int32_t tl_dot_i8(const int8_t *a, const int8_t *b, size_t n) {
  DISPATCH(if (has_avx512()) return dot_i8_avx512(a, b, n), if (has_avx2()) return dot_i8_avx2(a, b, n),
           return dot_i8_neon(a, b, n), return tl_dot_i8_portable(a, b, n));
}

float tl_dot_code12(const float *query, const int8_t *code, const uint8_t *residual, size_t n) {
  DISPATCH(if (has_avx512()) return dot_code12_avx512(query, code, residual, n),
           if (has_avx2()) return dot_code12_avx2(query, code, residual, n),
           return dot_code12_neon(query, code, residual, n), return tl_dot_code12_portable(query, code, residual, n));
}

float tl_l2sq_code12(const float *query, const int8_t *code, const uint8_t *residual, size_t n, float step) {
  DISPATCH(, if (has_avx2()) return l2sq_code12_avx2(query, code, residual, n, step),
           return l2sq_code12_neon(query, code, residual, n, step),
           return tl_l2sq_code12_portable(query, code, residual, n, step));
}

void tl_f16_from_f32(const float *a, size_t n, uint16_t *out) {
#if TL_AVX2
  if (has_f16c()) {
    f16_from_f32_f16c(a, n, out);
    return;
  }
#endif
  tl_f16_from_f32_portable(a, n, out);
}

void tl_f32_from_f16(const uint16_t *a, size_t n, float *out) {
#if TL_AVX2
  if (has_f16c()) {
    f32_from_f16_f16c(a, n, out);
    return;
  }
#endif
  tl_f32_from_f16_portable(a, n, out);
}

float tl_dot_f16(const float *a, const uint16_t *b, size_t n) {
  DISPATCH(, if (has_f16c()) return dot_f16_f16c(a, b, n), return dot_f16_neon(a, b, n),
           return tl_dot_f16_portable(a, b, n));
}

float tl_l2sq_f16(const float *a, const uint16_t *b, size_t n) {
  DISPATCH(, if (has_f16c()) return l2sq_f16_f16c(a, b, n), return l2sq_f16_neon(a, b, n),
           return tl_l2sq_f16_portable(a, b, n));
}

const char *tl_distance_form(void) {
  DISPATCH(if (has_avx512()) return "avx512", if (has_avx2()) return "avx2", return "neon", return "portable");
}

// Many rows

// How many rows ahead are fetched: a row is read in a fraction of the time memory takes to answer.
#define ROWS_AHEAD 6

#define CACHE_LINE 64

#define GATHER_PARAMETERS                                                                                             \
  const int8_t *query, const uint8_t *const *chunks, unsigned chunk_shift, size_t stride, const uint32_t *rows,       \
      size_t count, size_t n, int32_t *out

static inline const int8_t *row_at(
    const uint8_t *const *chunks, unsigned chunk_shift, size_t stride, uint32_t row) {
  return (const int8_t *)(chunks[row >> chunk_shift] + (size_t)(row & ((1u << chunk_shift) - 1)) * stride);
}

static inline void fetch(const int8_t *row, size_t n) {
  for (size_t j = 0; j < n; j += CACHE_LINE) __builtin_prefetch(row + j);
}

// The body of a gather in one form, inlined into a function that carries that form's target.
#define GATHER(dot)                                                                                                   \
  do {                                                                                                                \
    for (size_t i = 0; i < count && i < ROWS_AHEAD; i++) fetch(row_at(chunks, chunk_shift, stride, rows[i]), n);       \
    for (size_t i = 0; i < count; i++) {                                                                              \
      if (i + ROWS_AHEAD < count) fetch(row_at(chunks, chunk_shift, stride, rows[i + ROWS_AHEAD]), n);                 \
      const int8_t *row = row_at(chunks, chunk_shift, stride, rows[i]);                                               \
      out[i] = dot;                                                                                                   \
    }                                                                                                                 \
  } while (0)

#if TL_AVX2
TARGET_AVX2 static void dot_i8_gather_avx2(GATHER_PARAMETERS) { GATHER(dot_i8_avx2(query, row, n)); }

TARGET_AVX512 static void dot_i8_gather_avx512(GATHER_PARAMETERS) {
  const uint32_t shift = 128u * (uint32_t)sum_i8_avx512(query, n);
  GATHER((int32_t)((uint32_t)dot_shifted_avx512(row, query, n) - shift));
}
#endif

void tl_dot_i8_gather(GATHER_PARAMETERS) {
#if TL_AVX2
  if (has_avx512()) {
    dot_i8_gather_avx512(query, chunks, chunk_shift, stride, rows, count, n, out);
    return;
  }
  if (has_avx2()) {
    dot_i8_gather_avx2(query, chunks, chunk_shift, stride, rows, count, n, out);
    return;
  }
  GATHER(tl_dot_i8_portable(query, row, n));
#elif TL_NEON
  GATHER(dot_i8_neon(query, row, n));
#else
  GATHER(tl_dot_i8_portable(query, row, n));
#endif
}

// Memory

void *tl_pages_allocate(size_t byte_count) {
  void *pages = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

void tl_pages_free(void *pages, size_t byte_count) { munmap(pages, byte_count); }

// The check of all forms

static inline uint64_t next_random(uint64_t *state) {
  // SplitMix64 (Steele, Lea and Flood 2014).
  uint64_t z = *state += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

static inline bool same(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

const char *tl_distance_check(size_t n, uint64_t seed) {
  enum { MOST = 1024 };
  float a[MOST], b[MOST];
  int8_t x[MOST], y[MOST];
  uint8_t residual[TL_RESIDUAL_BYTES(MOST)];
  uint16_t halves[MOST];
  if (n > MOST) n = MOST;
  for (size_t i = 0; i < n; i++) {
    uint64_t random = next_random(&seed);
    a[i] = (float)(int32_t)random * 0x1p-31f;
    b[i] = (float)(int32_t)(random >> 32) * 0x1p-30f;
    x[i] = (int8_t)random;
    // Codes never are -128, but a kernel is held to its contract, not to its use.
    y[i] = seed % 5 == 0 ? -128 : (int8_t)(random >> 8);
    halves[i] = half_from(b[i]);
  }
  for (size_t i = 0; i < TL_RESIDUAL_BYTES(n); i++) residual[i] = (uint8_t)next_random(&seed);
#define CHECK(form, portable, name)                                                                                   \
  if (!same((float)(form), (float)(portable))) return name
  float dot = tl_dot_f32_portable(a, b, n), l2sq = tl_l2sq_f32_portable(a, b, n);
  int32_t integer = tl_dot_i8_portable(x, y, n);
  float dot12 = tl_dot_code12_portable(a, x, residual, n), l2sq12 = tl_l2sq_code12_portable(a, x, residual, n, 0.01f);
  float dot16 = tl_dot_f16_portable(a, halves, n), l2sq16 = tl_l2sq_f16_portable(a, halves, n);
  (void)dot, (void)l2sq, (void)integer, (void)dot12, (void)l2sq12, (void)dot16, (void)l2sq16;
#if TL_AVX2
  if (has_avx2()) {
    CHECK(dot_avx2(a, b, n), dot, "dot_avx2");
    CHECK(l2sq_avx2(a, b, n), l2sq, "l2sq_avx2");
    if (dot_i8_avx2(x, y, n) != integer) return "dot_i8_avx2";
    CHECK(dot_code12_avx2(a, x, residual, n), dot12, "dot_code12_avx2");
    CHECK(l2sq_code12_avx2(a, x, residual, n, 0.01f), l2sq12, "l2sq_code12_avx2");
  }
  if (has_f16c()) {
    CHECK(dot_f16_f16c(a, halves, n), dot16, "dot_f16_f16c");
    CHECK(l2sq_f16_f16c(a, halves, n), l2sq16, "l2sq_f16_f16c");
  }
  if (has_avx512()) {
    if (dot_i8_avx512(x, y, n) != integer) return "dot_i8_avx512";
    CHECK(dot_code12_avx512(a, x, residual, n), dot12, "dot_code12_avx512");
  }
#elif TL_NEON
  CHECK(dot_neon(a, b, n), dot, "dot_neon");
  CHECK(l2sq_neon(a, b, n), l2sq, "l2sq_neon");
  if (dot_i8_neon(x, y, n) != integer) return "dot_i8_neon";
  CHECK(dot_code12_neon(a, x, residual, n), dot12, "dot_code12_neon");
  CHECK(l2sq_code12_neon(a, x, residual, n, 0.01f), l2sq12, "l2sq_code12_neon");
  CHECK(dot_f16_neon(a, halves, n), dot16, "dot_f16_neon");
  CHECK(l2sq_f16_neon(a, halves, n), l2sq16, "l2sq_f16_neon");
#endif
  return NULL;
}
