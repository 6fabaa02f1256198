/* SPDX-License-Identifier: Apache-2.0 */
#include "conv_stem_tail.h"

#define PAIRS (RBNN_FILTERS_PER_TILE / 2u)

#if RBNN_STEM_DSP

/* conv_stem_v7m.S: the signs of sums minus thresholds, filter f in bits f and 16 + f; of four words
 * a filter, or of the largest. */
void rbnn_stem_compare(const uint32_t *sums, const uint32_t *thresholds, uint32_t *negative);
void rbnn_stem_compare_largest(const uint32_t *sums, const uint32_t *thresholds,
                               uint32_t *negative);
void rbnn_stem_turn(const uint32_t *sums, uint32_t *turned);
void rbnn_stem_turn_largest(const uint32_t *sums, uint32_t *turned);

void rbnn_stem_tail_prepare(rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first)
{
  if (!rbnn_stem_tail_compares(run->layer)) {
    rbnn_stage_prepare(&tail->stage, run, first);
    return;
  }
  for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f++) {
    tail->thresholds[f] = ((const uint16_t *)run->params)[first + f] * 0x00010001u;
  }
}

bool rbnn_stem_tail_compares(const rbnn_layer *layer)
{
  return layer->stage == RBNN_STAGE_THRESHOLD;
}

void rbnn_stem_tail_compare(const rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first,
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

void rbnn_stem_tail_turn(const rbnn_layer *layer, const uint32_t *sums, uint32_t *turned)
{
  if (layer->pool == 1u) {
    rbnn_stem_turn(sums, turned);
  } else {
    rbnn_stem_turn_largest(sums, turned);
  }
}

#else

void rbnn_stem_tail_prepare(rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first)
{
  rbnn_stage_prepare(&tail->stage, run, first);
}

bool rbnn_stem_tail_compares(const rbnn_layer *layer)
{
  (void)layer;
  return false;
}

void rbnn_stem_tail_compare(const rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first,
                            uint32_t position, uint32_t count, const uint32_t *sums)
{
  (void)tail;
  (void)run;
  (void)first;
  (void)position;
  (void)count;
  (void)sums;
}

/* Lane by lane, without a branch. */
static uint32_t larger(uint32_t a, uint32_t b)
{
  const int32_t a0 = (int16_t)(a & 0xffffu), a1 = (int16_t)(a >> 16);
  const int32_t b0 = (int16_t)(b & 0xffffu), b1 = (int16_t)(b >> 16);
  const int32_t low = a0 - ((a0 - b0) & ((a0 - b0) >> 31));
  const int32_t high = a1 - ((a1 - b1) & ((a1 - b1) >> 31));
  return ((uint32_t)low & 0xffffu) | (uint32_t)high << 16;
}

static void turn_pair(uint32_t even, uint32_t odd, uint32_t *turned)
{
  turned[0] = (even & 0xffffu) | odd << 16;
  turned[PAIRS] = even >> 16 | (odd & 0xffff0000u);
}

void rbnn_stem_tail_turn(const rbnn_layer *layer, const uint32_t *sums, uint32_t *turned)
{
  for (uint32_t pair = 0; pair < PAIRS; pair++, turned++) {
    const uint32_t *even = sums + 2u * RBNN_STEM_WORDS * pair;
    const uint32_t *odd = even + RBNN_STEM_WORDS;
    if (layer->pool == 1u) {
      for (uint32_t j = 0; j < RBNN_STEM_WORDS; j++) {
        turn_pair(even[j], odd[j], turned + 2u * PAIRS * j);
      }
    } else {
      turn_pair(larger(larger(even[0], even[1]), larger(even[2], even[3])),
                larger(larger(odd[0], odd[1]), larger(odd[2], odd[3])), turned);
    }
  }
}

#endif
