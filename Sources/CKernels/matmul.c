// int8 rows times an int8 matrix: nine tenths of the time that a transformer takes.

#include "CKernelsTransformer.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#define TL_AVX2 1
#include <immintrin.h>
#elif defined(__aarch64__)
#define TL_NEON 1
#include <arm_neon.h>
#endif

// A fused multiply-add rounds once where the contract says twice.
#pragma STDC FP_CONTRACT OFF

#define BODY static inline __attribute__((always_inline))

// Outputs that lie side by side, and bytes of theirs for four inputs.
#define BLOCK 32
#define STEP_BYTES 128

// What a form is given: up to as many rows as its registers hold, one block of the matrix, and one run of inputs.
typedef struct {
  const int8_t *codes;
  const float *scales;
  const int32_t *sums;
  // Distances from one row to the next.
  size_t code_stride, scale_stride, out_stride;
  const uint8_t *weights;
  // Of the run; a multiple of 16.
  size_t input_count;
  float *out;
  bool is_first;
} tile;

BODY int32_t four(const int8_t *codes) {
  int32_t value;
  memcpy(&value, codes, sizeof value);
  return value;
}

// Walks blocks, rows and runs; `form` adds one run of one block to at most `rows_max` rows. A block's 12 or 48 KB of
// weights are read once from memory, and for every further group of rows from the cache.
#define WALK(form, rows_max)                                                                                          \
  do {                                                                                                                \
    size_t n = matrix.input_count, runs = TL_RUN_COUNT(n);                                                            \
    for (size_t block = 0; block < matrix.output_count; block += BLOCK) {                                             \
      for (size_t row = 0; row < row_count; row += rows_max) {                                                        \
        size_t count = row_count - row < rows_max ? row_count - row : rows_max;                                       \
        tile t = {                                                                                                    \
            .code_stride = n, .scale_stride = runs, .out_stride = matrix.output_count,                                \
            .out = out + row * matrix.output_count + block};                                                          \
        for (size_t run = 0; run < runs; run++) {                                                                     \
          size_t start = run * TL_RUN_COMPONENTS;                                                                     \
          t.codes = rows.codes + row * n + start;                                                                     \
          t.scales = rows.scales + row * runs + run;                                                                  \
          t.sums = rows.sums + row * runs + run;                                                                      \
          t.weights = matrix.codes + block * n + start * BLOCK;                                                       \
          t.input_count = n - start < TL_RUN_COMPONENTS ? n - start : TL_RUN_COMPONENTS;                              \
          t.is_first = run == 0;                                                                                      \
          form;                                                                                                       \
        }                                                                                                             \
        for (size_t i = 0; i < count; i++) {                                                                          \
          float *to = t.out + i * t.out_stride;                                                                       \
          for (size_t o = 0; o < BLOCK; o++) to[o] = to[o] * matrix.scales[block + o] + matrix.biases[block + o];      \
        }                                                                                                             \
      }                                                                                                               \
    }                                                                                                                 \
  } while (0)

#define PARAMETERS tl_rows_i8 rows, size_t row_count, tl_matrix_i8 matrix, float *out

// Portable

BODY void run_portable(tile t) {
  int32_t sums[BLOCK] = {0};
  for (size_t i = 0; i < t.input_count; i += 4) {
    const uint8_t *weights = t.weights + i * BLOCK;
    for (size_t o = 0; o < BLOCK; o++) {
      for (size_t j = 0; j < 4; j++) sums[o] += ((int32_t)weights[4 * o + j] - 128) * (int32_t)t.codes[i + j];
    }
  }
  for (size_t o = 0; o < BLOCK; o++) {
    float product = (float)sums[o] * t.scales[0];
    t.out[o] = t.is_first ? product : t.out[o] + product;
  }
}

void tl_matmul_i8_portable(PARAMETERS) { WALK((void)count; run_portable(t), 1); }

#if TL_AVX2

// AVX2

#define TARGET_AVX2 __attribute__((target("avx2")))

TARGET_AVX2 BODY void add_avx2(float *out, __m256i sums, float scale, bool is_first) {
  __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_set1_ps(scale));
  _mm256_storeu_ps(out, is_first ? product : _mm256_add_ps(_mm256_loadu_ps(out), product));
}

