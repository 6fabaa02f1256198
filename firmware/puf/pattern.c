/* SPDX-License-Identifier: Apache-2.0 */
#include "puf/pattern.h"

#include <string.h>

#include "crypto/wipe.h"

#define REGIONS (RBNN_PUF_PATTERN_BYTES / RBNN_PUF_REGION_BYTES)
#define REGION_BITS (8u * RBNN_PUF_REGION_BYTES)
#define WORDS (RBNN_PUF_PATTERN_BYTES / 4u)
#define ROW_WORDS (RBNN_PUF_PAIR_DISTANCE / 4u)
#define PAIRS (8u * RBNN_PUF_PAIR_BYTES)

_Static_assert(RBNN_PUF_PATTERN_BYTES % RBNN_PUF_REGION_BYTES == 0u, "whole regions");
_Static_assert(RBNN_PUF_PAIR_DISTANCE == 64u && RBNN_PUF_ESTIMATE_SIGNS == 10u, "nine bits");

static uint32_t load(const uint8_t *bytes)
{
  uint32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
  return a ^ ((a ^ b) & (0u - ((a - b) >> 31)));
}

/* 1 where `count` of `total` is outside the limits, else 0. */
static uint32_t is_outside(uint32_t count, uint32_t total, uint32_t low, uint32_t high)
{
  return ((100u * count - low * total) | (high * total - 100u * count)) >> 31;
}

/* Bits of the region from byte `start` on that differ from those `lag` bits later. */
static uint32_t count_changes(const uint8_t *pattern, uint32_t start, uint32_t lag)
{
  const uint8_t *const later = pattern + lag / 8u;
  const uint32_t shift = lag % 8u;
  uint32_t changes = 0;
  for (uint32_t i = start; i < start + RBNN_PUF_REGION_BYTES; i += 4u) {
    uint32_t word = load(later + i);
    if (shift != 0u) {
      word = (word >> shift) | ((uint32_t)later[i + 4u] << (32u - shift));
    }
    changes += rbnn_puf_count(load(pattern + i) ^ word);
  }
  return changes;
}

/* The most bits of a region that equal, or that differ from, those at one distance. */
static uint32_t find_repetition(const uint8_t *pattern)
{
  uint32_t most = 0;
  uint32_t lag = 1;
  while (REGION_BITS + lag <= 8u * RBNN_PUF_PATTERN_BYTES) {
    const uint32_t regions = (8u * RBNN_PUF_PATTERN_BYTES - lag) / REGION_BITS;
    for (uint32_t region = 0; region < regions; region++) {
      const uint32_t changes = count_changes(pattern, region * RBNN_PUF_REGION_BYTES, lag);
      most = larger(most, larger(changes, REGION_BITS - changes));
    }
    lag += lag < 8u * RBNN_PUF_PAIR_DISTANCE ? 1u : 8u;
  }
  return most;
}

static uint32_t is_wide_class_biased(uint32_t ones, uint32_t cells)
{
  return is_outside(ones, cells, RBNN_PUF_CLASS_MIN_PERCENT, RBNN_PUF_CLASS_MAX_PERCENT);
}

static uint32_t is_place_biased(uint32_t ones, uint32_t cells)
{
  return is_outside(ones, cells, RBNN_PUF_PLACE_MIN_PERCENT, RBNN_PUF_PLACE_MAX_PERCENT);
}

/* 1 where a class of cells has too many or too few ones, else 0. */
static uint32_t is_biased(const uint8_t *pattern)
{
  uint32_t places[ROW_WORDS] = {0};
  uint32_t parity[2] = {0};
  uint32_t region = 0;
  uint32_t biased = 0;
  for (uint32_t i = 0; i < WORDS; i++) {
    const uint32_t ones = rbnn_puf_count(load(pattern + 4u * i));
    places[i % ROW_WORDS] += ones;
    parity[i % 2u] += ones;
    region += ones;
    if ((i + 1u) % (RBNN_PUF_REGION_BYTES / 4u) == 0u) {
      biased |= is_place_biased(region, REGION_BITS);
      region = 0;
    }
  }
  biased |= is_wide_class_biased(parity[0] + parity[1], 32u * WORDS);
  biased |= is_wide_class_biased(parity[0], 16u * WORDS);
  biased |= is_wide_class_biased(parity[1], 16u * WORDS);
  for (uint32_t i = 0; i < ROW_WORDS; i++) {
    biased |= is_place_biased(places[i], 32u * WORDS / ROW_WORDS);
  }
  for (uint32_t bit = 0; bit < 64u; bit++) {
    uint32_t ones = 0;
    for (uint32_t i = bit / 32u; i < WORDS; i += 2u) {
      ones += (load(pattern + 4u * i) >> (bit % 32u)) & 1u;
    }
    biased |= is_place_biased(ones, WORDS / 2u);
  }
  return biased;
}

