/* SPDX-License-Identifier: Apache-2.0 */
/* For machines without DSP instructions; conv_stem8_v7em.S has the other. */
#include "core/conv_stem8/conv_stem8_sums.h"

#include "spec/target.h"

#if !RBNN_TARGET_V7EM

static int32_t low(uint32_t word)
{
  return (int16_t)(word & 0xffffu);
}

static int32_t high(uint32_t word)
{
  return (int16_t)(word >> 16);
}

void rbnn_stem8_sums(const uint32_t *columns, const uint32_t *weights, const uint32_t *end,
                     int32_t *sums)
{
  for (uint32_t i = 0; i < RBNN_STEM8_FILTERS * RBNN_STEM8_POSITIONS; i++) {
    sums[i] = 0;
  }
  for (; weights != end; weights += RBNN_STEM8_FILTERS, columns += RBNN_STEM8_POSITIONS) {
    const int32_t first_low = low(weights[0]), first_high = high(weights[0]);
    const int32_t second_low = low(weights[1]), second_high = high(weights[1]);
#pragma GCC unroll 4
    for (uint32_t j = 0; j < RBNN_STEM8_POSITIONS; j++) {
      const int32_t a = low(columns[j]), b = high(columns[j]);
      sums[j] += a * first_low + b * first_high;
      sums[RBNN_STEM8_POSITIONS + j] += a * second_low + b * second_high;
    }
  }
}

#endif