// Sixteen outputs of `count` rows: 16-bit products of pairs, exact in 32 bits, two sums an output until the end. Weights
// are read plus 128, and 128 times the sum of the codes is taken off again.
TARGET_AVX2 BODY void half_avx2(tile t, size_t count, size_t half) {
  __m256i sums[3][4];
  for (size_t r = 0; r < count; r++) {
    for (size_t k = 0; k < 4; k++) sums[r][k] = _mm256_setzero_si256();
  }
  for (size_t i = 0; i < t.input_count; i += 4) {
    const uint8_t *weights = t.weights + i * BLOCK + half * (STEP_BYTES / 2);
    __m256i codes[3];
    for (size_t r = 0; r < count; r++) {
      codes[r] = _mm256_cvtepi8_epi16(_mm_set1_epi32(four(t.codes + r * t.code_stride + i)));
    }
    for (size_t k = 0; k < 4; k++) {
      __m256i w = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(weights + 16 * k)));
      for (size_t r = 0; r < count; r++) {
        sums[r][k] = _mm256_add_epi32(sums[r][k], _mm256_madd_epi16(w, codes[r]));
      }
    }
  }
  for (size_t r = 0; r < count; r++) {
    const __m256i shift = _mm256_set1_epi32(-128 * t.sums[r * t.scale_stride]);
    for (size_t k = 0; k < 4; k += 2) {
      // Of outputs 0, 1, 4, 5, 2, 3, 6, 7, put in order.
      __m256i pairs = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sums[r][k], sums[r][k + 1]), 0xD8);
      float *to = t.out + r * t.out_stride + half * 16 + 4 * k;
      add_avx2(to, _mm256_add_epi32(pairs, shift), t.scales[r * t.scale_stride], t.is_first);
    }
  }
}

TARGET_AVX2 static void run_avx2(tile t, size_t count) {
  for (size_t half = 0; half < 2; half++) {
    switch (count) {
      case 1: half_avx2(t, 1, half); break;
      case 2: half_avx2(t, 2, half); break;
      default: half_avx2(t, 3, half);
    }
  }
}

TARGET_AVX2 static void matmul_avx2(PARAMETERS) { WALK(run_avx2(t, count), 3); }

static inline bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }

// AVX-512

#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

// The instruction multiplies bytes without a sign, the weights plus 128, by bytes with one: 128 times the sum of the
// codes is taken off again.
TARGET_AVX512 BODY void rows_avx512(tile t, size_t count) {
  __m512i low[8], high[8];
  for (size_t r = 0; r < count; r++) {
    low[r] = high[r] = _mm512_set1_epi32(-128 * t.sums[r * t.scale_stride]);
  }
  for (size_t i = 0; i < t.input_count; i += 4) {
    const uint8_t *weights = t.weights + i * BLOCK;
    __m512i w0 = _mm512_loadu_si512(weights), w1 = _mm512_loadu_si512(weights + 64);
    for (size_t r = 0; r < count; r++) {
      __m512i codes = _mm512_set1_epi32(four(t.codes + r * t.code_stride + i));
      low[r] = _mm512_dpbusd_epi32(low[r], w0, codes);
      high[r] = _mm512_dpbusd_epi32(high[r], w1, codes);
    }
  }
  for (size_t r = 0; r < count; r++) {
    __m512 scale = _mm512_set1_ps(t.scales[r * t.scale_stride]);
    __m512 p0 = _mm512_mul_ps(_mm512_cvtepi32_ps(low[r]), scale);
    __m512 p1 = _mm512_mul_ps(_mm512_cvtepi32_ps(high[r]), scale);
    float *to = t.out + r * t.out_stride;
    _mm512_storeu_ps(to, t.is_first ? p0 : _mm512_add_ps(_mm512_loadu_ps(to), p0));
    _mm512_storeu_ps(to + 16, t.is_first ? p1 : _mm512_add_ps(_mm512_loadu_ps(to + 16), p1));
  }
}

// One body for each count, so that sums stay in registers.
TARGET_AVX512 static void run_avx512(tile t, size_t count) {
  switch (count) {
    case 1: rows_avx512(t, 1); break;
    case 2: rows_avx512(t, 2); break;
    case 3: rows_avx512(t, 3); break;
    case 4: rows_avx512(t, 4); break;
    case 5: rows_avx512(t, 5); break;
    case 6: rows_avx512(t, 6); break;
    case 7: rows_avx512(t, 7); break;
    default: rows_avx512(t, 8);
  }
}

