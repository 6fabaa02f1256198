/* SPDX-License-Identifier: Apache-2.0 */
/* The gradients of a stage, in two passes: the sums by channel, then the sums' gradients. */
#include "fused.h"

#include <math.h>

#define LOWEST -32768.0f
#define HIGHEST 32767.0f

enum { OF_GAMMA, OF_BETA, OF_POINT, OF_SLOPE, OF_OFFSET, OF_THRESHOLD, KINDS };

typedef struct {
  const rbnn_network *network;
  const rbnn_node *node;
  const rbnn_record *record;
  const rbnn_flow *flow;
  const int16_t *shortcut;
  int shortcut_c;
  rbnn_bf16 *of_shortcut;
  double *partial; /* [part][kind][c] */
  float *scale, *shift, *point, *slope, *threshold;
  float *mean_gradient, *mean_product; /* of the second pass */
} back;

static size_t line(const rbnn_node *node)
{
  return (size_t)RBNN_BLOCK * node->c;
}

static inline float clip(float value)
{
  value = value < LOWEST ? LOWEST : value;
  return value > HIGHEST ? HIGHEST : value;
}

/* What comes to a threshold stage's normalised sums. */
static inline void threshold_row(const back *p, size_t place, float *restrict sums)
{
  const int c = p->node->c;
  const bool passes = p->node->emits;
  const int16_t *restrict from = p->record->sums + place;
  const rbnn_bf16 *restrict of_signs = p->flow->of_signs + place;
  rbnn_bf16 *restrict inner = p->flow->of_inner + place;
  const float *restrict mean = p->record->mean, *restrict factor = p->record->factor;
  const float *restrict shift = p->shift;
  float *restrict of_gamma = sums + OF_GAMMA * c, *restrict of_beta = sums + OF_BETA * c;
  for (int i = 0; i < c; i++) {
    const float unit = (from[i] - mean[i]) * factor[i];
    const float size = fabsf(unit + shift[i]);
    const rbnn_bf16 half = passes || size <= 1 ? of_signs[i] : 0;
    inner[i] = half;
    of_gamma[i] += rbnn_widen(half) * unit;
    of_beta[i] += rbnn_widen(half);
  }
}

/* What comes to a stream, from the signs taken of it and from where it is a shortcut. */
static inline void stream_row(const back *p, size_t place, float *restrict gradient,
                              float *restrict of_threshold)
{
  const int c = p->node->c;
  const int16_t *restrict stream = p->record->stream + place;
  const float *restrict threshold = p->threshold;
  if (p->node->bits) {
    const rbnn_bf16 *restrict of_signs = p->flow->of_signs + place;
    for (int i = 0; i < c; i++) {
      const float size = fabsf((stream[i] - threshold[i]) * (1 / RBNN_ONE));
      const float passed = size <= 1 ? (2 - 2 * size) * rbnn_widen(of_signs[i]) : 0;
      gradient[i] = passed;
      of_threshold[i] -= passed;
    }
  } else {
    memset(gradient, 0, c * sizeof *gradient);
  }
  if (p->flow->of_stream) {
    const rbnn_bf16 *restrict of_stream = p->flow->of_stream + place;
    for (int i = 0; i < c; i++) gradient[i] += rbnn_widen(of_stream[i]);
  }
}

/* From what comes to the activation's output to what comes to its input. */
static inline void bend_row(const back *p, size_t place, size_t pixel, int n,
                            float *restrict gradient, float *restrict sums)
{
  const int c = p->node->c, run = p->shortcut ? p->shortcut_c : c;
  const int16_t *from = p->record->sums + place;
  static const int16_t nothing[RBNN_STRIP];
  const int16_t *shortcut = nothing;
  if (p->shortcut) shortcut = p->shortcut + (pixel * RBNN_BLOCK + n) * run;
  for (int first = 0; first < c; first += run)
    for (int j = 0; j < run; j++) {
      const int i = first + j;
      const float normed = (from[i] - p->record->mean[i]) * p->scale[i] + p->shift[i];
      const float value = clip(floorf(normed * RBNN_ONE + 0.5f) + shortcut[j]);
      const float moved = clip(value - p->point[i]);
      const float came = gradient[i];
      sums[OF_OFFSET * c + i] += came;
      sums[OF_SLOPE * c + i] += moved < 0 ? came * moved * (1 / RBNN_ONE) : 0;
      gradient[i] = moved < 0 ? came * p->slope[i] : came;
      sums[OF_POINT * c + i] -= gradient[i];
    }
}

static inline void norm_row(const back *p, size_t place, const float *restrict gradient,
                            float *restrict sums)
{
  const int c = p->node->c;
  const int16_t *restrict from = p->record->sums + place;
  rbnn_bf16 *restrict inner = p->flow->of_inner + place;
  const float *restrict mean = p->record->mean, *restrict factor = p->record->factor;
  float *restrict of_gamma = sums + OF_GAMMA * c, *restrict of_beta = sums + OF_BETA * c;
  for (int i = 0; i < c; i++) {
    inner[i] = rbnn_narrow(gradient[i]);
    of_gamma[i] += gradient[i] * (from[i] - mean[i]) * factor[i];
    of_beta[i] += gradient[i];
  }
}

