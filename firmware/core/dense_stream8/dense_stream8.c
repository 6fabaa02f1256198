/* SPDX-License-Identifier: Apache-2.0 */
/* Logits from the stream with 8-bit weights of the task's own. The product is limited to 32 bits,
 * then as in dense_stream.c. */
#include "core/kernels.h"
#include "core/logit.h"
#include "core/own_weights.h"

void rbnn_dense_stream8(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + layer->out_channels;
  const int8_t *weights = (const int8_t *)(biases + layer->out_channels);
  const uint32_t count = (uint32_t)layer->in_height * layer->in_width * layer->in_channels;
  for (uint32_t k = run->classes; k < layer->out_channels; k++) {
    run->logits[k] = 0;
  }
  for (uint32_t k = 0; k < run->classes; k++) {
    const int16_t *values = run->input;
    int64_t product = 0;
    for (uint32_t left = count; left > 0;) {
      const uint32_t block = left < RBNN_OWN_BLOCK ? left : RBNN_OWN_BLOCK;
      product += rbnn_own_product(values, weights, block);
      values += block;
      weights += block;
      left -= block;
    }
    run->logits[k] = rbnn_stream_logit(rbnn_limit32(product), scales[k], biases[k]);
  }
}
