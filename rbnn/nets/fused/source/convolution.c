/* SPDX-License-Identifier: Apache-2.0 */
#include "fused.h"

#define MOST_TAPS 9
#define COLUMNS (2 * RBNN_LANES)

size_t rbnn_packed_values(const rbnn_node *node)
{
  return (size_t)node->side * node->side * node->in_c * node->c;
}

typedef struct {
  const rbnn_node *node;
  const rbnn_values *values;
  bool transposed;
  rbnn_bf16 *packed;
} packing;

/* Sixteen weights of -1 and +1 as bfloat16, in words. */
static inline rbnn_words weights(const rbnn_values *values, size_t place)
{
  rbnn_integers signs = rbnn_load_tiny(values->stored + place);
  if (values->factor) signs ^= rbnn_load_tiny(values->factor + place);
  return ((rbnn_words)signs >> 16 & 0x8000) | 0x3f80;
}

/* One tap: [depth block][column block][pair][16][2]. */
static void pack_rows(const packing *p, int tap)
{
  const int in_c = p->node->in_c, c = p->node->c, depth = rbnn_depth(in_c);
  const size_t first = (size_t)tap * in_c * c;
  uint32_t *to = (uint32_t *)(void *)(p->packed + first);
  for (int k = 0; k < in_c; k += depth)
    for (int n = 0; n < c; n += RBNN_LANES)
      for (int row = k; row < k + depth; row += 2, to += RBNN_LANES) {
        const size_t place = first + (size_t)row * c + n;
        const rbnn_words words = weights(p->values, place) | weights(p->values, place + c) << 16;
        memcpy(to, &words, sizeof words);
      }
}

/* The same of the transposed kernel: pairs of filters by input channels. */
static void pack_columns(const packing *p, int tap)
{
  const int in_c = p->node->in_c, c = p->node->c, depth = rbnn_depth(c);
  const size_t first = (size_t)tap * in_c * c;
  uint32_t *to = (uint32_t *)(void *)(p->packed + first);
  for (int k = 0; k < c; k += depth)
    for (int n = 0; n < in_c; n += RBNN_LANES, to += depth / 2 * RBNN_LANES)
      for (int lane = 0; lane < RBNN_LANES; lane++)
        for (int half = 0; half < depth; half += RBNN_LANES) {
          const rbnn_words words = weights(p->values, first + (size_t)(n + lane) * c + k + half);
          for (int i = 0; i < RBNN_LANES; i += 2)
            to[(half + i) / 2 * RBNN_LANES + lane] = words[i] | words[i + 1] << 16;
        }
}

static void pack_tap(void *context, int tap)
{
  const packing *p = context;
  if (p->transposed)
    pack_columns(p, tap);
  else
    pack_rows(p, tap);
}

void rbnn_pack(const rbnn_network *network, const rbnn_node *node, const rbnn_values *values,
               bool transposed, rbnn_bf16 *packed)
{
  packing p = {node, values, transposed, packed};
  rbnn_parallel(node->side * node->side, network->threads, pack_tap, &p);
}

typedef struct {
  const rbnn_network *network;
  const rbnn_node *node;
  const rbnn_bf16 *field, *packed, *border;
  int16_t *sums;
  rbnn_bf16 *of_signs;
} convolving;

/* One row of one block of sums. */
static void convolve_row(void *context, int part)
{
  const convolving *p = context;
  const rbnn_node *node = p->node;
  const int block = part / node->full_h, y = part % node->full_h;
  const int valid = rbnn_valid(p->network, block);
  const int taps = node->side * node->side, depth = rbnn_depth(node->in_c);
  const int depths = node->in_c / depth, tiles = node->c / RBNN_LANES;
  const rbnn_bf16 *a[MOST_TAPS * RBNN_STRIP / RBNN_LANES], *b[MOST_TAPS * RBNN_STRIP / RBNN_LANES];
  float out[RBNN_BLOCK * COLUMNS] __attribute__((aligned(64)));
  rbnn_product product = {.steps = taps * depths, .depth = depth, .a = a, .b = b};
  product.a_row = node->in_c;
  product.row_tiles = valid > RBNN_LANES ? 2 : 1;
  for (int step = 0; step < product.steps; step++)
    b[step] = p->packed + (size_t)step * tiles * depth * RBNN_LANES;
  rbnn_begin_tiles(depth);
  for (int tile = 0; tile < tiles; tile += 2) {
    product.column_tiles = tile + 1 < tiles ? 2 : 1;
    product.b_first = (size_t)tile * depth * RBNN_LANES;
    for (int x = 0; x < node->full_w; x++) {
      int step = 0;
      for (int tap = 0; tap < taps; tap++) {
        const int row = y * node->stride + tap / node->side - node->border;
        const int column = x * node->stride + tap % node->side - node->border;
        const bool inside = row >= 0 && row < node->in_h && column >= 0 && column < node->in_w;
        const size_t pixel = ((size_t)block * node->in_h + row) * node->in_w + column;
        const rbnn_bf16 *from = inside ? p->field + pixel * RBNN_BLOCK * node->in_c : p->border;
        for (int k = 0; k < depths; k++) a[step++] = from + k * depth;
      }
      rbnn_multiply(&product, out);
      const size_t pixel = (size_t)part * node->full_w + x;
      int16_t *to = p->sums + pixel * RBNN_BLOCK * node->c + tile * RBNN_LANES;
      for (int n = 0; n < valid; n++, to += node->c)
        for (int i = 0; i < product.column_tiles; i++)
          rbnn_store_short(to + i * RBNN_LANES, rbnn_load(out + n * COLUMNS + i * RBNN_LANES));
    }
  }
  rbnn_end_tiles();
}