static void add_row(void *context, int part)
{
  const back *p = context;
  const rbnn_node *node = p->node;
  const int c = node->c, valid = rbnn_valid(p->network, part / node->h);
  float gradient[RBNN_STRIP];
  float *sums = rbnn_borrow(sizeof *sums * KINDS * c);
  memset(sums, 0, sizeof *sums * KINDS * c);
  for (int x = 0; x < node->w; x++) {
    const size_t pixel = (size_t)part * node->w + x;
    for (int n = 0; n < valid; n++) {
      const size_t place = pixel * line(node) + (size_t)n * c;
      if (!node->residual) {
        threshold_row(p, place, sums);
        continue;
      }
      stream_row(p, place, gradient, sums + OF_THRESHOLD * c);
      if (node->bends) bend_row(p, place, pixel, n, gradient, sums);
      norm_row(p, place, gradient, sums);
      if (p->of_shortcut && p->shortcut_c < c) {
        const int run = p->shortcut_c;
        rbnn_bf16 *to = p->of_shortcut + (pixel * RBNN_BLOCK + n) * run;
        for (int first = run; first < c; first += run)
          for (int i = 0; i < run; i++) gradient[i] += gradient[first + i];
        for (int i = 0; i < run; i++) to[i] = rbnn_narrow(gradient[i]);
      }
    }
  }
  double *to = p->partial + (size_t)part * KINDS * c;
  for (int i = 0; i < KINDS * c; i++) to[i] = sums[i];
  rbnn_give_back(sums);
}

static void sums_row(void *context, int part)
{
  const back *p = context;
  const rbnn_node *node = p->node;
  const int c = node->c, valid = rbnn_valid(p->network, part / node->h);
  const float *restrict mean = p->record->mean, *restrict factor = p->record->factor;
  const float *restrict scale = p->scale, *restrict of_unit = p->mean_product;
  const float *restrict of_mean = p->mean_gradient;
  for (int x = 0; x < node->w; x++) {
    const size_t pixel = ((size_t)part * node->w + x) * line(node);
    for (int n = 0; n < valid; n++) {
      const int16_t *restrict from = p->record->sums + pixel + (size_t)n * c;
      const rbnn_bf16 *restrict inner = p->flow->of_inner + pixel + (size_t)n * c;
      rbnn_bf16 *restrict to = p->flow->of_sums + pixel + (size_t)n * c;
      for (int i = 0; i < c; i++) {
        const float unit = (from[i] - mean[i]) * factor[i];
        to[i] = rbnn_narrow(scale[i] * (rbnn_widen(inner[i]) - of_mean[i] - unit * of_unit[i]));
      }
    }
    memset(p->flow->of_sums + pixel + (size_t)valid * c, 0,
           (size_t)(RBNN_BLOCK - valid) * c * sizeof(rbnn_bf16));
  }
}

static void set(float *to, const float *values, float unit, float otherwise, int c)
{
  for (int i = 0; i < c; i++) to[i] = values ? values[i] * unit : otherwise;
}

static void hand_out(const back *p, const rbnn_gradients *gradients)
{
  const int c = p->node->c, parts = p->network->blocks * p->node->h;
  const double count = (double)p->network->samples * p->node->h * p->node->w;
  double *total = p->partial;
  for (int part = 1; part < parts; part++)
    for (int i = 0; i < KINDS * c; i++) total[i] += p->partial[(size_t)part * KINDS * c + i];
  float *const to[KINDS] = {gradients->gamma, gradients->beta,   gradients->point,
                            gradients->slope, gradients->offset, gradients->threshold};
  for (int kind = 0; kind < KINDS; kind++)
    for (int i = 0; i < c && to[kind]; i++) to[kind][i] = (float)total[kind * c + i];
  for (int i = 0; i < c; i++) {
    p->mean_gradient[i] = (float)(total[OF_BETA * c + i] / count);
    p->mean_product[i] = (float)(total[OF_GAMMA * c + i] / count);
  }
}

void rbnn_stage_back(const rbnn_network *network, const rbnn_node *node, const rbnn_values *values,
                     const int16_t *shortcut, int shortcut_c, const rbnn_record *record,
                     const rbnn_flow *flow, rbnn_bf16 *of_shortcut, rbnn_gradients *gradients)
{
  const int c = node->c, parts = network->blocks * node->h;
  back p = {.network = network, .node = node, .record = record, .flow = flow};
  p.shortcut = shortcut;
  p.shortcut_c = shortcut_c;
  p.of_shortcut = of_shortcut;
  uint8_t *memory = rbnn_borrow(sizeof(double) * KINDS * parts * c + 7 * sizeof(float) * c);
  p.partial = (double *)(void *)memory;
  p.scale = (float *)(p.partial + (size_t)KINDS * parts * c);
  p.shift = p.scale + c;
  p.point = p.shift + c;
  p.slope = p.point + c;
  p.threshold = p.slope + c;
  p.mean_gradient = p.threshold + c;
  p.mean_product = p.mean_gradient + c;
  for (int i = 0; i < c; i++)
    p.scale[i] = record->factor[i] * (values->gamma ? values->gamma[i] : 1.0f);
  set(p.shift, values->beta, 1, 0, c);
  set(p.point, values->point, RBNN_ONE, 0, c);
  set(p.slope, values->slope, 1, 1, c);
  set(p.threshold, values->threshold, RBNN_ONE, 0, c);
  rbnn_parallel(parts, network->threads, add_row, &p);
  hand_out(&p, gradients);
  rbnn_parallel(parts, network->threads, sums_row, &p);
  rbnn_give_back(memory);
}
