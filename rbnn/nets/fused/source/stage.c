/* SPDX-License-Identifier: Apache-2.0 */
/* Behind the sums: batch norm, shortcut, activation and signs, as rbnn/nets/stream_layers.py and
 * task_norm.py have them while training. */
#include "fused.h"

#include <math.h>

#define LOWEST -32768.0f
#define HIGHEST 32767.0f

typedef struct {
  const rbnn_network *network;
  const rbnn_node *node;
  const rbnn_record *record;
  const int16_t *shortcut;
  int shortcut_c;
  double *partial;                               /* [part][2][c]: sums and squares */
  float *scale, *shift, *point, *slope, *offset; /* [c]; in 256ths where the stream is */
  float *threshold;
} stage;

static size_t line(const rbnn_node *node)
{
  return (size_t)RBNN_BLOCK * node->c;
}

static void add_row(void *context, int part)
{
  const stage *p = context;
  const int c = p->node->c, valid = rbnn_valid(p->network, part / p->node->h);
  float sums[RBNN_STRIP], squares[RBNN_STRIP];
  memset(sums, 0, c * sizeof *sums);
  memset(squares, 0, c * sizeof *squares);
  for (int x = 0; x < p->node->w; x++) {
    const int16_t *pixel = p->record->sums + ((size_t)part * p->node->w + x) * line(p->node);
    for (int i = 0; i < c; i += RBNN_LANES) {
      rbnn_lanes sum = {0}, square = {0};
      for (int n = 0; n < valid; n++) {
        const rbnn_lanes value = rbnn_load_short(pixel + (size_t)n * c + i);
        sum += value;
        square += value * value;
      }
      rbnn_store(sums + i, rbnn_load(sums + i) + sum);
      rbnn_store(squares + i, rbnn_load(squares + i) + square);
    }
  }
  double *to = p->partial + (size_t)part * 2 * c;
  for (int i = 0; i < c; i++) {
    to[i] = sums[i];
    to[c + i] = squares[i];
  }
}

/* Mean and the inverse of the standard deviation of each channel. */
static void measure(const stage *p)
{
  const int c = p->node->c, parts = p->network->blocks * p->node->h;
  const double count = (double)p->network->samples * p->node->h * p->node->w;
  rbnn_parallel(parts, p->network->threads, add_row, (void *)(uintptr_t)p);
  double *total = p->partial;
  for (int part = 1; part < parts; part++)
    for (int i = 0; i < 2 * c; i++) total[i] += p->partial[(size_t)part * 2 * c + i];
  for (int i = 0; i < c; i++) {
    const double mean = total[i] / count;
    p->record->mean[i] = (float)mean;
    p->record->factor[i] = (float)(1 / sqrt(total[c + i] / count - mean * mean + RBNN_EPSILON));
  }
}

static inline rbnn_lanes clip(rbnn_lanes value)
{
  return rbnn_clip(value, LOWEST, HIGHEST);
}

/* Write sixteen signs and push their bits into `column`. */
static inline void put_signs(rbnn_integers negative, rbnn_bf16 *signs, uint32_t *column)
{
  const rbnn_words sign = (rbnn_words)negative & 0x80000000u;
  rbnn_store_half(signs, (rbnn_lanes)(sign | 0x3f800000u));
  rbnn_words bits;
  memcpy(&bits, column, sizeof bits);
  bits = bits >> 1 | sign;
  memcpy(column, &bits, sizeof bits);
}

static inline void threshold_row(const stage *p, size_t place, uint32_t *columns)
{
  for (int i = 0; i < p->node->c; i += RBNN_LANES) {
    const rbnn_lanes sum = rbnn_load_short(p->record->sums + place + i);
    const rbnn_lanes unit = (sum - rbnn_load(p->record->mean + i)) * rbnn_load(p->scale + i);
    put_signs(unit + rbnn_load(p->shift + i) < 0, p->record->signs + place + i, columns + i);
  }
}

