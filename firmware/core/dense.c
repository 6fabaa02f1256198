/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include <stdbool.h>

#include "dense_count.h"

/* Groups of planes: the blocks' five, then three for each tree of carries. 17 planes count the
 * 65,535 inputs that a layer may have. */
#define TREES 4u
#define PLANES 20u /* whole quarters, for finish() */
#define QUARTER_PLANES 4u
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

/* Mix the activations as the weights are mixed, and repeat them for all filters: what weights that
 * agree with them would be. */
static void spread(const uint32_t *input, uint32_t units, uint32_t *masks)
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
    before ^= (running >> 30) * 0x55555555u;
    for (uint32_t i = 0; i < 32u; i += 4u, masks += 2) {
      masks[0] = (sums >> i & 3u) * 0x55555555u;
      masks[1] = (values >> i & 3u) * 0x55555555u;
    }
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
    } else if (waiting) {
      for (uint32_t i = waiting; i < RBNN_DENSE_TREE_PAIRS; i++) {
        count->pending[k][i] = (rbnn_dense_pair){0, 0};
      }
      count->waiting[k] = RBNN_DENSE_TREE_PAIRS - 1u;
      wait(count, k);
    }
  }
}

/* Sum the two lanes of every filter: `totals[i]` holds filter 2 i and, in its upper half, filter
 * 2 i + 1. */
static void finish(const uint32_t *planes, uint32_t quarters, uint32_t totals[8])
{
  for (uint32_t i = 0; i < 8u; i++) {
    totals[i] = 0;
  }
  for (uint32_t shift = 0; quarters;
       quarters--, shift += QUARTER_PLANES, planes += QUARTER_PLANES) {
    uint32_t fields[QUARTER_PLANES]; /* 16 of two bits: 0 .. 2 */
    for (uint32_t i = 0; i < QUARTER_PLANES; i++) {
      fields[i] = planes[i] - (planes[i] >> 1 & 0x55555555u);
    }
    for (uint32_t odd = 0; odd < 2u; odd++) {
      /* 8 of four bits: 0 .. 6; 4 of eight bits: 0 .. 30. */
      const uint32_t s = 2u * odd;
      const uint32_t low = (fields[0] >> s & 0x33333333u) + ((fields[1] >> s & 0x33333333u) << 1);
      const uint32_t high = (fields[2] >> s & 0x33333333u) + ((fields[3] >> s & 0x33333333u) << 1);
      for (uint32_t half = 0; half < 2u; half++) {
        const uint32_t h = 4u * half;
        const uint32_t bytes = (low >> h & 0x0f0f0f0fu) + ((high >> h & 0x0f0f0f0fu) << 2);
        uint32_t *total = totals + 4u * odd + 2u * half;
        total[0] += (bytes & 0x00ff00ffu) << shift;
        total[1] += (bytes >> 8 & 0x00ff00ffu) << shift;
      }
    }
  }
}

/* Logits of the tile whose first filter is `first`, from its matching bits. */
static void write_logits(const rbnn_run *run, uint32_t first, uint32_t inputs,
                         const uint32_t *totals)
{
  const uint32_t filters = run->layer->out_channels;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + filters;
  for (uint32_t k = first; k < smaller(filters, first + RBNN_FILTERS_PER_TILE); k++) {
    const uint32_t matches = totals[(k - first) / 2u] >> 16u * (k % 2u) & 0xffffu;
    const uint32_t product = 2u * matches - inputs;
    run->logits[k] = (int32_t)((uint32_t)scales[k] * product + (uint32_t)biases[k]);
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
  return (planes + QUARTER_PLANES - 1u) / QUARTER_PLANES;
}

void rbnn_dense(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t units = in_units(layer);
  const uint32_t quarters = quarters_of(units);
  uint32_t *masks = run->work;
  uint32_t *room = masks + units * RBNN_DENSE_UNIT_WORDS;
  uint32_t piece = run->work_bytes / UNIT_BYTES - units;
  piece = piece < units ? piece - piece % RBNN_DENSE_BLOCK_UNITS : units;
  spread(run->input, units, masks);
  for (uint32_t first = 0; first < layer->out_channels; first += RBNN_FILTERS_PER_TILE) {
    counter count = {{0}, {{{0, 0}}}, {0}, {false}};
    for (uint32_t unit = 0; unit < units; unit += piece) {
      const uint32_t now = smaller(piece, units - unit);
      const uint32_t *weights = run->source(
          run->source_context, run->number,
          (first / RBNN_FILTERS_PER_TILE * units + unit) * UNIT_BYTES, now * UNIT_BYTES, room);
      add_piece(&count, weights, masks + unit * RBNN_DENSE_UNIT_WORDS, now);
    }
    settle(&count);
    uint32_t totals[RBNN_FILTERS_PER_TILE / 2u];
    finish(count.planes, quarters, totals);
    write_logits(run, first, units * 32u, totals);
  }
}
