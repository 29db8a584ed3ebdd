// What a transformer's layers are made of: int8 matrices, normalization, attention.
//
// Every form of a kernel gives the same bits, as in CKernelsDistance.h, so a text has one embedding on every machine.
// Integer products are exact; float kernels keep 16 running sums or one a component, round each product before it is
// added (no fused multiply-add), and take no value from the C library.
// Forms, found at run time: AVX-512 with VNNI and AVX2 on x86-64, NEON on arm64, else the portable one.
//
// No kernel asks for alignment or allocates; float rows lie one after another. Whatever the numbers are, infinite or no
// numbers among them, every kernel returns.

#ifndef TIMBERLINE_C_KERNELS_TRANSFORMER_H
#define TIMBERLINE_C_KERNELS_TRANSFORMER_H

#include <stddef.h>
#include <stdint.h>

// --- Rows of int8, a scale for each run of components
//
// One scale for all 384 or 1536 components would let a single large one take the others' bits: with runs of 128 the
// cosine of an embedding and its float32 original is 0.9989 on average, without them 0.9973.

/// Components that share a scale; the last run of a row may have fewer.
#define TL_RUN_COMPONENTS 128

/// Runs of a row of `n` components.
#define TL_RUN_COUNT(n) (((n) + TL_RUN_COMPONENTS - 1) / TL_RUN_COMPONENTS)

/// Quantized rows: a component is its code times its run's scale. Codes are in -127...127.
typedef struct {
  /// Row by row.
  int8_t *codes;
  /// TL_RUN_COUNT a row.
  float *scales;
  /// TL_RUN_COUNT a row: the sum of the run's codes.
  int32_t *sums;
} tl_rows_i8;

/// Quantizes `row_count` rows of `n` components, a multiple of 16. A run that holds an infinity or what is no number
/// becomes zeros.
void tl_quantize_rows_i8(const float *rows, size_t row_count, size_t n, tl_rows_i8 out);

/// A matrix of weights, `output_count` × `input_count`, both multiples of 32.
typedef struct {
  /// The weights plus 128, in blocks of 32 outputs, in a block by four inputs, then by output, then by input: weight
  /// (o, i) is byte `(o / 32 * (input_count / 4) + i / 4) * 128 + o % 32 * 4 + i % 4`. One vector of any width then
  /// holds four inputs of as many outputs as fit it, and no sum crosses lanes.
  const uint8_t *codes;
  /// One an output: a weight is its code times its output's scale.
  const float *scales;
  /// One an output.
  const float *biases;
  size_t input_count;
  size_t output_count;
} tl_matrix_i8;

/// `row_count` rows of `matrix.output_count` components: for output o of each row, the exact sums over runs, each times
/// the run's scale, added in order; that times the output's scale, plus its bias. `out` overlaps nothing.
/// `input_count` is at most 65,536.
void tl_matmul_i8(tl_rows_i8 rows, size_t row_count, tl_matrix_i8 matrix, float *out);

// --- float32

/// `out[i] = codes[i] * scale + added[i]`.
void tl_scale_i8(const int8_t *codes, float scale, const float *added, size_t n, float *out);

/// Adds `added`, unless it is null, to the rows, brings each to mean 0 and variance 1, and applies `gain` and `offset`
/// (Ba, Kiros and Hinton 2016). `n` is a multiple of 16.
void tl_layer_norm_f32(
    float *rows, const float *added, size_t row_count, size_t n, const float *gain, const float *offset, float epsilon);

/// x Φ(x) of each component, to 2e-7 of its size or of 1 (Hendrycks and Gimpel 2016, with erf as in Abramowitz and
/// Stegun 7.1.26). `n` is a multiple of 16.
void tl_gelu_f32(float *values, size_t n);

/// Floats that `tl_attention_f32` works in.
#define TL_ATTENTION_FLOATS(row_count, head_width) (((row_count) + 15) / 16 * 16 * ((head_width) + 1))

/// softmax(Q Kᵀ / √head_width) V for each head (Vaswani et al. 2017). A row of `projected` is the query, key and value
/// of one token, `head_count * head_width` components each; `out` gets as many a row. `head_width` is a multiple of 8.
void tl_attention_f32(
    const float *projected, size_t row_count, size_t head_count, size_t head_width, float *scratch, float *out);

// --- What the others are held to

void tl_quantize_rows_i8_portable(const float *rows, size_t row_count, size_t n, tl_rows_i8 out);
void tl_matmul_i8_portable(tl_rows_i8 rows, size_t row_count, tl_matrix_i8 matrix, float *out);
void tl_layer_norm_f32_portable(
    float *rows, const float *added, size_t row_count, size_t n, const float *gain, const float *offset, float epsilon);
void tl_gelu_f32_portable(float *values, size_t n);
void tl_attention_f32_portable(
    const float *projected, size_t row_count, size_t head_count, size_t head_width, float *scratch, float *out);

/// Runs `tl_matmul_i8` in every form that this processor can run, not only the one in use. `out` and `expected` have
/// room for the result. Returns null, or the name of the first form that differs from the portable one.
const char *tl_matmul_i8_check(tl_rows_i8 rows, size_t row_count, tl_matrix_i8 matrix, float *out, float *expected);

/// As `tl_matmul_i8` in the form called `form` ("avx512", "avx2", "neon", "portable"): for benchmarks. False if this
/// processor has no such form.
int tl_matmul_i8_as(const char *form, tl_rows_i8 rows, size_t row_count, tl_matrix_i8 matrix, float *out);

#endif
