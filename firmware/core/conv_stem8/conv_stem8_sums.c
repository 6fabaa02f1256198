/* SPDX-License-Identifier: Apache-2.0 */
/* For machines without DSP instructions; conv_stem8_v7em.S has the other. */
#include "core/conv_stem8/conv_stem8_sums.h"

#include "spec/rbnn_spec.h"
#include "spec/target.h"

#if !RBNN_TARGET_V7EM

#define SUMS (RBNN_STEM8_FILTERS * RBNN_STEM8_POSITIONS)

static int32_t low(uint32_t word)
{
  return (int16_t)(word & 0xffffu);
}

static int32_t high(uint32_t word)
{
  return (int16_t)(word >> 16);
}

/* Two filters with their four positions; returns where the weights of the next two are. */
static const uint32_t *multiply(const rbnn_stem8_windows *windows, const uint32_t *weights,
                                int32_t sums[SUMS])
{
  for (uint32_t i = 0; i < SUMS; i++) {
    sums[i] = windows->half;
  }
  for (const uint32_t *column = windows->columns; column != windows->end;
       column += RBNN_STEM8_POSITIONS, weights += RBNN_STEM8_FILTERS) {
    const int32_t first_low = low(weights[0]), first_high = high(weights[0]);
    const int32_t second_low = low(weights[1]), second_high = high(weights[1]);
#pragma GCC unroll 4
    for (uint32_t j = 0; j < RBNN_STEM8_POSITIONS; j++) {
      const int32_t a = low(column[j]), b = high(column[j]);
      sums[j] += a * first_low + b * first_high;
      sums[RBNN_STEM8_POSITIONS + j] += a * second_low + b * second_high;
    }
  }
  return weights;
}

/* Without a branch; both are far from the limits of 32 bits. */
static int32_t larger(int32_t a, int32_t b)
{
  return b + ((a - b) & ~((a - b) >> 31));
}

void rbnn_stem8_largest(const rbnn_stem8_windows *windows, const uint32_t *weights, rbnn_half *sums)
{
  for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f += RBNN_STEM8_FILTERS) {
    int32_t found[SUMS];
    weights = multiply(windows, weights, found);
    for (const int32_t *four = found; four != found + SUMS; four += RBNN_STEM8_POSITIONS) {
      const int32_t largest = larger(larger(four[0], four[1]), larger(four[2], four[3]));
      *sums++ = (int16_t)(largest >> windows->shift);
    }
  }
}

void rbnn_stem8_each(const rbnn_stem8_windows *windows, const uint32_t *weights, rbnn_half *sums)
{
  for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f += RBNN_STEM8_FILTERS) {
    int32_t found[SUMS];
    weights = multiply(windows, weights, found);
    for (uint32_t i = 0; i < SUMS; i++) {
      sums[i % RBNN_STEM8_POSITIONS * RBNN_FILTERS_PER_TILE + f + i / RBNN_STEM8_POSITIONS] =
          (int16_t)(found[i] >> windows->shift);
    }
  }
}

#endif
