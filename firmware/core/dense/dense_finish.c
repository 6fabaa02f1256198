/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dense/dense_finish.h"

#include "spec/target.h"

#if !RBNN_TARGET_V7M

/* The lower half of every field of that many bits. */
#define LOW_OF_2 0x55555555u
#define LOW_OF_4 0x33333333u
#define LOW_OF_8 0x0f0f0f0fu
#define LOW_OF_16 0x00ff00ffu

/* Add bytes 0, 2 and bytes 1, 3, shifted left. */
static inline void widen(uint32_t bytes, uint32_t shift, uint32_t totals[2])
{
  totals[0] += (bytes & LOW_OF_16) << shift;
  totals[1] += (bytes >> 8 & LOW_OF_16) << shift;
}

/* Sum the two lanes of every filter over four planes, of weight 2^shift on: `totals[i]` holds
 * filter 2 i and, in its upper half, filter 2 i + 1. */
static inline void add_quarter(const uint32_t *planes, uint32_t shift,
                               uint32_t totals[RBNN_DENSE_TOTALS])
{
  /* 16 fields of two bits: 0 .. 2. */
  const uint32_t a = planes[0] - (planes[0] >> 1 & LOW_OF_2);
  const uint32_t b = planes[1] - (planes[1] >> 1 & LOW_OF_2);
  const uint32_t c = planes[2] - (planes[2] >> 1 & LOW_OF_2);
  const uint32_t d = planes[3] - (planes[3] >> 1 & LOW_OF_2);
  /* 8 of four bits: 0 .. 6. */
  const uint32_t even_low = (a & LOW_OF_4) + ((b & LOW_OF_4) << 1);
  const uint32_t even_high = (c & LOW_OF_4) + ((d & LOW_OF_4) << 1);
  const uint32_t odd_low = (a >> 2 & LOW_OF_4) + ((b >> 2 & LOW_OF_4) << 1);
  const uint32_t odd_high = (c >> 2 & LOW_OF_4) + ((d >> 2 & LOW_OF_4) << 1);
  /* 4 of eight bits: 0 .. 30. */
  widen((even_low & LOW_OF_8) + ((even_high & LOW_OF_8) << 2), shift, totals);
  widen((even_low >> 4 & LOW_OF_8) + ((even_high >> 4 & LOW_OF_8) << 2), shift, totals + 2);
  widen((odd_low & LOW_OF_8) + ((odd_high & LOW_OF_8) << 2), shift, totals + 4);
  widen((odd_low >> 4 & LOW_OF_8) + ((odd_high >> 4 & LOW_OF_8) << 2), shift, totals + 6);
}

void rbnn_dense_sum_lanes(const uint32_t *planes, uint32_t quarters,
                          uint32_t totals[RBNN_DENSE_TOTALS])
{
  uint32_t sums[RBNN_DENSE_TOTALS] = {0};
  add_quarter(planes, 0, sums);
  add_quarter(planes + RBNN_DENSE_QUARTER_PLANES, RBNN_DENSE_QUARTER_PLANES, sums);
  if (quarters > 2u) {
    add_quarter(planes + 2u * RBNN_DENSE_QUARTER_PLANES, 2u * RBNN_DENSE_QUARTER_PLANES, sums);
  }
  if (quarters > 3u) {
    add_quarter(planes + 3u * RBNN_DENSE_QUARTER_PLANES, 3u * RBNN_DENSE_QUARTER_PLANES, sums);
  }
  for (uint32_t i = 0; i < RBNN_DENSE_TOTALS; i++) {
    totals[i] = sums[i];
  }
}

static int32_t to_logit(uint32_t product, int32_t scale, int32_t bias)
{
  return (int32_t)((uint32_t)scale * product + (uint32_t)bias);
}

void rbnn_dense_scale(const uint32_t *totals, uint32_t pairs, uint32_t inputs,
                      const int32_t *scales, const int32_t *biases, int32_t *logits)
{
  for (; pairs; pairs--, scales += 2, biases += 2, logits += 2) {
    const uint32_t matches = *totals++;
    logits[0] = to_logit(2u * (matches & RBNN_DENSE_TOTAL_MASK) - inputs, scales[0], biases[0]);
    logits[1] = to_logit(2u * (matches >> RBNN_DENSE_TOTAL_BITS) - inputs, scales[1], biases[1]);
  }
}

#endif
