/* SPDX-License-Identifier: Apache-2.0 */
/* Logits from bits: scale * product + bias, modulo 2^32 (the exporter refuses scales that could
 * overflow). */
#include "core/kernels.h"

#include <stdbool.h>

#include "core/dense/dense_count.h"
#include "core/dense/dense_finish.h"

/* Groups of planes: the blocks' five, then three for each tree of carries. 17 planes count the
 * 65,535 inputs that a layer may have. */
#define TREES 4u
#define PLANES 20u
/* A pair of bits times this is the word with that pair everywhere. */
#define EVERY_PAIR 0x55555555u
/* With constant shifts, which its callers give, it takes a third fewer instructions. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
/* By itself it has the registers that it needs. */
#define NEVER_INLINE __attribute__((noinline))
#define UNIT_BYTES (RBNN_DENSE_UNIT_WORDS * 4u)

#define FIRST_PLANE(tree) (RBNN_DENSE_BLOCK_PLANES + RBNN_DENSE_TREE_PLANES * (tree))

_Static_assert(RBNN_DENSE_BLOCK_PLANES + TREES * RBNN_DENSE_TREE_PLANES <= PLANES, "planes");

typedef struct {
  uint32_t planes[PLANES];
  rbnn_dense_pair pending[TREES][RBNN_DENSE_TREE_PAIRS];
  uint32_t waiting[TREES];
  bool used[TREES]; /* its planes may hold ones */
} counter;

