/* SPDX-License-Identifier: Apache-2.0 */
#include "conv_stem_tail.h"

#if RBNN_STEM_DSP
#include <arm_acle.h>

static uint32_t larger(uint32_t a, uint32_t b)
{
  (void)__ssub16((int16x2_t)a, (int16x2_t)b);
  return (uint32_t)__sel((uint8x4_t)a, (uint8x4_t)b);
}

/* conv_stem_v7m.S: the signs of sums minus thresholds, filter f in bits f and 16 + f; of four words
 * a filter, or of the largest. */
void rbnn_stem_compare(const uint32_t *sums, const uint32_t *thresholds, uint32_t *negative);
void rbnn_stem_compare_largest(const uint32_t *sums, const uint32_t *thresholds,
                               uint32_t *negative);

/* conv_stem_v7m.S: as below, for four words. */
void rbnn_stem_turn(const uint32_t *sums, uint32_t *turned);

#else

static uint32_t larger(uint32_t a, uint32_t b)
{
  const int32_t a0 = (int16_t)(a & 0xffffu), a1 = (int16_t)(a >> 16);
  const int32_t b0 = (int16_t)(b & 0xffffu), b1 = (int16_t)(b >> 16);
  const int32_t low = a0 - ((a0 - b0) & ((a0 - b0) >> 31));
  const int32_t high = a1 - ((a1 - b1) & ((a1 - b1) >> 31));
  return ((uint32_t)low & 0xffffu) | (uint32_t)high << 16;
}

#endif

/* From filters, each with its positions, to positions, each with its filters. */
static void turn(const uint32_t *sums, uint32_t words, uint32_t *turned)
{
  const uint32_t pairs = RBNN_FILTERS_PER_TILE / 2u;
  for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f += 2u, sums += 2u * RBNN_STEM_WORDS) {
    for (uint32_t j = 0; j < words; j++) {
      const uint32_t even = sums[j];
      const uint32_t odd = sums[RBNN_STEM_WORDS + j];
      turned[2u * pairs * j + f / 2u] = (even & 0xffffu) | odd << 16;
      turned[2u * pairs * j + pairs + f / 2u] = even >> 16 | (odd & 0xffff0000u);
    }
  }
}

void rbnn_stem_tail_prepare(rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first)
{
#if RBNN_STEM_DSP
  if (run->layer->stage == RBNN_STAGE_THRESHOLD) {
    for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f++) {
      tail->thresholds[f] = ((const uint16_t *)run->params)[first + f] * 0x00010001u;
    }
    return;
  }
#endif
  rbnn_stage_prepare(&tail->stage, run, first);
}

#if RBNN_STEM_DSP

/* Bits from lanes that hold positions: no lane is turned. */
static void threshold(const rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first,
                      uint32_t position, uint32_t count, const uint32_t *sums)
{
  const uint32_t jump = run->layer->out_channels / RBNN_FILTERS_PER_TILE;
  uint16_t *bits = (uint16_t *)run->bits + position * jump + first / RBNN_FILTERS_PER_TILE;
  uint32_t negative[RBNN_STEM_WORDS];
  if (run->layer->pool == 1u) {
    rbnn_stem_compare(sums, tail->thresholds, negative);
  } else {
    rbnn_stem_compare_largest(sums, tail->thresholds, negative);
  }
  const uint32_t *pair = negative;
  for (; count >= 2u; count -= 2u, bits += 2u * jump) {
    const uint32_t both = ~*pair++;
    bits[0] = (uint16_t)both;
    bits[jump] = (uint16_t)(both >> 16);
  }
  if (count) {
    bits[0] = (uint16_t)~*pair;
  }
}

#endif

void rbnn_stem_tail_run(const rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first,
                        uint32_t position, uint32_t count, uint32_t *sums)
{
#if RBNN_STEM_DSP
  if (run->layer->stage == RBNN_STAGE_THRESHOLD) {
    threshold(tail, run, first, position, count, sums);
    return;
  }
#endif
  uint32_t words = RBNN_STEM_WORDS;
  if (run->layer->pool == 2u) {
    words = 1;
    for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f++) {
      uint32_t *sum = sums + RBNN_STEM_WORDS * f;
      sum[0] = larger(larger(sum[0], sum[1]), larger(sum[2], sum[3]));
    }
  }
  union {
    uint32_t pairs[RBNN_STEM_LANES * RBNN_FILTERS_PER_TILE / 2u];
    int16_t sums[RBNN_STEM_LANES * RBNN_FILTERS_PER_TILE];
  } turned;
#if RBNN_STEM_DSP
  if (words == RBNN_STEM_WORDS) {
    rbnn_stem_turn(sums, turned.pairs);
  } else {
    turn(sums, words, turned.pairs);
  }
#else
  turn(sums, words, turned.pairs);
#endif
  rbnn_stage_positions(&tail->stage, run, first, position, count, turned.sums);
}
