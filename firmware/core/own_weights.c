/* SPDX-License-Identifier: Apache-2.0 */
#include "core/own_weights.h"

#include "spec/target.h"

#if RBNN_TARGET_V7EM

#include <arm_acle.h>
#include <string.h>

static uint32_t word_at(const void *bytes)
{
  uint32_t word;
  memcpy(&word, __builtin_assume_aligned(bytes, 4), sizeof word);
  return word;
}

int32_t rbnn_own_product(const rbnn_half *values, const int8_t *weights, uint32_t count)
{
  int32_t sum = 0;
  for (; count; count -= 32u) {
#pragma GCC unroll 8
    for (const rbnn_half *end = values + 32; values != end; values += 4, weights += 4) {
      const uint32_t four = word_at(weights);
      sum = __smlad((int16x2_t)word_at(values), __sxtb16((int8x4_t)four), sum);
      sum = __smlad((int16x2_t)word_at(values + 2), __sxtb16((int8x4_t)(four >> 8)), sum);
    }
  }
  return sum;
}

#else

int32_t rbnn_own_product(const rbnn_half *values, const int8_t *weights, uint32_t count)
{
  int32_t sum = 0;
  for (const rbnn_half *end = values + count; values != end; values += 4, weights += 4) {
    sum += values[0] * weights[0] + values[1] * weights[2] + values[2] * weights[1] +
           values[3] * weights[3];
  }
  return sum;
}

#endif
