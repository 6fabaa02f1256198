/* SPDX-License-Identifier: Apache-2.0 */
#include "puf/bch.h"

#include <string.h>

#include "crypto/wipe.h"

#define ERRORS RBNN_PUF_BCH_ERRORS
#define SYNDROMES (2u * ERRORS)
#define TERMS (ERRORS + 1u) /* coefficients of a locator polynomial */

_Static_assert(RBNN_PUF_BCH_CHECKS == 68u, "three words, four bits in the last");
#define LAST_WORD_MASK 0xfu

static const uint32_t generator[RBNN_BCH_CHECK_WORDS] = RBNN_PUF_GENERATOR;

/* Product in GF(256); the time does not depend on the operands. */
static uint8_t multiply(uint8_t a, uint8_t b)
{
  uint32_t product = 0;
  for (uint32_t i = 0; i < 8u; i++) {
    product ^= ((uint32_t)a << i) & (0u - (((uint32_t)b >> i) & 1u));
  }
  for (uint32_t i = 14; i >= 8u; i--) {
    product ^= (RBNN_PUF_FIELD_POLYNOMIAL << (i - 8u)) & (0u - ((product >> i) & 1u));
  }
  return (uint8_t)product;
}

/* All ones where `value` is not zero, else zero. */
static uint8_t mask_nonzero(uint8_t value)
{
  return (uint8_t)(0u - ((0u - (uint32_t)value) >> 31));
}

/* Without the barrier, Clang sees that a mask is all ones or zero, and chooses an address. */
static uint8_t choose(uint8_t mask, uint8_t yes, uint8_t no)
{
  __asm("" : "+r"(mask));
  return (uint8_t)((yes & mask) | (no & (uint8_t)~mask));
}

void rbnn_bch_remainder(const uint8_t bits[RBNN_PUF_BCH_LENGTH],
                        uint32_t remainder[RBNN_BCH_CHECK_WORDS])
{
  uint32_t low = 0;
  uint32_t middle = 0;
  uint32_t high = 0;
  for (uint32_t i = RBNN_PUF_BCH_LENGTH; i-- > 0u;) {
    const uint32_t overflow = 0u - ((high >> 3) & 1u); /* coefficient of x^67 */
    high = ((high << 1) | (middle >> 31)) & LAST_WORD_MASK;
    middle = (middle << 1) | (low >> 31);
    low = (low << 1) | bits[i];
    low ^= generator[0] & overflow;
    middle ^= generator[1] & overflow;
    high ^= generator[2] & overflow;
  }
  remainder[0] = low;
  remainder[1] = middle;
  remainder[2] = high;
}

/* syndromes[j] = difference(alpha^(j + 1)). */
static void evaluate_syndromes(const uint32_t difference[RBNN_BCH_CHECK_WORDS],
                               uint8_t syndromes[SYNDROMES])
{
  uint8_t point = 1;
  for (uint32_t j = 0; j < SYNDROMES; j++) {
    uint8_t sum = 0;
    point = multiply(point, 2);
    for (uint32_t i = RBNN_PUF_BCH_CHECKS; i-- > 0u;) {
      const uint8_t coefficient = (uint8_t)((difference[i / 32u] >> (i % 32u)) & 1u);
      sum = (uint8_t)(multiply(sum, point) ^ coefficient);
    }
    syndromes[j] = sum;
  }
}

/* Error locator, up to a constant factor. */
static void find_locator(const uint8_t syndromes[SYNDROMES], uint8_t locator[TERMS])
{
  uint8_t support[TERMS] = {1};
  uint8_t next[TERMS];
  uint8_t scale = 1;
  int32_t balance = 0; /* negative: the locator is longer than the syndromes seen explain */

  memset(locator, 0, TERMS);
  locator[0] = 1;
  for (uint32_t round = 0; round < SYNDROMES; round++) {
    uint8_t discrepancy = 0;
    for (uint32_t i = 0; i < TERMS && i <= round; i++) {
      discrepancy ^= multiply(syndromes[round - i], locator[i]);
    }
    next[0] = multiply(scale, locator[0]);
    for (uint32_t i = 1; i < TERMS; i++) {
      next[i] = (uint8_t)(multiply(scale, locator[i]) ^ multiply(discrepancy, support[i - 1u]));
    }
    const uint8_t not_negative = (uint8_t)(((uint32_t)balance >> 31) - 1u);
    const uint8_t grow = mask_nonzero(discrepancy) & not_negative;
    for (uint32_t i = TERMS - 1u; i > 0u; i--) {
      support[i] = choose(grow, locator[i], support[i - 1u]);
    }
    support[0] = choose(grow, locator[0], 0);
    scale = choose(grow, discrepancy, scale);
    /* Two's complement: grow gives -balance - 1, otherwise balance + 1. */
    const uint32_t wide = 0u - (uint32_t)(grow & 1u);
    balance = (int32_t)(((uint32_t)balance ^ wide) + (1u & ~wide));
    memcpy(locator, next, TERMS);
  }
  rbnn_wipe(support, sizeof support);
  rbnn_wipe(next, sizeof next);
}

void rbnn_bch_correct(uint8_t bits[RBNN_PUF_BCH_LENGTH],
                      const uint32_t difference[RBNN_BCH_CHECK_WORDS])
{
  uint8_t syndromes[SYNDROMES];
  uint8_t locator[TERMS];
  uint8_t steps[TERMS];

  evaluate_syndromes(difference, syndromes);
  find_locator(syndromes, locator);

  /* Term k of the locator at alpha^-i is locator[k] * alpha^(-k i): one step a position. */
  steps[0] = 1;
  steps[1] = 142; /* alpha^-1: x * 142 = 1 modulo 0x11D */
  for (uint32_t k = 2; k < TERMS; k++) {
    steps[k] = multiply(steps[k - 1u], steps[1]);
  }
  for (uint32_t i = 0; i < RBNN_PUF_BCH_LENGTH; i++) {
    uint8_t value = 0;
    for (uint32_t k = 0; k < TERMS; k++) {
      value ^= locator[k];
      locator[k] = multiply(locator[k], steps[k]);
    }
    bits[i] ^= (uint8_t)(~mask_nonzero(value) & 1u);
  }
  rbnn_wipe(syndromes, sizeof syndromes);
  rbnn_wipe(locator, sizeof locator);
}
