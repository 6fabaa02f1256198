/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

/* The lane of a filter: its four bits reversed. */
static uint32_t lane(uint32_t filter)
{
  return (filter & 1u) << 3 | (filter & 2u) << 1 | (filter & 4u) >> 1 | (filter & 8u) >> 3;
}

void rbnn_dense_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t *input = run->input;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + layer->out_channels;
  const uint32_t count = (uint32_t)layer->in_height * layer->in_width * layer->in_channels;
  const uint32_t tile_words = count / 2u;
  const uint32_t tiles = (layer->out_channels + 15u) / 16u;
  const uint32_t *stored =
      run->source(run->source_context, run->number, 0, tiles * tile_words * 4u, run->work);
  for (uint32_t k = 0; k < layer->out_channels; k++) {
    const uint32_t *tile = stored + k / 16u * tile_words;
    uint32_t product = 0;
    for (uint32_t b = 0; b < 2u; b++) {
      const uint32_t bit = 2u * lane(k % 16u) + b;
      uint32_t before = 0; /* exclusive or of this lane's weights so far */
      for (uint32_t i = 0; i < tile_words; i += 2u) {
        const uint32_t both = tile[i] >> bit & 1u;
        const uint32_t first = (tile[i + 1u] >> bit & 1u) ^ before;
        const uint32_t weights[2] = {first, first ^ both};
        for (uint32_t j = 0; j < 2u; j++) {
          const uint32_t place = 2u * (i + j) + b;
          product += (input[place / 32u] >> (place % 32u) & 1u) == weights[j] ? 1u : UINT32_MAX;
        }
        before ^= both;
      }
    }
    run->logits[k] = (int32_t)((uint32_t)scales[k] * product + (uint32_t)biases[k]);
  }
}
