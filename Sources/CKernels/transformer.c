// The float kernels of a transformer. Each is written once, over vectors of 16 lanes that the compiler maps on the
// registers of the processor it compiles for: the forms cannot differ.

#include "CKernelsTransformer.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#define TL_X86 1
#define TARGET_AVX2 __attribute__((target("avx2")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#endif

// A fused multiply-add rounds once where the contract says twice.
#pragma STDC FP_CONTRACT OFF

// Vectors are handed to functions that are always inlined, never by a calling convention.
#pragma clang diagnostic ignored "-Wpsabi"

// Inlined into functions for one processor each, whose vectors the compiler then uses.
#define BODY static inline __attribute__((always_inline))

typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef int8_t i8x16 __attribute__((vector_size(16)));

BODY f32x16 load(const float *from) {
  f32x16 value;
  memcpy(&value, from, sizeof value);
  return value;
}

BODY void store(float *to, f32x16 value) { memcpy(to, &value, sizeof value); }

BODY f32x16 all(float value) {
  return (f32x16){value, value, value, value, value, value, value, value,
                  value, value, value, value, value, value, value, value};
}

BODY float sum(f32x16 lanes) {
  float sums[16];
  memcpy(sums, &lanes, sizeof sums);
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t i = 0; i < half; i++) sums[i] += sums[i + half];
  }
  return sums[0];
}

// 1.5 · 2^23: what is added to it is rounded to a whole number, halves to even, in the last bits.
#define ROUNDING 12582912.0f
#define ROUNDING_BITS 0x4B400000u

// e^x of x <= 0, to 1 in 10^7; the least is e^-87, also for what is no number. x = n ln 2 + r with |r| <= ln 2 / 2, and
// a polynomial in r (Cephes, expf).
BODY f32x16 exponential(f32x16 x) {
  x = __builtin_elementwise_max(x, all(-87));
  x = __builtin_elementwise_min(x, all(0));
  f32x16 shifted = x * all(1.44269504f) + all(ROUNDING);
  f32x16 n = shifted - all(ROUNDING);
  // ln 2 in two parts, the first of so few bits that n times it is exact.
  f32x16 r = x - n * all(0.693359375f);
  r = r - n * all(-2.12194440e-4f);
  f32x16 p = all(1.9875691500e-4f);
  p = p * r + all(1.3981999507e-3f);
  p = p * r + all(8.3334519073e-3f);
  p = p * r + all(4.1665795894e-2f);
  p = p * r + all(1.6666665459e-1f);
  p = p * r + all(5.0000001201e-1f);
  p = p * r * r + r + all(1);
  u32x16 bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits - ROUNDING_BITS + 127) << 23;
  f32x16 power;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

// Quantizing

BODY void quantize_body(const float *rows, size_t row_count, size_t n, tl_rows_i8 out) {
  for (size_t row = 0; row < row_count; row++) {
    for (size_t start = 0; start < n; start += TL_RUN_COMPONENTS) {
      const float *run = rows + row * n + start;
      int8_t *codes = out.codes + row * n + start;
      size_t count = n - start < TL_RUN_COMPONENTS ? n - start : TL_RUN_COMPONENTS;

      // Magnitudes order like their bits, infinity and what is no number above all.
      u32x16 largest = {0};
      for (size_t i = 0; i + 16 <= count; i += 16) {
        u32x16 bits;
        memcpy(&bits, run + i, sizeof bits);
        largest = __builtin_elementwise_max(largest, bits & 0x7FFFFFFF);
      }
      uint32_t bits = __builtin_reduce_max(largest);
      float magnitude;
      memcpy(&magnitude, &bits, sizeof magnitude);
      // Below the smallest normal number there are no 127 steps.
      bool has_steps = bits < 0x7F800000 && magnitude > 1e-34f;
      float inverse = has_steps ? 127.0f / magnitude : 0;

      i32x16 total = {0};
      for (size_t i = 0; i + 16 <= count; i += 16) {
        u32x16 rounded = {0};
        if (has_steps) {
          f32x16 shifted = load(run + i) * all(inverse) + all(ROUNDING);
          memcpy(&rounded, &shifted, sizeof rounded);
          rounded -= ROUNDING_BITS;
        }
        i32x16 steps;
        memcpy(&steps, &rounded, sizeof steps);
        total += steps;
        i8x16 narrow = __builtin_convertvector(steps, i8x16);
        memcpy(codes + i, &narrow, sizeof narrow);
      }
      size_t at = row * TL_RUN_COUNT(n) + start / TL_RUN_COMPONENTS;
      out.scales[at] = has_steps ? magnitude / 127.0f : 0;
      out.sums[at] = __builtin_reduce_add(total);
    }
  }
}

void tl_scale_i8(const int8_t *codes, float scale, const float *added, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = (float)codes[i] * scale + added[i];
}

// Normalizing

BODY void layer_norm_body(
    float *rows, const float *added, size_t row_count, size_t n, const float *gain, const float *offset,
    float epsilon) {
  for (size_t at = 0; at < row_count; at++) {
    float *row = rows + at * n;
    f32x16 lanes = {0};
    for (size_t i = 0; i + 16 <= n; i += 16) {
      f32x16 values = load(row + i);
      if (added) values += load(added + at * n + i);
      store(row + i, values);
      lanes += values;
    }
    f32x16 mean = all(sum(lanes) / (float)n);
    lanes = all(0);
    for (size_t i = 0; i + 16 <= n; i += 16) {
      f32x16 deviation = load(row + i) - mean;
      lanes += deviation * deviation;
    }
    f32x16 inverse = all(1.0f / __builtin_elementwise_sqrt(sum(lanes) / (float)n + epsilon));
    for (size_t i = 0; i + 16 <= n; i += 16) {
      store(row + i, (load(row + i) - mean) * inverse * load(gain + i) + load(offset + i));
    }
  }
}

