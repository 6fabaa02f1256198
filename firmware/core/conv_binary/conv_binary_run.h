/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the binary convolution: its sizes and its place in the working memory.
 *
 * Work holds, in this order: the tables of one pass; weights; the indices of one padding block run;
 * the sums of one *band* of output rows; the indices of the input rows that the band reads, with
 * the padding columns. Where all output rows fit, they are one band: indices are made once for all
 * tiles, and weights are drawn pass by pass. Else a tile's weights are drawn whole and kept while
 * it goes over all bands, as equal as can be, and tables and indices are made again for each. */
#ifndef RBNN_CORE_CONV_BINARY_RUN_H
#define RBNN_CORE_CONV_BINARY_RUN_H

#include <stdbool.h>

#include "core/kernels.h"

#define RBNN_CONV_SUM_WORDS (RBNN_FILTERS_PER_TILE / 2u) /* of one position */

/* Sizes that follow from the layer; all in words but for rows, slots, blocks. */
typedef struct {
  uint32_t block_words;  /* input words of a block: 2, or 1 */
  uint32_t block_groups; /* index words of a block */
  uint32_t pixel_blocks;
  uint32_t pixel_words; /* index words of a pixel */
  uint32_t row_words;   /* index words of an input row, padding columns included */
  uint32_t row_slots;   /* slots of a kernel row */
  uint32_t fixed_words; /* tables and the padding run */
  uint32_t pass_words;  /* weights of a pass */
  uint32_t tile_words;  /* weights of a tile */
  uint32_t sum_words;   /* sums of an output row */
} rbnn_conv_geometry;

/* One run of the kernel. */
typedef struct {
  const rbnn_run *run;
  const rbnn_layer *layer;
  rbnn_conv_geometry g;
  uint32_t *tables;
  uint32_t *weights;
  uint32_t *padding;
  uint32_t *sums;
  uint32_t *indices;
  bool takes_signs;                    /* thresholds are in `start` */
  uint32_t start[RBNN_CONV_SUM_WORDS]; /* of every position's sums, for this tile */
  uint32_t top;                        /* first output row of the band */
  uint32_t rows;                       /* output rows of the band */
  uint32_t in_top;                     /* first input row with indices */
  uint32_t in_rows;                    /* input rows with indices */
} rbnn_conv_state;

#endif
