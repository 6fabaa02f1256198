/* SPDX-License-Identifier: Apache-2.0 */
#include "fused.h"

void rbnn_emit(const rbnn_network *network, const rbnn_node *node, const rbnn_values *values,
               const rbnn_record *record, float *features)
{
  const bool stream = node->residual || node->kind == RBNN_AVERAGE;
  const int c = node->c, pixels = node->h * node->w;
  for (int n = 0; n < network->samples; n++)
    for (int pixel = 0; pixel < pixels; pixel++) {
      const size_t line = (size_t)(n / RBNN_BLOCK) * pixels + pixel;
      const size_t from = (line * RBNN_BLOCK + n % RBNN_BLOCK) * c;
      float *to = features + ((size_t)n * pixels + pixel) * c;
      for (int i = 0; i < c; i++)
        to[i] = stream ? record->stream[from + i] * (1 / RBNN_ONE)
                       : (record->sums[from + i] - record->mean[i]) * record->factor[i] +
                             values->beta[i];
    }
}

void rbnn_emit_back(const rbnn_network *network, const rbnn_node *node, const float *of_features,
                    rbnn_bf16 *field)
{
  const int c = node->c, pixels = node->h * node->w;
  for (int n = 0; n < network->blocks * RBNN_BLOCK; n++)
    for (int pixel = 0; pixel < pixels; pixel++) {
      const size_t line = (size_t)(n / RBNN_BLOCK) * pixels + pixel;
      rbnn_bf16 *to = field + (line * RBNN_BLOCK + n % RBNN_BLOCK) * c;
      const float *from = of_features + ((size_t)n * pixels + pixel) * c;
      for (int i = 0; i < c; i++) to[i] = n < network->samples ? rbnn_narrow(from[i]) : 0;
    }
}