BODY void gelu_body(float *values, size_t n) {
  for (size_t i = 0; i + 16 <= n; i += 16) {
    f32x16 x = load(values + i);
    f32x16 magnitude = __builtin_elementwise_abs(x);
    f32x16 z = magnitude * all(0.70710678f);
    f32x16 t = all(1) / (all(1) + all(0.3275911f) * z);
    f32x16 p = all(1.061405429f);
    p = p * t + all(-1.453152027f);
    p = p * t + all(1.421413741f);
    p = p * t + all(-0.284496736f);
    p = p * t + all(0.254829592f);
    f32x16 erf = all(1) - p * t * exponential(-(z * z));
    // x (1 + sign(x) erf(|x| / √2)) / 2.
    store(values + i, all(0.5f) * (x + magnitude * erf));
  }
}

// Attention

// Components beyond `count` are zeros.
BODY f32x16 load_first(const float *from, size_t count) {
  f32x16 value = {0};
  memcpy(&value, from, count * sizeof(float));
  return value;
}

BODY void softmax(float *scores, size_t count, size_t padded) {
  float largest = scores[0];
  for (size_t j = 1; j < count; j++) largest = scores[j] > largest ? scores[j] : largest;
  f32x16 lanes = {0};
  for (size_t j = 0; j < padded; j += 16) {
    f32x16 powers = exponential(load(scores + j) - all(largest));
    if (j + 16 > count) {
      store(scores + j, powers);
      powers = load_first(scores + j, count - j);
    }
    store(scores + j, powers);
    lanes += powers;
  }
  f32x16 inverse = all(1.0f / sum(lanes));
  for (size_t j = 0; j < padded; j += 16) store(scores + j, load(scores + j) * inverse);
}

BODY void attention_body(
    const float *projected, size_t row_count, size_t head_count, size_t head_width, float *scratch, float *out) {
  size_t width = head_count * head_width, padded = (row_count + 15) / 16 * 16;
  float *keys = scratch, *scores = scratch + padded * head_width;
  float scale = 1.0f / __builtin_elementwise_sqrt((float)head_width);
  for (size_t head = 0; head < head_count; head++) {
    const float *queries = projected + head * head_width, *values = queries + 2 * width;
    // Keys by component, so that 16 scores grow side by side and no sum crosses lanes.
    memset(keys, 0, padded * head_width * sizeof(float));
    for (size_t j = 0; j < row_count; j++) {
      for (size_t c = 0; c < head_width; c++) keys[c * padded + j] = queries[j * 3 * width + width + c];
    }
    for (size_t i = 0; i < row_count; i++) {
      const float *query = queries + i * 3 * width;
      for (size_t j = 0; j < padded; j += 16) {
        f32x16 lanes = {0};
        for (size_t c = 0; c < head_width; c++) lanes += all(query[c]) * load(keys + c * padded + j);
        store(scores + j, lanes * all(scale));
      }
      softmax(scores, row_count, padded);

      float *row = out + i * width + head * head_width;
      size_t c = 0;
      for (; c + 32 <= head_width; c += 32) {
        f32x16 low = {0}, high = {0};
        for (size_t j = 0; j < row_count; j++) {
          const float *value = values + j * 3 * width + c;
          low += all(scores[j]) * load(value);
          high += all(scores[j]) * load(value + 16);
        }
        store(row + c, low);
        store(row + c + 16, high);
      }
      for (; c < head_width; c += 8) {
        f32x8 lanes = {0};
        for (size_t j = 0; j < row_count; j++) {
          f32x8 value;
          memcpy(&value, values + j * 3 * width + c, sizeof value);
          lanes += scores[j] * value;
        }
        memcpy(row + c, &lanes, sizeof lanes);
      }
    }
  }
}

// The forms

// Defines kernel `name` and its portable form from `body`.
#if TL_X86
static inline bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
static inline bool has_avx512(void) {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

#define FORMS(name, body, parameters, arguments)                                                                      \
  void name##_portable parameters { body arguments; }                                                                 \
  TARGET_AVX2 static void name##_avx2 parameters { body arguments; }                                                  \
  TARGET_AVX512 static void name##_avx512 parameters { body arguments; }                                              \
  void name parameters {                                                                                              \
    if (has_avx512()) {                                                                                               \
      name##_avx512 arguments;                                                                                        \
    } else if (has_avx2()) {                                                                                          \
      name##_avx2 arguments;                                                                                          \
    } else {                                                                                                          \
      name##_portable arguments;                                                                                      \
    }                                                                                                                 \
  }
#else
// NEON is part of arm64, and every other processor has the portable form.
#define FORMS(name, body, parameters, arguments)                                                                      \
  void name##_portable parameters { body arguments; }                                                                 \
  void name parameters { body arguments; }
#endif

FORMS(
    tl_quantize_rows_i8, quantize_body, (const float *rows, size_t row_count, size_t n, tl_rows_i8 out),
    (rows, row_count, n, out))

FORMS(
    tl_layer_norm_f32, layer_norm_body,
    (float *rows, const float *added, size_t row_count, size_t n, const float *gain, const float *offset,
     float epsilon),
    (rows, added, row_count, n, gain, offset, epsilon))

FORMS(tl_gelu_f32, gelu_body, (float *values, size_t n), (values, n))

FORMS(
    tl_attention_f32, attention_body,
    (const float *projected, size_t row_count, size_t head_count, size_t head_width, float *scratch, float *out),
    (projected, row_count, head_count, head_width, scratch, out))