TARGET_AVX512 static void matmul_avx512(PARAMETERS) { WALK(run_avx512(t, count), 8); }

static inline bool has_avx512(void) {
  return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

#endif

// NEON

#if TL_NEON

BODY void add_neon(float *out, int32x4_t sums, float scale, bool is_first) {
  float32x4_t product = vmulq_n_f32(vcvtq_f32_s32(sums), scale);
  vst1q_f32(out, is_first ? product : vaddq_f32(vld1q_f32(out), product));
}

BODY void rows_neon(tile t, size_t count) {
  const uint8x16_t shift = vdupq_n_u8(128);
  // Sixteen outputs at a time: with two rows and two sums an output that is half the registers.
  for (size_t half = 0; half < 2; half++) {
    int32x4_t sums[2][4], more[2][4];
    for (size_t r = 0; r < count; r++) {
      for (size_t k = 0; k < 4; k++) sums[r][k] = more[r][k] = vdupq_n_s32(0);
    }
    for (size_t i = 0; i < t.input_count; i += 4) {
      const uint8_t *weights = t.weights + i * BLOCK + half * (STEP_BYTES / 2);
      for (size_t k = 0; k < 4; k++) {
        int8x16_t w = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(weights + 16 * k), shift));
        for (size_t r = 0; r < count; r++) {
          int8x16_t codes = vreinterpretq_s8_s32(vdupq_n_s32(four(t.codes + r * t.code_stride + i)));
#if defined(__ARM_FEATURE_DOTPROD)
          sums[r][k] = vdotq_s32(sums[r][k], w, codes);
#else
          // Two sums an output, of outputs 0 and 1 and of 2 and 3.
          sums[r][k] = vpadalq_s16(sums[r][k], vmull_s8(vget_low_s8(w), vget_low_s8(codes)));
          more[r][k] = vpadalq_s16(more[r][k], vmull_high_s8(w, codes));
#endif
        }
      }
    }
    for (size_t r = 0; r < count; r++) {
      for (size_t k = 0; k < 4; k++) {
#if !defined(__ARM_FEATURE_DOTPROD)
        sums[r][k] = vpaddq_s32(sums[r][k], more[r][k]);
#endif
        float *to = t.out + r * t.out_stride + half * 16 + 4 * k;
        add_neon(to, sums[r][k], t.scales[r * t.scale_stride], t.is_first);
      }
    }
  }
}

static void run_neon(tile t, size_t count) {
  if (count == 2) {
    rows_neon(t, 2);
  } else {
    rows_neon(t, 1);
  }
}

static void matmul_neon(PARAMETERS) { WALK(run_neon(t, count), 2); }

#endif

// The form in use

int tl_matmul_i8_as(const char *form, PARAMETERS) {
  if (strcmp(form, "portable") == 0) {
    tl_matmul_i8_portable(rows, row_count, matrix, out);
    return 1;
  }
#if TL_AVX2
  if (strcmp(form, "avx2") == 0 && has_avx2()) {
    matmul_avx2(rows, row_count, matrix, out);
    return 1;
  }
  if (strcmp(form, "avx512") == 0 && has_avx512()) {
    matmul_avx512(rows, row_count, matrix, out);
    return 1;
  }
#elif TL_NEON
  if (strcmp(form, "neon") == 0) {
    matmul_neon(rows, row_count, matrix, out);
    return 1;
  }
#endif
  return 0;
}

void tl_matmul_i8(PARAMETERS) {
#if TL_AVX2
  if (has_avx512()) {
    matmul_avx512(rows, row_count, matrix, out);
  } else if (has_avx2()) {
    matmul_avx2(rows, row_count, matrix, out);
  } else {
    tl_matmul_i8_portable(rows, row_count, matrix, out);
  }
#elif TL_NEON
  matmul_neon(rows, row_count, matrix, out);
#else
  tl_matmul_i8_portable(rows, row_count, matrix, out);
#endif
}

const char *tl_matmul_i8_check(PARAMETERS, float *expected) {
  static const char *const forms[] = {"avx512", "avx2", "neon"};
  tl_matmul_i8_portable(rows, row_count, matrix, expected);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (!tl_matmul_i8_as(forms[i], rows, row_count, matrix, out)) continue;
    if (memcmp(out, expected, row_count * matrix.output_count * sizeof(float)) != 0) return forms[i];
  }
  return NULL;
}
