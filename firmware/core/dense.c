/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include "popcount.h"

void rbnn_dense(const rbnn_layer *layer, const uint32_t *input, const uint32_t *tile,
                const int32_t *scales, const int32_t *biases, uint32_t first, uint32_t filters,
                int32_t *logits)
{
  const uint32_t words = (uint32_t)layer->in_height * layer->in_width * (layer->in_channels / 32u);

  for (uint32_t k = first; k < first + filters; k++, tile += words) {
    uint32_t product = words * 32u - 2u * rbnn_count_mismatches(input, tile, words);
    logits[k] = (int32_t)((uint32_t)scales[k] * product + (uint32_t)biases[k]);
  }
}
