/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's gradient: for each tap, signs by samples times gradients of the sums, added over
 * pixels. The pictures are laid out for it rows at a time, as much as the second cache holds. */
#include "fused.h"

#include <math.h>

#ifdef __AVX512BW__
#include <immintrin.h>
#endif

#define COLUMNS (2 * RBNN_LANES)
#define MOST_BYTES (1 << 20) /* of what is laid out at a time */
#define TILE (RBNN_BLOCK * RBNN_LANES)

typedef struct {
  const rbnn_network *network;
  const rbnn_node *node;
  const uint32_t *columns;
  const rbnn_bf16 *of_sums;
  const rbnn_values *values;
  float *of_latent;
  int rows, blocks;            /* of sums, laid out at a time */
  int first_block, last_block; /* this time */
  int first_row, last_row;
  int in_rows;       /* most rows of the input that `rows` need */
  int first_in;      /* row of the input, this time */
  rbnn_bf16 *signs;  /* [block][row][column][channel][sample] */
  rbnn_bf16 *border; /* a pixel of +1 */
  rbnn_bf16 *sums;   /* [block][row][column][16 channels][pair of samples][16][2] */
  const rbnn_bf16 **lists;
} gradient;

/* Sixteen and sixteen bfloat16 of -1 (bit 1) and +1. */
static inline void spread(uint32_t bits, rbnn_bf16 *to)
{
#ifdef __AVX512BW__
  const __m512i plus = _mm512_set1_epi16(0x3f80), minus = _mm512_set1_epi16((short)0xbf80);
  _mm512_storeu_si512(to, _mm512_mask_blend_epi16(bits, plus, minus));
#else
  for (int n = 0; n < RBNN_BLOCK; n++) to[n] = (rbnn_bf16)(0x3f80 | ((bits >> n & 1) << 15));
#endif
}

static void lay_signs(const gradient *p, int block, int line)
{
  const rbnn_node *node = p->node;
  const size_t row = (size_t)node->in_w * node->in_c;
  const uint32_t *from = p->columns + ((size_t)block * node->in_h + p->first_in + line) * row;
  rbnn_bf16 *to =
      p->signs + ((size_t)(block - p->first_block) * p->in_rows + line) * row * RBNN_BLOCK;
  for (size_t i = 0; i < row; i++) spread(from[i], to + i * RBNN_BLOCK);
}

static void lay_sums(const gradient *p, int block, int line)
{
  const rbnn_node *node = p->node;
  const int tiles = node->c / RBNN_LANES, row = p->first_row + line;
  const size_t from = ((size_t)block * node->full_h + row) * node->full_w;
  const size_t place = ((size_t)(block - p->first_block) * p->rows + line) * node->full_w;
  for (int x = 0; x < node->full_w; x++) {
    const rbnn_bf16 *pixel = p->of_sums + (from + x) * RBNN_BLOCK * node->c;
    rbnn_bf16 *to = p->sums + (place + x) * tiles * TILE;
    for (int tile = 0; tile < tiles; tile++)
      for (int n = 0; n < RBNN_BLOCK; n += 2, to += COLUMNS) {
        const rbnn_bf16 *even = pixel + (size_t)n * node->c + tile * RBNN_LANES;
        const rbnn_bf16 *odd = even + node->c;
        rbnn_halves first, second;
        memcpy(&first, even, sizeof first);
        memcpy(&second, odd, sizeof second);
        const rbnn_words both = rbnn_widen_words(first) | rbnn_widen_words(second) << 16;
        memcpy(to, &both, sizeof both);
      }
  }
}

static void lay_line(void *context, int part)
{
  const gradient *p = context;
  const int lines = p->in_rows + p->rows;
  const int block = p->first_block + part / lines, line = part % lines;
  if (line < p->in_rows) {
    if (p->first_in + line < p->node->in_h) lay_signs(p, block, line);
  } else if (p->first_row + line - p->in_rows < p->last_row) {
    lay_sums(p, block, line - p->in_rows);
  }
}

