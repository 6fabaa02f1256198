/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

void rbnn_dense8_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t *bits = run->input;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + layer->out_channels;
  const int8_t *weights = (const int8_t *)(biases + layer->out_channels);
  const uint32_t count = (uint32_t)layer->in_height * layer->in_width * layer->in_channels;
  for (uint32_t k = 0; k < layer->out_channels; k++) {
    int64_t product = 0;
    for (uint32_t i = 0; i < count; i++) {
      const int32_t weight = own_weight(weights + k * count, i);
      product += bits[i / 32u] >> (i % 32u) & 1u ? weight : -weight;
    }
    const int64_t logit = scales[k] * product + biases[k];
    run->logits[k] = (int32_t)(logit < INT32_MIN   ? INT32_MIN
                               : logit > INT32_MAX ? INT32_MAX
                                                   : logit);
  }
}
