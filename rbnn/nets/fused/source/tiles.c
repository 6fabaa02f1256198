/* SPDX-License-Identifier: Apache-2.0 */
#include "fused.h"

#if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__x86_64__)
#define HAS_AMX 1
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#define HAS_AMX 0
#endif

#define COLUMNS (2 * RBNN_LANES)

#if HAS_AMX

#define ASK_FOR_STATE 0x1023 /* arch_prctl: ARCH_REQ_XCOMP_PERM */
#define TILE_DATA 18

static bool amx;

bool rbnn_prepare_tiles(void)
{
  amx = syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) == 0;
  return amx;
}

void rbnn_begin_tiles(int depth)
{
  if (!amx) return;
  struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } __attribute__((packed)) config = {.palette = 1};
  for (int tile = 0; tile < 8; tile++) {
    const bool left = tile == 4 || tile == 5;
    config.row_bytes[tile] = left ? 2 * depth : 64;
    config.rows[tile] = tile < 6 ? 16 : depth / 2;
  }
  /* GCC 12 passes the intrinsic only the first bytes. */
  __asm__ volatile("ldtilecfg %0" ::"m"(config));
}

void rbnn_end_tiles(void)
{
  if (amx) _tile_release();
}

static void multiply_amx(const rbnn_product *p, float *out)
{
  const size_t row = 2 * p->a_row;
  const size_t next = (size_t)p->depth * RBNN_LANES;
  const size_t below = RBNN_LANES * p->a_row;
  const size_t out_row = COLUMNS * sizeof *out;
  const bool two_rows = p->row_tiles == 2;
  const bool two_columns = p->column_tiles == 2;
  const size_t a = p->a_first, b = p->b_first;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  if (two_rows && two_columns) {
    for (int step = 0; step < p->steps; step++) {
      _tile_loadd(6, p->b[step] + b, 64);
      _tile_loadd(4, p->a[step] + a, row);
      _tile_loadd(7, p->b[step] + b + next, 64);
      _tile_loadd(5, p->a[step] + a + below, row);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  } else {
    for (int step = 0; step < p->steps; step++) {
      _tile_loadd(4, p->a[step] + a, row);
      _tile_loadd(6, p->b[step] + b, 64);
      _tile_dpbf16ps(0, 4, 6);
      if (two_columns) {
        _tile_loadd(7, p->b[step] + b + next, 64);
        _tile_dpbf16ps(1, 4, 7);
      }
      if (two_rows) {
        _tile_loadd(5, p->a[step] + a + below, row);
        _tile_dpbf16ps(2, 5, 6);
      }
    }
  }
  _tile_stored(0, out, out_row);
  _tile_stored(1, out + RBNN_LANES, out_row);
  _tile_stored(2, out + RBNN_LANES * COLUMNS, out_row);
  _tile_stored(3, out + RBNN_LANES * COLUMNS + RBNN_LANES, out_row);
}

#else

bool rbnn_prepare_tiles(void)
{
  return false;
}

void rbnn_begin_tiles(int depth)
{
  (void)depth;
}

void rbnn_end_tiles(void)
{
}

#endif

#ifdef __AVX512F__
#define ROWS_AT_ONCE 8
#else
#define ROWS_AT_ONCE 4
#endif

/* Add one step to ROWS_AT_ONCE rows of 16 columns; the compiler keeps `sums` in registers. */
static inline void add_step(const float *left, const rbnn_bf16 *right, int depth, float *out)
{
  rbnn_lanes sums[ROWS_AT_ONCE];
  for (int i = 0; i < ROWS_AT_ONCE; i++) sums[i] = rbnn_load(out + i * COLUMNS);
  for (int k = 0; k < depth; k += 2) {
    rbnn_words both;
    memcpy(&both, right + k * RBNN_LANES, sizeof both);
    const rbnn_lanes even = (rbnn_lanes)(both << 16);
    const rbnn_lanes odd = (rbnn_lanes)(both & 0xffff0000u);
    for (int i = 0; i < ROWS_AT_ONCE; i++) {
      sums[i] += left[i * RBNN_BLOCK + k] * even;
      sums[i] += left[i * RBNN_BLOCK + k + 1] * odd;
    }
  }
  for (int i = 0; i < ROWS_AT_ONCE; i++) rbnn_store(out + i * COLUMNS, sums[i]);
}

static void multiply_plain(const rbnn_product *p, float *out)
{
  const int rows = p->row_tiles * RBNN_LANES;
  float left[RBNN_BLOCK * RBNN_BLOCK] __attribute__((aligned(64)));
  memset(out, 0, RBNN_BLOCK * COLUMNS * sizeof *out);
  for (int step = 0; step < p->steps; step++) {
    const rbnn_bf16 *a = p->a[step] + p->a_first;
    for (int i = 0; i < rows; i++)
      for (int k = 0; k < p->depth; k += RBNN_LANES)
        rbnn_store(left + i * RBNN_BLOCK + k, rbnn_load_half(a + i * p->a_row + k));
    for (int column = 0; column < p->column_tiles; column++) {
      const rbnn_bf16 *b = p->b[step] + p->b_first + (size_t)column * p->depth * RBNN_LANES;
      for (int i = 0; i < rows; i += ROWS_AT_ONCE)
        add_step(left + i * RBNN_BLOCK, b, p->depth, out + i * COLUMNS + column * RBNN_LANES);
    }
  }
}

void rbnn_multiply(const rbnn_product *product, float *out)
{
#if HAS_AMX
  if (amx) {
    multiply_amx(product, out);
    return;
  }
#endif
  multiply_plain(product, out);
}
