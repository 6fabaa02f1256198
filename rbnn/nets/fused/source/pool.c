/* SPDX-License-Identifier: Apache-2.0 */
#include "fused.h"

typedef struct {
  const rbnn_network *network;
  const rbnn_node *node;
  const int16_t *from;
  int16_t *to;
  uint8_t *chosen;
  const uint8_t *was_chosen;
  const rbnn_bf16 *gradient;
  rbnn_bf16 *of_from;
} pooling;

static size_t line(int c)
{
  return (size_t)RBNN_BLOCK * c;
}

/* One row of one block of the pooled sums; the first of equal ones is chosen. */
static void pool_row(void *context, int part)
{
  const pooling *p = context;
  const rbnn_node *node = p->node;
  const int block = part / node->h, y = part % node->h;
  const size_t values = (size_t)rbnn_valid(p->network, block) * node->c;
  for (int x = 0; x < node->w; x++) {
    const size_t place = ((size_t)part * node->w + x) * line(node->c);
    for (int tap = 0; tap < node->pool * node->pool; tap++) {
      const size_t row = (size_t)block * node->full_h + y * node->pool + tap / node->pool;
      const size_t pixel = row * node->full_w + x * node->pool + tap % node->pool;
      const int16_t *from = p->from + pixel * line(node->c);
      int16_t *most = p->to + place;
      uint8_t *chosen = p->chosen + place;
      for (size_t i = 0; i < values; i++) {
        const bool larger = tap == 0 || from[i] > most[i];
        chosen[i] = larger ? (uint8_t)tap : chosen[i];
        most[i] = larger ? from[i] : most[i];
      }
    }
  }
}

void rbnn_max_pool(const rbnn_network *network, const rbnn_node *node, const rbnn_record *record)
{
  pooling p = {.network = network, .node = node, .from = record->full, .to = record->sums};
  p.chosen = record->chosen;
  rbnn_parallel(network->blocks * node->h, network->threads, pool_row, &p);
}

static void pool_back_row(void *context, int part)
{
  const pooling *p = context;
  const rbnn_node *node = p->node;
  const int block = part / node->full_h, y = part % node->full_h;
  for (int x = 0; x < node->full_w; x++) {
    const size_t row = (size_t)block * node->h + y / node->pool;
    const size_t from = (row * node->w + x / node->pool) * line(node->c);
    rbnn_bf16 *to = p->of_from + ((size_t)part * node->full_w + x) * line(node->c);
    const int tap = y % node->pool * node->pool + x % node->pool;
    const bool inside = y / node->pool < node->h && x / node->pool < node->w;
    if (!inside) {
      memset(to, 0, line(node->c) * sizeof *to);
      continue;
    }
    for (size_t i = 0; i < line(node->c); i++)
      to[i] = p->was_chosen[from + i] == tap ? p->gradient[from + i] : 0;
  }
}

void rbnn_max_pool_back(const rbnn_network *network, const rbnn_node *node, const uint8_t *chosen,
                        const rbnn_bf16 *of_sums, rbnn_bf16 *of_full)
{
  pooling p = {.network = network, .node = node, .was_chosen = chosen, .gradient = of_sums};
  p.of_from = of_full;
  rbnn_parallel(network->blocks * node->full_h, network->threads, pool_back_row, &p);
}

/* One row of one block of the means, rounded to the nearest, halves up. */
static void average_row(void *context, int part)
{
  const pooling *p = context;
  const rbnn_node *node = p->node;
  const int block = part / node->h, y = part % node->h, window = node->side * node->side;
  const size_t values = (size_t)rbnn_valid(p->network, block) * node->c;
  int32_t *sums = rbnn_borrow(values * sizeof *sums);
  for (int x = 0; x < node->w; x++) {
    for (int tap = 0; tap < window; tap++) {
      const size_t row = (size_t)block * node->in_h + y * node->stride + tap / node->side;
      const size_t pixel = row * node->in_w + x * node->stride + tap % node->side;
      const int16_t *from = p->from + pixel * line(node->c);
      for (size_t i = 0; i < values; i++) sums[i] = (tap ? sums[i] : 0) + from[i];
    }
    int16_t *to = p->to + ((size_t)part * node->w + x) * line(node->c);
    /* A window has a power of two of pixels. */
    const int shift = __builtin_ctz((unsigned)window);
    for (size_t i = 0; i < values; i++) to[i] = (int16_t)((sums[i] + window / 2) >> shift);
  }
  rbnn_give_back(sums);
}

void rbnn_average(const rbnn_network *network, const rbnn_node *node, const int16_t *source,
                  int16_t *stream)
{
  pooling p = {.network = network, .node = node, .from = source, .to = stream};
  rbnn_parallel(network->blocks * node->h, network->threads, average_row, &p);
}

static void average_back_row(void *context, int part)
{
  const pooling *p = context;
  const rbnn_node *node = p->node;
  const int block = part / node->in_h, y = part % node->in_h;
  const float share = 1.0f / (float)(node->side * node->side);
  for (int x = 0; x < node->in_w; x++) {
    const size_t row = (size_t)block * node->h + y / node->stride;
    const rbnn_bf16 *from = p->gradient + (row * node->w + x / node->stride) * line(node->c);
    rbnn_bf16 *to = p->of_from + ((size_t)part * node->in_w + x) * line(node->c);
    /* Between windows, or left over at the right and at the bottom. */
    if (y % node->stride >= node->side || x % node->stride >= node->side ||
        y / node->stride >= node->h || x / node->stride >= node->w) {
      memset(to, 0, line(node->c) * sizeof *to);
      continue;
    }
    for (size_t i = 0; i < line(node->c); i += RBNN_LANES)
      rbnn_store_half(to + i, rbnn_load_half(from + i) * share);
  }
}

void rbnn_average_back(const rbnn_network *network, const rbnn_node *node,
                       const rbnn_bf16 *of_stream, rbnn_bf16 *of_source)
{
  pooling p = {.network = network, .node = node, .gradient = of_stream, .of_from = of_source};
  rbnn_parallel(network->blocks * node->in_h, network->threads, average_back_row, &p);
}
