/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conv_stem/conv_stem_lanes.h"

#include <string.h>

#include "spec/target.h"

#if RBNN_TARGET_V7EM
#include <arm_acle.h>
#endif

#if RBNN_TARGET_V7M

void rbnn_stem_wide_table(const uint32_t *sources, uint32_t offset, uint32_t *table);
void rbnn_stem_narrow_table(const uint32_t *sources, uint32_t offset, uint32_t *table);
void rbnn_stem_sums_3(const uint32_t *codes, uint32_t *sums);
void rbnn_stem_sums_6(const uint32_t *codes, uint32_t *sums);
void rbnn_stem_sums_9(const uint32_t *codes, uint32_t *sums);

#endif

static uint32_t add(uint32_t a, uint32_t b)
{
#if RBNN_TARGET_V7EM
  return (uint32_t)__sadd16((int16x2_t)a, (int16x2_t)b);
#else
  return a + b;
#endif
}

#if !RBNN_TARGET_V7M

/* Two int16 lanes as high * 65536 + low. */
static uint32_t load(uintptr_t address)
{
  uint32_t word;
  memcpy(&word, (const void *)address, sizeof word);
  return word - ((word & 0x8000u) << 1);
}

static void build(uintptr_t origin, const uint32_t *sources, uint32_t offset, uint32_t values,
                  uint32_t *table)
{
  uint32_t start[RBNN_STEM_WORDS] = {0};
  uint32_t filled = 1;
  for (uint32_t i = 0; i < values; i++) {
    for (uint32_t j = 0; j < RBNN_STEM_WORDS; j++) {
      start[j] += load(origin + sources[RBNN_STEM_WORDS * i + j] + offset);
    }
  }
  /* All weights -1; the loads hold twice the values. */
  for (uint32_t j = 0; j < RBNN_STEM_WORDS; j++) {
    table[j] = 0u - (uint32_t)((int32_t)start[j] >> 1);
  }
  for (uint32_t i = 0; i < values; i++, filled *= 2u) {
    for (uint32_t j = 0; j < RBNN_STEM_WORDS; j++) {
      const uint32_t value = load(origin + sources[RBNN_STEM_WORDS * i + j] + offset);
      for (uint32_t k = 0; k < filled; k++) {
        table[RBNN_STEM_WORDS * (filled + k) + j] = table[RBNN_STEM_WORDS * k + j] + value;
      }
    }
  }
}

#endif

void rbnn_stem_tables(uintptr_t origin, const uint32_t *sources, uint32_t offset, uint32_t wide,
                      uint32_t narrow, uint32_t *tables)
{
  for (; wide; wide--) {
#if RBNN_TARGET_V7M
    rbnn_stem_wide_table(sources, offset, tables);
#else
    build(origin, sources, offset, RBNN_STEM_WIDE, tables);
#endif
    sources += RBNN_STEM_WIDE * RBNN_STEM_WORDS;
    tables += RBNN_STEM_WORDS << RBNN_STEM_WIDE;
  }
  for (; narrow; narrow--) {
#if RBNN_TARGET_V7M
    rbnn_stem_narrow_table(sources, offset, tables);
#else
    build(origin, sources, offset, RBNN_STEM_NARROW, tables);
#endif
    sources += RBNN_STEM_NARROW * RBNN_STEM_WORDS;
    tables += RBNN_STEM_WORDS << RBNN_STEM_NARROW;
  }
  (void)origin;
}

static void sum_any(uintptr_t origin, const uint32_t *codes, uint32_t groups, uint32_t *sums)
{
  for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f++, sums += RBNN_STEM_WORDS) {
    const uint32_t *entry = (const uint32_t *)(origin + *codes++);
    uint32_t s0 = entry[0], s1 = entry[1], s2 = entry[2], s3 = entry[3];
    for (uint32_t g = 1; g < groups; g++) {
      entry = (const uint32_t *)(origin + *codes++);
      s0 = add(s0, entry[0]);
      s1 = add(s1, entry[1]);
      s2 = add(s2, entry[2]);
      s3 = add(s3, entry[3]);
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
  }
}

void rbnn_stem_sums(uintptr_t origin, const uint32_t *codes, uint32_t groups, uint32_t *sums)
{
  switch (groups) {
#if RBNN_TARGET_V7M
    case 3: rbnn_stem_sums_3(codes, sums); break;
    case 6: rbnn_stem_sums_6(codes, sums); break;
    case 9: rbnn_stem_sums_9(codes, sums); break;
#endif
    default: sum_any(origin, codes, groups, sums);
  }
}
