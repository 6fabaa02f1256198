/* SPDX-License-Identifier: Apache-2.0 */
#include "core/scores.h"

#include <stddef.h>

#include "core/divide.h"
#include "spec/rbnn_spec.h"

/* e^-distance: Q12.20 in, Q16 out, as rbnn/spec/scores.py. */
static uint32_t exponential(uint32_t distance)
{
  static const uint32_t table[] = RBNN_EXP2_TABLE;
  uint64_t power = ((uint64_t)distance * RBNN_LOG2_E_Q16) >> 16;
  uint64_t whole = power >> 20;
  uint32_t step = (uint32_t)(power >> 15) & 31u;
  uint32_t rest = (uint32_t)power & 0x7fffu;
  if (whole > 16u) {
    return 0;
  }
  return (table[step] - (((table[step] - table[step + 1]) * rest) >> 15)) >> whole;
}

void rbnn_scores_softmax(const int32_t *logits, uint32_t classes, uint32_t *ppm)
{
  uint32_t best = 0;
  for (uint32_t k = 1; k < classes; k++) {
    if (logits[k] > logits[best]) {
      best = k;
    }
  }
  uint32_t total = 0;
  for (uint32_t k = 0; k < classes; k++) {
    ppm[k] = exponential((uint32_t)logits[best] - (uint32_t)logits[k]);
    total += ppm[k];
  }
  uint32_t left = RBNN_SCORE_PPM;
  for (uint32_t k = 0; k < classes; k++) {
    ppm[k] = (uint32_t)rbnn_divide((uint64_t)ppm[k] * RBNN_SCORE_PPM, total, NULL);
    left -= ppm[k];
  }
  ppm[best] += left;
}