static uint32_t in_units(const rbnn_layer *layer)
{
  return (uint32_t)layer->in_height * layer->in_width * layer->in_channels / 32u;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

uint32_t rbnn_dense_work_bytes(const rbnn_layer *layer)
{
  const uint32_t units = in_units(layer);
  return (units + smaller(units, RBNN_DENSE_BLOCK_UNITS)) * UNIT_BYTES;
}

/* Two words of a unit, for all filters of a tile. */
static ALWAYS_INLINE void spread_pair(uint32_t sums, uint32_t values, uint32_t i, uint32_t *masks)
{
  masks[2u * i] = (sums >> 4u * i & 3u) * EVERY_PAIR;
  masks[2u * i + 1u] = (values >> 4u * i & 3u) * EVERY_PAIR;
}

/* Mix the activations as the weights are mixed, and repeat them for all filters: what weights that
 * agree with them would be. */
static NEVER_INLINE void spread(const uint32_t *input, uint32_t units, uint32_t *masks)
{
  uint32_t before = 0; /* exclusive or of the words so far, of both lanes of every filter */
  for (; units; units--) {
    const uint32_t plain = ~*input++;
    uint32_t running = plain ^ plain << 2;
    running ^= running << 4;
    running ^= running << 8;
    running ^= running << 16;
    const uint32_t sums = plain ^ plain >> 2;
    const uint32_t values = plain ^ running << 2 ^ before;
    before ^= (running >> 30) * EVERY_PAIR;
    spread_pair(sums, values, 0, masks);
    spread_pair(sums, values, 1, masks);
    spread_pair(sums, values, 2, masks);
    spread_pair(sums, values, 3, masks);
    spread_pair(sums, values, 4, masks);
    spread_pair(sums, values, 5, masks);
    spread_pair(sums, values, 6, masks);
    spread_pair(sums, values, 7, masks);
    masks += RBNN_DENSE_UNIT_WORDS;
  }
}

static void clear(counter *count)
{
  for (uint32_t i = 0; i < PLANES; i++) {
    count->planes[i] = 0;
  }
  for (uint32_t k = 0; k < TREES; k++) {
    count->waiting[k] = 0;
    count->used[k] = false;
  }
}

/* One more of the carries of tree `k` waits in `pending`; full trees are added up. */
static void wait(counter *count, uint32_t k)
{
  while (++count->waiting[k] == RBNN_DENSE_TREE_PAIRS && k + 1u < TREES) {
    const rbnn_dense_pair carry =
        rbnn_dense_add_tree(count->planes + FIRST_PLANE(k), count->pending[k]);
    count->waiting[k] = 0;
    count->used[k] = true;
    k++;
    count->pending[k][count->waiting[k]] = carry;
  }
}

/* Bring all carries into the planes. */
static void settle(counter *count)
{
  for (uint32_t k = 0; k < TREES; k++) {
    const uint32_t waiting = count->waiting[k];
    if (waiting == 1u && !count->used[k]) {
      /* The first and last of its weight needs no adder. */
      const rbnn_dense_pair carry = count->pending[k][0];
      count->planes[FIRST_PLANE(k)] = carry.sum;
      count->planes[FIRST_PLANE(k) + 1u] = carry.x & ~carry.sum;
      return;
    }
    if (waiting) {
      for (uint32_t i = waiting; i < RBNN_DENSE_TREE_PAIRS; i++) {
        count->pending[k][i] = (rbnn_dense_pair){0, 0};
      }
      count->waiting[k] = RBNN_DENSE_TREE_PAIRS - 1u;
      wait(count, k);
    }
  }
}

/* Logits of `count` filters from their matching bits. */
static void write_logits(const uint32_t *totals, uint32_t count, uint32_t inputs,
                         const int32_t *scales, const int32_t *biases, int32_t *logits)
{
  const uint32_t pairs = count / 2u;
  if (pairs) {
    rbnn_dense_scale(totals, pairs, inputs, scales, biases, logits);
  }
  if (count % 2u) {
    const uint32_t product = 2u * (totals[pairs] & RBNN_DENSE_TOTAL_MASK) - inputs;
    logits[count - 1u] =
        (int32_t)((uint32_t)scales[count - 1u] * product + (uint32_t)biases[count - 1u]);
  }
}

/* Add `units` units. All but a tile's last piece are whole blocks. */
static void add_piece(counter *count, const uint32_t *weights, const uint32_t *masks,
                      uint32_t units)
{
  for (uint32_t blocks = units / RBNN_DENSE_BLOCK_UNITS; blocks;) {
    const uint32_t now = smaller(blocks, RBNN_DENSE_TREE_PAIRS - count->waiting[0]);
    rbnn_dense_add_blocks(count->planes, weights, masks, now,
                          count->pending[0] + count->waiting[0]);
    weights += now * RBNN_DENSE_BLOCK_WORDS;
    masks += now * RBNN_DENSE_BLOCK_WORDS;
    blocks -= now;
    count->waiting[0] += now - 1u;
    wait(count, 0);
  }
  if (units % RBNN_DENSE_BLOCK_UNITS) {
    count->pending[0][count->waiting[0]] =
        rbnn_dense_add_units(count->planes, weights, masks, units % RBNN_DENSE_BLOCK_UNITS);
    wait(count, 0);
  }
}

/* Planes that counts of up to 16 a unit need, in quarters. */
static uint32_t quarters_of(uint32_t units)
{
  uint32_t planes = 0;
  for (uint32_t most = units * RBNN_DENSE_UNIT_WORDS; most; most >>= 1) {
    planes++;
  }
  const uint32_t quarters = (planes + RBNN_DENSE_QUARTER_PLANES - 1u) / RBNN_DENSE_QUARTER_PLANES;
  return quarters < 2u ? 2u : quarters;
}

void rbnn_dense(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t units = in_units(layer);
  const uint32_t quarters = quarters_of(units);
  const uint32_t filters = layer->out_channels;
  const int32_t *scales = run->params;
  uint32_t *masks = run->work;
  uint32_t *room = masks + units * RBNN_DENSE_UNIT_WORDS;
  uint32_t piece = run->work_bytes / UNIT_BYTES - units;
  piece = piece < units ? piece - piece % RBNN_DENSE_BLOCK_UNITS : units;
  spread(run->input, units, masks);
  for (uint32_t first = 0; first < filters; first += RBNN_FILTERS_PER_TILE) {
    counter count;
    clear(&count);
    for (uint32_t unit = 0; unit < units; unit += piece) {
      const uint32_t now = smaller(piece, units - unit);
      const uint32_t *weights = run->source(
          run->source_context, run->number,
          (first / RBNN_FILTERS_PER_TILE * units + unit) * UNIT_BYTES, now * UNIT_BYTES, room);
      add_piece(&count, weights, masks + unit * RBNN_DENSE_UNIT_WORDS, now);
    }
    settle(&count);
    uint32_t totals[RBNN_DENSE_TOTALS];
    rbnn_dense_sum_lanes(count.planes, quarters, totals);
    write_logits(totals, smaller(filters - first, RBNN_FILTERS_PER_TILE), 32u * units,
                 scales + first, scales + filters + first, run->logits + first);
  }
}
