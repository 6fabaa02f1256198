/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conv_stem/conv_stem_tail.h"

#include "core/kernel_features.h"
#include "spec/target.h"

#if RBNN_TARGET_V7EM

/* conv_stem_v7m.S: the signs of sums minus thresholds, filter f in bits f and 16 + f; of four words
 * a filter, or of the largest. */
void rbnn_stem_compare(const uint32_t *sums, const uint32_t *thresholds, uint32_t *negative);
void rbnn_stem_compare_largest(const uint32_t *sums, const uint32_t *thresholds,
                               uint32_t *negative);
void rbnn_stem_turn(const uint32_t *sums, rbnn_half *turned);
void rbnn_stem_turn_largest(const uint32_t *sums, rbnn_half *turned);

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
  return RBNN_WITH_THRESHOLD && layer->stage == RBNN_STAGE_THRESHOLD;
}

void rbnn_stem_tail_compare(const rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first,
                            uint32_t position, uint32_t count, const uint32_t *sums)
{
#if RBNN_WITH_THRESHOLD
  const uint32_t jump = run->layer->out_channels / RBNN_FILTERS_PER_TILE;
  rbnn_half_bits *bits =
      (rbnn_half_bits *)run->bits + position * jump + first / RBNN_FILTERS_PER_TILE;
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
#else
  (void)tail;
  (void)run;
  (void)first;
  (void)position;
  (void)count;
  (void)sums;
#endif
}

void rbnn_stem_tail_turn(const rbnn_layer *layer, const uint32_t *sums, rbnn_half *turned)
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

static int32_t low(uint32_t word)
{
  return (int16_t)(word & 0xffffu);
}

static int32_t high(uint32_t word)
{
  return (int32_t)(word + 0x8000u) >> 16;
}

/* Without a branch. */
static int32_t larger(int32_t a, int32_t b)
{
  return b + ((a - b) & ~((a - b) >> 31));
}

void rbnn_stem_tail_turn(const rbnn_layer *layer, const uint32_t *sums, rbnn_half *turned)
{
  for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f++, sums += RBNN_STEM_WORDS, turned++) {
    const uint32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    if (layer->pool == 2u) {
      const int32_t first = larger(larger(low(a), low(b)), larger(low(c), low(d)));
      const int32_t second = larger(larger(high(a), high(b)), larger(high(c), high(d)));
      turned[0] = (int16_t)first;
      turned[RBNN_FILTERS_PER_TILE] = (int16_t)second;
      continue;
    }
    turned[0] = (int16_t)low(a);
    turned[RBNN_FILTERS_PER_TILE] = (int16_t)high(a);
    turned[2u * RBNN_FILTERS_PER_TILE] = (int16_t)low(b);
    turned[3u * RBNN_FILTERS_PER_TILE] = (int16_t)high(b);
    turned[4u * RBNN_FILTERS_PER_TILE] = (int16_t)low(c);
    turned[5u * RBNN_FILTERS_PER_TILE] = (int16_t)high(c);
    turned[6u * RBNN_FILTERS_PER_TILE] = (int16_t)low(d);
    turned[7u * RBNN_FILTERS_PER_TILE] = (int16_t)high(d);
  }
}

#endif