/* One sample's stream of one pixel, and its signs. */
static inline void stream_row(const stage *p, size_t place, const int16_t *shortcut,
                              uint32_t *columns, bool bends)
{
  const rbnn_record *record = p->record;
  for (int i = 0, j = 0; i < p->node->c; i += RBNN_LANES, j += RBNN_LANES) {
    if (p->shortcut && j == p->shortcut_c) j = 0;
    const rbnn_lanes sum = rbnn_load_short(record->sums + place + i);
    const rbnn_lanes unit = (sum - rbnn_load(record->mean + i)) * rbnn_load(p->scale + i);
    const rbnn_lanes normed = (unit + rbnn_load(p->shift + i)) * RBNN_ONE;
    rbnn_lanes value = rbnn_floor(normed + 0.5f);
    if (p->shortcut) value += rbnn_load_short(shortcut + j);
    value = clip(value);
    if (bends) {
      const rbnn_lanes moved = clip(value - rbnn_load(p->point + i));
      const rbnn_lanes bent = rbnn_floor(rbnn_load(p->slope + i) * moved);
      value = clip(rbnn_select(moved < 0, bent, moved) + rbnn_load(p->offset + i));
    }
    rbnn_store_short(record->stream + place + i, value);
    if (p->node->bits)
      put_signs(value < rbnn_load(p->threshold + i), record->signs + place + i, columns + i);
  }
}

static void stage_row(void *context, int part)
{
  const stage *p = context;
  const rbnn_node *node = p->node;
  const int c = node->c, valid = rbnn_valid(p->network, part / node->h);
  uint32_t columns[RBNN_STRIP];
  for (int x = 0; x < node->w; x++) {
    const size_t pixel = (size_t)part * node->w + x;
    memset(columns, 0, c * sizeof *columns);
    for (int n = 0; n < valid; n++) {
      const size_t sample = pixel * RBNN_BLOCK + n;
      const int16_t *shortcut = p->shortcut ? p->shortcut + sample * p->shortcut_c : NULL;
      if (!node->residual)
        threshold_row(p, sample * c, columns);
      else if (node->bends)
        stream_row(p, sample * c, shortcut, columns, true);
      else
        stream_row(p, sample * c, shortcut, columns, false);
    }
    if (!node->bits) continue;
    uint32_t *to = p->record->columns + pixel * c;
    const int unused = RBNN_BLOCK - valid;
    for (int i = 0; i < c; i++) to[i] = columns[i] >> unused;
  }
}

static void set(float *to, const float *values, float unit, float otherwise, int c)
{
  for (int i = 0; i < c; i++) to[i] = values ? values[i] * unit : otherwise;
}

void rbnn_stage(const rbnn_network *network, const rbnn_node *node, const rbnn_values *values,
                const int16_t *shortcut, int shortcut_c, const rbnn_record *record)
{
  const int c = node->c, parts = network->blocks * node->h;
  stage p = {.network = network, .node = node, .record = record, .shortcut = shortcut};
  p.shortcut_c = shortcut_c;
  uint8_t *memory = rbnn_borrow(sizeof(double) * 2 * parts * c + 6 * sizeof(float) * c);
  p.partial = (double *)(void *)memory;
  p.scale = (float *)(p.partial + (size_t)2 * parts * c);
  p.shift = p.scale + c;
  p.point = p.shift + c;
  p.slope = p.point + c;
  p.offset = p.slope + c;
  p.threshold = p.offset + c;
  measure(&p);
  for (int i = 0; i < c; i++)
    p.scale[i] = record->factor[i] * (values->gamma ? values->gamma[i] : 1.0f);
  set(p.shift, values->beta, 1, 0, c);
  set(p.point, values->point, RBNN_ONE, 0, c);
  set(p.slope, values->slope, 1, 1, c);
  set(p.offset, values->offset, RBNN_ONE, 0, c);
  set(p.threshold, values->threshold, RBNN_ONE, 0, c);
  /* A last node without a stream is computed where it is read. */
  if (node->residual || node->bits) rbnn_parallel(parts, network->threads, stage_row, &p);
  rbnn_give_back(memory);
}
