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
  double *partial;                                /* [part][2][c]: sums and squares */
  float *scale, *shift, *point, *slope, *offset;  /* [c]; in 256ths where the stream is */
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
    const int16_t *from = p->record->sums + ((size_t)part * p->node->w + x) * line(p->node);
    for (int n = 0; n < valid; n++, from += c)
      for (int i = 0; i < c; i++) {
        const float value = from[i];
        sums[i] += value;
        squares[i] += value * value;
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

/* A row of signs, and their bits pushed into `columns`. */
static inline void put_sign(bool negative, rbnn_bf16 *sign, uint32_t *column)
{
  *sign = negative ? 0xbf80 : 0x3f80;
  *column = *column >> 1 | (negative ? 0x80000000u : 0);
}

static inline void threshold_row(const stage *p, const int16_t *restrict sums,
                                 rbnn_bf16 *restrict signs, uint32_t *restrict columns)
{
  const float *restrict mean = p->record->mean, *restrict scale = p->scale;
  const float *restrict shift = p->shift;
  for (int i = 0; i < p->node->c; i++)
    put_sign((sums[i] - mean[i]) * scale[i] + shift[i] < 0, signs + i, columns + i);
}

static inline float clip(float value)
{
  value = value < LOWEST ? LOWEST : value;
  return value > HIGHEST ? HIGHEST : value;
}

static inline void stream_row(const stage *p, int first, int count, const int16_t *restrict sums,
                              const int16_t *restrict shortcut, int16_t *restrict stream,
                              bool bends)
{
  const float *restrict mean = p->record->mean + first, *restrict scale = p->scale + first;
  const float *restrict shift = p->shift + first, *restrict point = p->point + first;
  const float *restrict slope = p->slope + first, *restrict offset = p->offset + first;
  for (int i = 0; i < count; i++) {
    const float normed = ((sums[i] - mean[i]) * scale[i] + shift[i]) * RBNN_ONE;
    float value = clip(floorf(normed + 0.5f) + shortcut[i]);
    if (bends) {
      const float moved = clip(value - point[i]);
      const float bent = moved >= 0 ? moved : floorf(slope[i] * moved);
      value = clip(bent + offset[i]);
    }
    stream[i] = (int16_t)(int32_t)value;
  }
}

static inline void sign_row(const stage *p, const int16_t *restrict stream,
                            rbnn_bf16 *restrict signs, uint32_t *restrict columns)
{
  const float *restrict threshold = p->threshold;
  for (int i = 0; i < p->node->c; i++)
    put_sign(stream[i] - threshold[i] < 0, signs + i, columns + i);
}

static void stage_row(void *context, int part)
{
  const stage *p = context;
  const rbnn_node *node = p->node;
  const rbnn_record *record = p->record;
  const int c = node->c, valid = rbnn_valid(p->network, part / node->h);
  static const int16_t nothing[RBNN_STRIP];
  uint32_t columns[RBNN_STRIP];
  for (int x = 0; x < node->w; x++) {
    const size_t pixel = (size_t)part * node->w + x;
    memset(columns, 0, c * sizeof *columns);
    for (int n = 0; n < valid; n++) {
      const size_t place = pixel * line(node) + (size_t)n * c;
      if (!node->residual) {
        threshold_row(p, record->sums + place, record->signs + place, columns);
        continue;
      }
      const int run = p->shortcut ? p->shortcut_c : c;
      const int16_t *shortcut = nothing;
      if (p->shortcut) shortcut = p->shortcut + (pixel * RBNN_BLOCK + n) * run;
      for (int first = 0; first < c; first += run) {
        const size_t from = place + first;
        if (node->bends)
          stream_row(p, first, run, record->sums + from, shortcut, record->stream + from, true);
        else
          stream_row(p, first, run, record->sums + from, shortcut, record->stream + from, false);
      }
      if (node->bits) sign_row(p, record->stream + place, record->signs + place, columns);
    }
    if (!node->bits) continue;
    uint32_t *to = record->columns + pixel * c;
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
