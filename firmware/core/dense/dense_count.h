/* SPDX-License-Identifier: Apache-2.0 */
/* Counting differing bits of 16 filters at once, carry-save: lane by lane, 32 lanes a word.
 *
 * Counts are kept as *planes*: word k holds bit k of every lane's count. Carries of one weight
 * travel in pairs (x, x ^ y), the encoding that a modified double full adder takes and gives: 8
 * operations for two full adders (Demenkov, Kojevnikov, Kulikov, Yaroslavtsev 2010). Weights are
 * stored mixed, so that the first level takes 10 operations for four words, their exclusive or with
 * the activations included; Packing PAIRS in rbnn/spec/packing.py. */
#ifndef RBNN_CORE_DENSE_COUNT_H
#define RBNN_CORE_DENSE_COUNT_H

#include <stdint.h>

#define RBNN_DENSE_UNIT_WORDS 16u /* 32 inputs of a tile */
#define RBNN_DENSE_BLOCK_UNITS 4u
#define RBNN_DENSE_BLOCK_WORDS (RBNN_DENSE_UNIT_WORDS * RBNN_DENSE_BLOCK_UNITS)
#define RBNN_DENSE_BLOCK_PLANES 5u
#define RBNN_DENSE_TREE_PAIRS 8u
#define RBNN_DENSE_TREE_PLANES 3u

typedef struct {
  uint32_t x;
  uint32_t sum; /* x ^ y */
} rbnn_dense_pair;

/* Add two pairs to `plane`, which has their weight; the carries have twice that. */
rbnn_dense_pair rbnn_dense_add(uint32_t *plane, rbnn_dense_pair a, rbnn_dense_pair b);

/* Add 8 pairs to `planes`, 3 of them from the pairs' weight on; the carries have 8 times that. */
rbnn_dense_pair rbnn_dense_add_tree(uint32_t *planes, const rbnn_dense_pair *pairs);

/* Add `units` (at most 4) units to planes 0 .. 4; the carries have weight 32. */
rbnn_dense_pair rbnn_dense_add_units(uint32_t *planes, const uint32_t *weights,
                                     const uint32_t *masks, uint32_t units);

/* Add `blocks` (at least 1) blocks of 4 units to planes 0 .. 4; carries of weight 32, one pair a
 * block. In assembly where the core has it. */
void rbnn_dense_add_blocks(uint32_t *planes, const uint32_t *weights, const uint32_t *masks,
                           uint32_t blocks, rbnn_dense_pair *carries);

#endif
