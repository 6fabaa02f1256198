/* SPDX-License-Identifier: Apache-2.0 */
/* Counting differing bits without a population-count instruction or a table, in constant time. */
#ifndef RBNN_CORE_POPCOUNT_H
#define RBNN_CORE_POPCOUNT_H

#include <stdint.h>

/* Eight 4-bit counts of the ones in each nibble of `word`. */
static inline uint32_t rbnn_nibble_counts(uint32_t word)
{
  word -= (word >> 1) & 0x55555555u;
  return (word & 0x33333333u) + ((word >> 2) & 0x33333333u);
}

/* Four byte counts from eight 4-bit counts. */
static inline uint32_t rbnn_byte_counts(uint32_t nibbles)
{
  return (nibbles & 0x0f0f0f0fu) + ((nibbles >> 4) & 0x0f0f0f0fu);
}

/* Ones in `word`. */
static inline uint32_t rbnn_popcount(uint32_t word)
{
  return (rbnn_byte_counts(rbnn_nibble_counts(word)) * 0x01010101u) >> 24;
}

/* Bits in which the `words` words at `a` and at `b` differ; a -1 in the sum of +-1 products each.
 * Three words share the later steps: a nibble then counts 12 at most, four bytes 96 together. */
static inline uint32_t rbnn_count_mismatches(const uint32_t *a, const uint32_t *b, uint32_t words)
{
  uint32_t count = 0;
  const uint32_t *end = a + words;
  for (const uint32_t *last = a + (words - words % 3u); a != last; a += 3, b += 3) {
    uint32_t nibbles = rbnn_nibble_counts(a[0] ^ b[0]) + rbnn_nibble_counts(a[1] ^ b[1]) +
                       rbnn_nibble_counts(a[2] ^ b[2]);
    count += (rbnn_byte_counts(nibbles) * 0x01010101u) >> 24;
  }
  for (; a != end; a++, b++) {
    count += rbnn_popcount(*a ^ *b);
  }
  return count;
}

#endif
