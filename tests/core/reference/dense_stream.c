/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

void rbnn_dense_stream_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const int16_t *values = run->input;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + layer->out_channels;
  const uint32_t count = (uint32_t)layer->in_height * layer->in_width * layer->in_channels;
  const uint32_t *rows =
      run->source(run->source_context, run->number, 0, layer->out_channels * count / 8u, run->work);
  for (uint32_t k = 0; k < layer->out_channels; k++) {
    int64_t product = 0;
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t bit = k * count + i;
      product += rows[bit / 32u] >> (bit % 32u) & 1u ? values[i] : -values[i];
    }
    const int64_t sum = scales[k] * product + biases[k] * (int64_t)256;
    const int64_t logit = sum >= 0 ? sum / 256 : -((-sum + 255) / 256);
    run->logits[k] = (int32_t)(logit < INT32_MIN   ? INT32_MIN
                               : logit > INT32_MAX ? INT32_MAX
                                                   : logit);
  }
}
