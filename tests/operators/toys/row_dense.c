/* SPDX-License-Identifier: Apache-2.0 */
/* Logits from bits: scale * product + bias, class by class of a tile of rows. */
#include "core/kernels.h"

static uint32_t row_words(const rbnn_layer *layer)
{
  return (uint32_t)layer->in_height * layer->in_width * layer->in_channels / 32u;
}

uint32_t rbnn_row_dense_work_bytes(const rbnn_layer *layer)
{
  return RBNN_FILTERS_PER_TILE * row_words(layer) * 4u;
}

static int32_t product(const uint32_t *input, const uint32_t *row, uint32_t words)
{
  int32_t sum = 0;
  for (uint32_t i = 0; i < words * 32u; i++) {
    sum += (input[i / 32u] ^ row[i / 32u]) >> i % 32u & 1u ? -1 : 1;
  }
  return sum;
}

void rbnn_row_dense(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t classes = layer->out_channels, words = row_words(layer);
  const int32_t *scales = run->params, *biases = scales + classes;
  for (uint32_t first = 0; first < classes; first += RBNN_FILTERS_PER_TILE) {
    const uint32_t left = classes - first;
    const uint32_t rows = left < RBNN_FILTERS_PER_TILE ? left : RBNN_FILTERS_PER_TILE;
    const uint32_t *row = run->source(run->source_context, run->number, first * words * 4u,
                                      rows * words * 4u, run->work);
    for (uint32_t c = first; c < first + rows; c++, row += words) {
      run->logits[c] = scales[c] * product(run->input, row, words) + biases[c];
    }
  }
}
