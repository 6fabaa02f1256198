/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

static int64_t limited(int64_t value)
{
  return value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value;
}

void rbnn_dense_stream8_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const int16_t *values = run->input;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + layer->out_channels;
  const int8_t *weights = (const int8_t *)(biases + layer->out_channels);
  const uint32_t count = (uint32_t)layer->in_height * layer->in_width * layer->in_channels;
  for (uint32_t k = 0; k < layer->out_channels; k++) {
    int64_t product = 0;
    for (uint32_t i = 0; i < count; i++) {
      product += values[i] * (int64_t)own_weight(weights + k * count, i);
    }
    const int64_t sum = scales[k] * limited(product) + biases[k] * (int64_t)256;
    run->logits[k] = (int32_t)limited(sum >= 0 ? sum / 256 : -((-sum + 255) / 256));
  }
}
