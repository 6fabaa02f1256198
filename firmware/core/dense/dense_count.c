/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dense/dense_count.h"

#include "spec/target.h"

#define UNIT_PAIRS 2u

/* Two full adders: `a` and `b` are (sum, x ^ plane) already. */
static rbnn_dense_pair add_mixed(uint32_t *plane, uint32_t sum_a, uint32_t v_a, uint32_t sum_b,
                                 uint32_t v_b)
{
  const uint32_t middle = *plane ^ sum_a;
  const uint32_t unequal = sum_a | v_a;
  *plane = middle ^ sum_b;
  return (rbnn_dense_pair){middle ^ unequal, unequal ^ (v_b & ~sum_b)};
}

rbnn_dense_pair rbnn_dense_add(uint32_t *plane, rbnn_dense_pair a, rbnn_dense_pair b)
{
  return add_mixed(plane, a.sum, a.x ^ *plane, b.sum, b.x ^ *plane ^ a.sum);
}

rbnn_dense_pair rbnn_dense_add_tree(uint32_t *planes, const rbnn_dense_pair *pairs)
{
  rbnn_dense_pair quarters[4];
  for (uint32_t i = 0; i < 4u; i++) {
    quarters[i] = rbnn_dense_add(planes, pairs[2u * i], pairs[2u * i + 1u]);
  }
  const rbnn_dense_pair low = rbnn_dense_add(planes + 1, quarters[0], quarters[1]);
  const rbnn_dense_pair high = rbnn_dense_add(planes + 1, quarters[2], quarters[3]);
  return rbnn_dense_add(planes + 2, low, high);
}

/* Eight words; the carries have weight 4. */
static rbnn_dense_pair add_half_unit(uint32_t *planes, const uint32_t *w, const uint32_t *m)
{
  const rbnn_dense_pair a = add_mixed(planes, w[0] ^ m[0], w[1] ^ m[1], w[2] ^ m[2], w[3] ^ m[3]);
  const rbnn_dense_pair b = add_mixed(planes, w[4] ^ m[4], w[5] ^ m[5], w[6] ^ m[6], w[7] ^ m[7]);
  return rbnn_dense_add(planes + 1, a, b);
}

rbnn_dense_pair rbnn_dense_add_units(uint32_t *planes, const uint32_t *weights,
                                     const uint32_t *masks, uint32_t units)
{
  rbnn_dense_pair pairs[RBNN_DENSE_TREE_PAIRS] = {{0, 0}};
  for (uint32_t i = 0; i < UNIT_PAIRS * units; i++) {
    pairs[i] = add_half_unit(planes, weights, masks);
    weights += RBNN_DENSE_UNIT_WORDS / UNIT_PAIRS;
    masks += RBNN_DENSE_UNIT_WORDS / UNIT_PAIRS;
  }
  return rbnn_dense_add_tree(planes + 2, pairs);
}

#if !RBNN_TARGET_V7M

void rbnn_dense_add_blocks(uint32_t *planes, const uint32_t *weights, const uint32_t *masks,
                           uint32_t blocks, rbnn_dense_pair *carries)
{
  for (; blocks; blocks--, carries++) {
    *carries = rbnn_dense_add_units(planes, weights, masks, RBNN_DENSE_BLOCK_UNITS);
    weights += RBNN_DENSE_BLOCK_WORDS;
    masks += RBNN_DENSE_BLOCK_WORDS;
  }
}

#endif