void rbnn_convolve(const rbnn_network *network, const rbnn_node *node, const rbnn_bf16 *signs,
                   const rbnn_bf16 *packed, int16_t *sums)
{
  rbnn_bf16 *border = rbnn_borrow(sizeof *border * RBNN_BLOCK * node->in_c);
  for (int i = 0; i < RBNN_BLOCK * node->in_c; i++) border[i] = 0x3f80;
  convolving p = {network, node, signs, packed, border, sums, NULL};
  rbnn_parallel(network->blocks * node->full_h, network->threads, convolve_row, &p);
  rbnn_give_back(border);
}

/* The pixel of the sums that a pixel of the input meets at one tap of a side; -1 for none. */
static int meets(int place, int tap, const rbnn_node *node, int size)
{
  const int from = place + node->border - tap;
  if (from < 0 || from % node->stride) return -1;
  return from / node->stride < size ? from / node->stride : -1;
}

/* One row of one block of the input's gradient. */
static void convolve_back_row(void *context, int part)
{
  const convolving *p = context;
  const rbnn_node *node = p->node;
  const int block = part / node->in_h, y = part % node->in_h;
  const int valid = rbnn_valid(p->network, block);
  const int taps = node->side * node->side, depth = rbnn_depth(node->c);
  const int depths = node->c / depth, tiles = node->in_c / RBNN_LANES;
  const rbnn_bf16 *a[MOST_TAPS * RBNN_STRIP / RBNN_LANES], *b[MOST_TAPS * RBNN_STRIP / RBNN_LANES];
  float out[RBNN_BLOCK * COLUMNS] __attribute__((aligned(64)));
  rbnn_product product = {.depth = depth, .a = a, .b = b};
  product.a_row = node->c;
  product.row_tiles = valid > RBNN_LANES ? 2 : 1;
  rbnn_begin_tiles(depth);
  for (int tile = 0; tile < tiles; tile += 2) {
    product.column_tiles = tile + 1 < tiles ? 2 : 1;
    for (int x = 0; x < node->in_w; x++) {
      product.steps = 0;
      for (int tap = 0; tap < taps; tap++) {
        const int row = meets(y, tap / node->side, node, node->full_h);
        const int column = meets(x, tap % node->side, node, node->full_w);
        if (row < 0 || column < 0) continue;
        const size_t pixel = ((size_t)block * node->full_h + row) * node->full_w + column;
        for (int k = 0; k < depths; k++, product.steps++) {
          const size_t place = ((size_t)tap * depths + k) * tiles + tile;
          a[product.steps] = p->field + pixel * RBNN_BLOCK * node->c + k * depth;
          b[product.steps] = p->packed + place * depth * RBNN_LANES;
        }
      }
      rbnn_multiply(&product, out);
      const size_t pixel = (size_t)part * node->in_w + x;
      rbnn_bf16 *to = p->of_signs + pixel * RBNN_BLOCK * node->in_c + tile * RBNN_LANES;
      for (int n = 0; n < valid; n++, to += node->in_c)
        for (int i = 0; i < product.column_tiles; i++)
          rbnn_store_half(to + i * RBNN_LANES, rbnn_load(out + n * COLUMNS + i * RBNN_LANES));
    }
  }
  rbnn_end_tiles();
}

void rbnn_convolve_back(const rbnn_network *network, const rbnn_node *node,
                        const rbnn_bf16 *of_sums, const rbnn_bf16 *packed, rbnn_bf16 *of_signs)
{
  convolving p = {network, node, of_sums, packed, NULL, NULL, of_signs};
  rbnn_parallel(network->blocks * node->in_h, network->threads, convolve_back_row, &p);
}
