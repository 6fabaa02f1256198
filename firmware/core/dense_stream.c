/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

/* Bits that are drawn at once. */
static uint32_t tile_words(const rbnn_layer *layer)
{
  return RBNN_FILTERS_PER_TILE *
         ((uint32_t)layer->in_height * layer->in_width * layer->in_channels / 32u);
}

uint32_t rbnn_dense_stream_work_bytes(const rbnn_layer *layer)
{
  return 4u * tile_words(layer);
}

/* Sum of the values whose weight is +1. */
static int32_t sum_positive(const int16_t *values, const uint32_t *row, uint32_t words)
{
  int32_t sum = 0;
  for (; words; words--, row++, values += 32) {
    const uint32_t bits = *row;
    for (uint32_t i = 0; i < 32u; i++) {
      sum += values[i] & -(int32_t)(bits >> i & 1u);
    }
  }
  return sum;
}

static int32_t finish(int32_t product, int32_t scale, int32_t bias)
{
  /* The factor is a power of two: no bit of the bias is lost, and the shift is the floor. */
  const int64_t logit =
      ((int64_t)scale * product + (int64_t)bias * (1 << RBNN_STREAM_FRACTION_BITS)) >>
      RBNN_STREAM_FRACTION_BITS;
  return logit < INT32_MIN ? INT32_MIN : logit > INT32_MAX ? INT32_MAX : (int32_t)logit;
}

void rbnn_dense_stream(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const int16_t *values = run->input;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + layer->out_channels;
  const uint32_t words = tile_words(layer) / RBNN_FILTERS_PER_TILE;
  int32_t total = 0;
  for (uint32_t i = 0; i < 32u * words; i++) {
    total += values[i];
  }
  for (uint32_t first = 0; first < layer->out_channels; first += RBNN_FILTERS_PER_TILE) {
    const uint32_t left = layer->out_channels - first;
    const uint32_t rows = left < RBNN_FILTERS_PER_TILE ? left : RBNN_FILTERS_PER_TILE;
    const uint32_t *row = run->source(run->source_context, run->number, first * words * 4u,
                                      rows * words * 4u, run->work);
    for (uint32_t k = first; k < first + rows; k++, row += words) {
      const int32_t product = 2 * sum_positive(values, row, words) - total;
      run->logits[k] = finish(product, scales[k], biases[k]);
    }
  }
}