/* One tap, for 32 input channels and all outputs. */
static void add_tap(void *context, int part)
{
  const gradient *p = context;
  const rbnn_node *node = p->node;
  const int groups = (node->in_c + RBNN_BLOCK - 1) / RBNN_BLOCK, tiles = node->c / RBNN_LANES;
  const int tap = part / groups, channel = part % groups * RBNN_BLOCK;
  const int left = node->in_c - channel < RBNN_BLOCK ? RBNN_LANES : RBNN_BLOCK;
  const size_t most = (size_t)p->blocks * p->rows * node->full_w;
  const rbnn_bf16 **a = p->lists + 2 * most * part, **b = a + most;
  float out[RBNN_BLOCK * COLUMNS] __attribute__((aligned(64)));
  rbnn_product product = {.depth = RBNN_BLOCK, .a = a, .a_row = RBNN_BLOCK, .b = b};
  product.row_tiles = left / RBNN_LANES;
  for (int block = 0; block < p->last_block - p->first_block; block++)
    for (int y = 0; y < p->last_row - p->first_row; y++) {
      const int row = (p->first_row + y) * node->stride + tap / node->side - node->border;
      const size_t line = ((size_t)block * p->in_rows + row - p->first_in) * node->in_w;
      const rbnn_bf16 *sums = p->sums + ((size_t)block * p->rows + y) * node->full_w * tiles * TILE;
      for (int x = 0; x < node->full_w; x++, product.steps++) {
        const int column = x * node->stride + tap % node->side - node->border;
        const bool inside = row >= 0 && row < node->in_h && column >= 0 && column < node->in_w;
        const rbnn_bf16 *pixel =
            inside ? p->signs + (line + column) * node->in_c * RBNN_BLOCK : p->border;
        a[product.steps] = pixel + channel * RBNN_BLOCK;
        b[product.steps] = sums + (size_t)x * tiles * TILE;
      }
    }
  const bool begins = p->first_block == 0 && p->first_row == 0;
  const bool ends = p->last_block == p->network->blocks && p->last_row == node->full_h;
  rbnn_begin_tiles(RBNN_BLOCK);
  for (int tile = 0; tile < tiles; tile += 2) {
    product.column_tiles = tile + 1 < tiles ? 2 : 1;
    product.b_first = (size_t)tile * TILE;
    rbnn_multiply(&product, out);
    const int width = product.column_tiles * RBNN_LANES;
    for (int i = 0; i < left; i++) {
      const size_t first = ((size_t)tap * node->in_c + channel + i) * node->c + tile * RBNN_LANES;
      float *to = p->of_latent + first;
      for (int j = 0; j < width; j += RBNN_LANES) {
        const rbnn_lanes one = rbnn_load(out + i * COLUMNS + j);
        rbnn_store(to + j, begins ? one : one + rbnn_load(to + j));
      }
      if (ends) rbnn_to_latent(p->values, first, width, to);
    }
  }
  rbnn_end_tiles();
}

void rbnn_to_latent(const rbnn_values *values, size_t first, size_t count, float *gradient)
{
  for (size_t i = 0; i < count; i += RBNN_LANES) {
    const rbnn_integers stored = rbnn_load_tiny(values->stored + first + i);
    rbnn_words found = (rbnn_words)rbnn_load(gradient + i);
    if (values->factor)
      found ^= (rbnn_words)rbnn_load_tiny(values->factor + first + i) & 0x80000000u;
    found &= (rbnn_words)((stored == 1) | (stored == -1));
    rbnn_store(gradient + i, (rbnn_lanes)found);
  }
}

void rbnn_store_signs(size_t count, const float *latent, int8_t *stored)
{
  for (size_t i = 0; i < count; i++) {
    const int8_t size = fabsf(latent[i]) <= 1 ? 1 : 2;
    stored[i] = latent[i] >= 0 ? size : (int8_t)-size;
  }
}

/* How much is laid out at a time. */
static void share_out(gradient *p)
{
  const rbnn_node *node = p->node;
  const size_t in_row = (size_t)node->in_w * node->in_c, row = (size_t)node->full_w * node->c;
  const size_t most = MOST_BYTES / (RBNN_BLOCK * sizeof(rbnn_bf16));
  p->rows = node->full_h + 1;
  do {
    p->rows--;
    p->in_rows = (p->rows - 1) * node->stride + node->side;
    if (p->in_rows > node->in_h) p->in_rows = node->in_h;
  } while (p->rows > 1 && p->in_rows * in_row + p->rows * row > most);
  p->blocks = 1;
  if (p->rows == node->full_h)
    while (p->blocks < p->network->blocks &&
           (p->blocks + 1) * (p->in_rows * in_row + p->rows * row) <= most)
      p->blocks++;
}

void rbnn_kernel_gradient(const rbnn_network *network, const rbnn_node *node,
                          const uint32_t *columns, const rbnn_bf16 *of_sums,
                          const rbnn_values *values, float *of_latent)
{
  gradient p = {.network = network, .node = node, .columns = columns, .of_sums = of_sums};
  p.values = values;
  p.of_latent = of_latent;
  share_out(&p);
  const int groups = (node->in_c + RBNN_BLOCK - 1) / RBNN_BLOCK;
  const int parts = node->side * node->side * groups;
  const size_t lists = (size_t)2 * parts * p.blocks * p.rows * node->full_w;
  const size_t border = (size_t)node->in_c * RBNN_BLOCK;
  const size_t signs = p.blocks * p.in_rows * node->in_w * border;
  const size_t sums = (size_t)p.blocks * p.rows * node->full_w * node->c * RBNN_BLOCK;
  uint8_t *memory =
      rbnn_borrow(sizeof(rbnn_bf16) * (border + signs + sums) + lists * sizeof *p.lists);
  p.border = (rbnn_bf16 *)(void *)memory;
  p.signs = p.border + border;
  p.sums = p.signs + signs;
  p.lists = (const rbnn_bf16 **)(void *)(p.sums + sums);
  for (size_t i = 0; i < border; i++) p.border[i] = 0x3f80;
  for (p.first_block = 0; p.first_block < network->blocks; p.first_block = p.last_block) {
    p.last_block = p.first_block + p.blocks;
    if (p.last_block > network->blocks) p.last_block = network->blocks;
    for (p.first_row = 0; p.first_row < node->full_h; p.first_row = p.last_row) {
      p.last_row = p.first_row + p.rows;
      if (p.last_row > node->full_h) p.last_row = node->full_h;
      p.first_in = p.first_row * node->stride - node->border;
      if (p.first_in < 0) p.first_in = 0;
      const int lines = (p.last_block - p.first_block) * (p.in_rows + p.rows);
      rbnn_parallel(lines, network->threads, lay_line, &p);
      rbnn_parallel(parts, network->threads, add_tap, &p);
    }
  }
  rbnn_give_back(memory);
}
