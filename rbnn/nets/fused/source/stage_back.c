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

static inline rbnn_lanes clip(rbnn_lanes value)
{
  return rbnn_clip(value, LOWEST, HIGHEST);
}

static inline void add(float *to, rbnn_lanes values)
{
  rbnn_store(to, rbnn_load(to) + values);
}

/* How many standard deviations sixteen sums lie from their mean. */
static inline rbnn_lanes units(const back *p, size_t place, int i)
{
  const rbnn_lanes sum = rbnn_load_short(p->record->sums + place + i);
  return (sum - rbnn_load(p->record->mean + i)) * rbnn_load(p->record->factor + i);
}

/* What comes to a threshold stage's normalised sums. */
static inline void threshold_row(const back *p, size_t place, float *sums)
{
  const int c = p->node->c;
  const bool passes = p->node->emits;
  for (int i = 0; i < c; i += RBNN_LANES) {
    const rbnn_lanes unit = units(p, place, i);
    const rbnn_lanes size = rbnn_size(unit + rbnn_load(p->shift + i));
    rbnn_lanes came = rbnn_load_half(p->flow->of_signs + place + i);
    if (!passes) came = rbnn_select(size <= 1, came, (rbnn_lanes){0});
    rbnn_store_half(p->flow->of_inner + place + i, came);
    add(sums + OF_GAMMA * c + i, came * unit);
    add(sums + OF_BETA * c + i, came);
  }
}

/* From what comes to the activation's output to what comes to its input. */
static inline rbnn_lanes bend(const back *p, size_t place, const int16_t *shortcut, int i, int j,
                              rbnn_lanes came, float *sums)
{
  const int c = p->node->c;
  const rbnn_lanes sum = rbnn_load_short(p->record->sums + place + i);
  const rbnn_lanes scaled = (sum - rbnn_load(p->record->mean + i)) * rbnn_load(p->scale + i);
  const rbnn_lanes normed = (scaled + rbnn_load(p->shift + i)) * RBNN_ONE;
  rbnn_lanes value = rbnn_floor(normed + 0.5f);
  if (p->shortcut) value += rbnn_load_short(shortcut + j);
  const rbnn_lanes moved = clip(clip(value) - rbnn_load(p->point + i));
  const rbnn_integers below = moved < 0;
  const rbnn_lanes passed = rbnn_select(below, came * rbnn_load(p->slope + i), came);
  const rbnn_lanes of_slope = came * moved * (1 / RBNN_ONE);
  add(sums + OF_OFFSET * c + i, came);
  add(sums + OF_SLOPE * c + i, rbnn_select(below, of_slope, (rbnn_lanes){0}));
  add(sums + OF_POINT * c + i, -passed);
  return passed;
}

/* What comes to one sample's stream of one pixel, from its signs and from where it is a shortcut,
 * goes on to the normalised sums; `gradient` keeps it for the shortcut. */
static inline void stream_row(const back *p, size_t place, const int16_t *shortcut, float *gradient,
                              float *sums, bool bends)
{
  const int c = p->node->c;
  for (int i = 0, j = 0; i < c; i += RBNN_LANES, j += RBNN_LANES) {
    if (p->shortcut && j == p->shortcut_c) j = 0;
    rbnn_lanes came = {0};
    if (p->node->bits) {
      const rbnn_lanes stream = rbnn_load_short(p->record->stream + place + i);
      const rbnn_lanes value = (stream - rbnn_load(p->threshold + i)) * (1 / RBNN_ONE);
      const rbnn_lanes slope = 2 - 2 * rbnn_size(value);
      came = rbnn_load_half(p->flow->of_signs + place + i);
      came *= rbnn_select(slope > 0, slope, (rbnn_lanes){0});
      if (p->node->thresholds) add(sums + OF_THRESHOLD * c + i, -came);
    }
    if (p->flow->of_stream) came += rbnn_load_half(p->flow->of_stream + place + i);
    if (bends) came = bend(p, place, shortcut, i, j, came, sums);
    rbnn_store_half(p->flow->of_inner + place + i, came);
    add(sums + OF_GAMMA * c + i, came * units(p, place, i));
    add(sums + OF_BETA * c + i, came);
    if (p->of_shortcut && p->shortcut_c < c) rbnn_store(gradient + i, came);
  }
}

/* A shortcut of fewer channels was repeated. */
static inline void add_repeats(const back *p, size_t sample, const float *gradient)
{
  const int run = p->shortcut_c;
  for (int j = 0; j < run; j += RBNN_LANES) {
    rbnn_lanes sum = rbnn_load(gradient + j);
    for (int i = j + run; i < p->node->c; i += run) sum += rbnn_load(gradient + i);
    rbnn_store_half(p->of_shortcut + sample * run + j, sum);
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
  for (int x = 0; x < node->w; x++)
    for (int n = 0; n < valid; n++) {
      const size_t sample = ((size_t)part * node->w + x) * RBNN_BLOCK + n;
      const int16_t *shortcut = p->shortcut ? p->shortcut + sample * p->shortcut_c : NULL;
      if (!node->residual)
        threshold_row(p, sample * c, sums);
      else if (node->bends)
        stream_row(p, sample * c, shortcut, gradient, sums, true);
      else
        stream_row(p, sample * c, shortcut, gradient, sums, false);
      if (p->of_shortcut && p->shortcut_c < c) add_repeats(p, sample, gradient);
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
  for (int x = 0; x < node->w; x++) {
    const size_t pixel = ((size_t)part * node->w + x) * line(node);
    for (int n = 0; n < valid; n++) {
      const size_t place = pixel + (size_t)n * c;
      for (int i = 0; i < c; i += RBNN_LANES) {
        rbnn_lanes came = rbnn_load_half(p->flow->of_inner + place + i);
        came -=
            rbnn_load(p->mean_gradient + i) + units(p, place, i) * rbnn_load(p->mean_product + i);
        rbnn_store_half(p->flow->of_sums + place + i, came * rbnn_load(p->scale + i));
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
