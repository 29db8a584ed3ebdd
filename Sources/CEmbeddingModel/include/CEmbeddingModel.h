// The static256 model, carried inside the binary: one vector for each word piece of BERT's uncased vocabulary.
//
// What the files are and where they come from: static256/README.md.

#ifndef TIMBERLINE_C_EMBEDDING_MODEL_H
#define TIMBERLINE_C_EMBEDDING_MODEL_H

#include <stddef.h>
#include <stdint.h>

enum {
  /// Components of a vector.
  TL_STATIC256_DIMENSION = 256,
  /// Word pieces, and so rows of the table.
  TL_STATIC256_PIECE_COUNT = 30522,
};

/// The rows, TL_STATIC256_PIECE_COUNT × TL_STATIC256_DIMENSION, row by row. Special and unused pieces are zero rows.
/// Constant memory that lives as long as the program, as are the other two; aligned to 64 bytes.
const int8_t *tl_static256_table(void);

/// One factor a row: a piece's vector is its row times its factor. In the byte order of the machine.
const float *tl_static256_scales(void);

/// The pieces in order of id, each ended by a line feed; `##` starts a piece that continues a word.
const uint8_t *tl_static256_vocabulary(size_t *byte_count);

#endif