static uint32_t count_kept(const uint8_t *pattern)
{
  uint32_t kept = 0;
  for (uint32_t pair = 0; pair < RBNN_PUF_PAIR_BYTES; pair++) {
    const uint8_t *const first = pattern + rbnn_puf_first(pair);
    kept += rbnn_puf_count((uint32_t)(first[0] ^ first[RBNN_PUF_PAIR_DISTANCE]));
  }
  return kept;
}

/* The first cells of byte `pair` that predictor `number` takes for zeros. */
static uint32_t sign_mask(uint32_t number, uint32_t pair)
{
  static const uint8_t in_byte[4] = {0x00, 0xaa, 0xcc, 0xf0};
  return number < 4u ? in_byte[number] : 0xffu & (0u - ((pair >> (number - 4u)) & 1u));
}

/* Whether the kept pairs of a group agree with predictor `number` more often than not: 1, -1, or 0
 * where it says nothing. */
static int32_t find_leaning(const uint8_t *pattern, uint32_t group, uint32_t number)
{
  uint32_t twice = 0;
  for (uint32_t i = 0; i < RBNN_PUF_GROUP_BYTES; i++) {
    const uint32_t pair = group * RBNN_PUF_GROUP_BYTES + i;
    const uint8_t *const first = pattern + rbnn_puf_first(pair);
    const uint32_t kept = (uint32_t)(first[0] ^ first[RBNN_PUF_PAIR_DISTANCE]);
    twice += 2u * rbnn_puf_count(kept & (first[0] ^ sign_mask(number, pair)));
    twice -= rbnn_puf_count(kept);
  }
  return (int32_t)((0u - twice) >> 31) - (int32_t)(twice >> 31);
}

/* 1 where the better of a predictor and its opposite is right too often. */
static uint32_t is_guessed(uint32_t right, uint32_t wrong)
{
  const uint32_t limit = RBNN_PUF_GUESSED_MAX_PERCENT * (right + wrong);
  return (limit - 100u * larger(right, wrong)) >> 31;
}

/* 1 where a predictor of rbnn.keys.pattern.predictions guesses too many groups, else 0. */
static uint32_t is_predictable(const uint8_t *pattern)
{
  int8_t leaning[RBNN_PUF_GROUPS];
  uint32_t guessed = 0;
  for (uint32_t number = RBNN_PUF_ESTIMATE_SIGNS; number-- > 0u;) {
    uint32_t right = 0;
    uint32_t wrong = 0;
    for (uint32_t group = 0; group < RBNN_PUF_GROUPS; group++) {
      const int32_t one = find_leaning(pattern, group, number);
      leaning[group] = (int8_t)one;
      right += (0u - (uint32_t)one) >> 31;
      wrong += (uint32_t)one >> 31;
    }
    guessed |= is_guessed(right, wrong);
  }
  /* What is left are the leanings of predictor 0: all first cells. */
  for (uint32_t lag = 1; lag <= RBNN_PUF_ESTIMATE_LAGS; lag++) {
    uint32_t right = 0;
    uint32_t wrong = 0;
    for (uint32_t group = lag; group < RBNN_PUF_GROUPS; group++) {
      const uint32_t one = (uint32_t)(leaning[group] * leaning[group - lag]);
      right += (0u - one) >> 31;
      wrong += one >> 31;
    }
    guessed |= is_guessed(right, wrong);
  }
  rbnn_wipe(leaning, sizeof leaning);
  return guessed;
}

rbnn_status rbnn_pattern_check(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES])
{
  /* All of it first, so that no result decides what is looked at next. */
  const uint32_t repeated = 100u * find_repetition(pattern);
  const uint32_t biased = is_biased(pattern);
  const uint32_t kept = 100u * count_kept(pattern);
  const uint32_t predictable = is_predictable(pattern);
  if (repeated > RBNN_PUF_PAINTED_PERCENT * REGION_BITS) {
    return RBNN_PUF_PATTERN;
  }
  if (biased != 0u) {
    return RBNN_PUF_BIAS;
  }
  if (repeated > RBNN_PUF_REPEATED_PERCENT * REGION_BITS) {
    return RBNN_PUF_PATTERN;
  }
  if (kept < RBNN_PUF_KEPT_MIN_PERCENT * PAIRS) {
    return RBNN_PUF_BIAS;
  }
  return predictable != 0u ? RBNN_PUF_ENTROPY : RBNN_OK;
}
