/* SPDX-License-Identifier: Apache-2.0 */
/* Logits from the stream: sat32(floor((scale * product + bias * 2^8) / 2^8)) in 64 bits. */
#include "core/kernels.h"
#include "core/logit.h"

#include "spec/target.h"

#if RBNN_TARGET_V7EM
#include <arm_acle.h>
#include <string.h>
#endif

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

#if RBNN_TARGET_V7EM

/* Two values at a time, with the weights that two bits stand for: a table within one
 * line of any cache or flash buffer, so that no index takes longer than another. */
static int32_t multiply(const int16_t *values, const uint32_t *row, uint32_t words)
{
  _Alignas(16) static const uint32_t weights[4] = {0xffffffffu, 0xffff0001u, 0x0001ffffu,
                                                   0x00010001u};
  int32_t sum = 0;
  for (; words; words--, row++, values += 32) {
    const uint32_t bits = *row;
#pragma GCC unroll 16
    for (uint32_t i = 0; i < 32u; i += 2u) {
      uint32_t pair;
      memcpy(&pair, __builtin_assume_aligned(values + i, 4), sizeof pair);
      sum = __smlad((int16x2_t)pair, (int16x2_t)weights[bits >> i & 3u], sum);
    }
  }
  return sum;
}

#else

static int32_t multiply(const int16_t *values, const uint32_t *row, uint32_t words)
{
  int32_t sum = 0;
  for (; words; words--, row++) {
    uint32_t bits = *row;
#pragma GCC unroll 8
    for (const int16_t *end = values + 32; values != end; bits >>= 1) {
      /* All ones where the weight is -1. */
      const int32_t negative = (int32_t)(bits & 1u) - 1;
      sum += (*values++ ^ negative) - negative;
    }
  }
  return sum;
}

#endif

void rbnn_dense_stream(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const int16_t *values = run->input;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + layer->out_channels;
  const uint32_t words = tile_words(layer) / RBNN_FILTERS_PER_TILE;
  for (uint32_t first = 0; first < layer->out_channels; first += RBNN_FILTERS_PER_TILE) {
    const uint32_t left = layer->out_channels - first;
    const uint32_t rows = left < RBNN_FILTERS_PER_TILE ? left : RBNN_FILTERS_PER_TILE;
    const uint32_t *row = run->source(run->source_context, run->number, first * words * 4u,
                                      rows * words * 4u, run->work);
    for (uint32_t k = first; k < first + rows; k++, row += words) {
      run->logits[k] = rbnn_stream_logit(multiply(values, row, words), scales[k], biases[k]);
    }
  }
}
