/* SPDX-License-Identifier: Apache-2.0 */
/* The stem: a convolution of pixels, which are integers, and the largest of each 2x2 of its sums;
 * with 8-bit weights these are shifted, halves up. */
#include "fused.h"

#define SAMPLES 4 /* of a part */

typedef struct {
  const rbnn_network *network;
  const rbnn_node *node;
  const float *images;
  const float *kernel; /* -1 and +1 or 8-bit weights, [tap][channel][filter] */
  int16_t *sums;
  uint8_t *chosen;
  const uint8_t *was_chosen;
  const rbnn_bf16 *of_sums;
  float *partial; /* gradients, [part][tap][channel][filter] */
} stem;

static size_t picture_values(const rbnn_node *node)
{
  return (size_t)(node->in_h + 2 * node->border) * (node->in_w + 2 * node->border) * node->in_c;
}

/* One sample with its border of zeros. */
static void frame(const stem *p, int sample, float *picture)
{
  const rbnn_node *node = p->node;
  const size_t row = (size_t)node->in_w * node->in_c;
  const size_t wide = row + 2 * (size_t)node->border * node->in_c;
  const float *image = p->images + (size_t)sample * node->in_h * row;
  memset(picture, 0, picture_values(node) * sizeof *picture);
  for (int y = 0; y < node->in_h; y++)
    memcpy(picture + (y + node->border) * wide + (size_t)node->border * node->in_c, image + y * row,
           row * sizeof *picture);
}

/* Where a sample's values of a pixel begin in a field. */
static size_t place_of(const rbnn_node *node, int sample, int y, int x)
{
  const size_t pixel = ((size_t)(sample / RBNN_BLOCK) * node->h + y) * node->w + x;
  return (pixel * RBNN_BLOCK + sample % RBNN_BLOCK) * node->c;
}

/* The largest of four sums, the first where several are. */
static inline void take_largest(const rbnn_lanes four[4], int shift, int16_t *sums, uint8_t *chosen)
{
  rbnn_lanes most = four[0];
  rbnn_integers which = {0};
  for (int j = 1; j < 4; j++) {
    const rbnn_integers larger = four[j] > most;
    most = rbnn_select(larger, four[j], most);
    which = (larger & j) | (~larger & which);
  }
  if (shift > 0)
    most = __builtin_convertvector(
        (__builtin_convertvector(most, rbnn_integers) + (1 << (shift - 1))) >> shift, rbnn_lanes);
  rbnn_store_short(sums, most);
  const rbnn_bytes found = __builtin_convertvector(which, rbnn_bytes);
  memcpy(chosen, &found, sizeof found);
}

static void stem_samples(void *context, int part)
{
  const stem *p = context;
  const rbnn_node *node = p->node;
  const size_t wide = (size_t)(node->in_w + 2 * node->border) * node->in_c;
  const int step = node->in_c, run = node->side * node->in_c;
  float *picture = rbnn_borrow(picture_values(node) * sizeof *picture);
  for (int n = part * SAMPLES; n < (part + 1) * SAMPLES && n < p->network->samples; n++) {
    frame(p, n, picture);
    for (int y = 0; y < node->h; y++)
      for (int x = 0; x < node->w; x++) {
        const float *corner = picture + 2 * y * wide + 2 * (size_t)x * step;
        const size_t to = place_of(node, n, y, x);
        for (int c = 0; c < node->c; c += 2 * RBNN_LANES) {
          const bool both = c + RBNN_LANES < node->c;
          rbnn_lanes one[4] = {0}, two[4] = {0};
          const float *kernel = p->kernel + c;
          for (int row = 0; row < node->side; row++)
            for (int i = 0; i < run; i++, kernel += node->c) {
              const float *at = corner + row * wide + i;
              const rbnn_lanes w = rbnn_load(kernel);
              const rbnn_lanes v = rbnn_load(kernel + (both ? RBNN_LANES : 0));
              one[0] += at[0] * w;
              one[1] += at[step] * w;
              one[2] += at[wide] * w;
              one[3] += at[wide + step] * w;
              two[0] += at[0] * v;
              two[1] += at[step] * v;
              two[2] += at[wide] * v;
              two[3] += at[wide + step] * v;
            }
          take_largest(one, node->shift, p->sums + to + c, p->chosen + to + c);
          if (both)
            take_largest(two, node->shift, p->sums + to + c + RBNN_LANES,
                         p->chosen + to + c + RBNN_LANES);
        }
      }
  }
  rbnn_give_back(picture);
}

void rbnn_stem(const rbnn_network *network, const rbnn_node *node, const float *images,
               const rbnn_values *values, int16_t *sums, uint8_t *chosen)
{
  const size_t weights = rbnn_packed_values(node);
  float *kernel = rbnn_borrow(weights * sizeof *kernel);
  for (size_t i = 0; i < weights; i++) {
    if (node->shift >= 0) {
      kernel[i] = values->stored[i];
      continue;
    }
    const bool negative = (values->stored[i] < 0) != (values->factor && values->factor[i] < 0);
    kernel[i] = negative ? -1.0f : 1.0f;
  }
  stem p = {.network = network, .node = node, .images = images, .kernel = kernel};
  p.sums = sums;
  p.chosen = chosen;
  const int parts = (network->samples + SAMPLES - 1) / SAMPLES;
  rbnn_parallel(parts, network->threads, stem_samples, &p);
  rbnn_give_back(kernel);
}

static void stem_gradient_samples(void *context, int part)
{
  const stem *p = context;
  const rbnn_node *node = p->node;
  const size_t wide = (size_t)(node->in_w + 2 * node->border) * node->in_c;
  const size_t weights = rbnn_packed_values(node);
  const int step = node->in_c, run = node->side * node->in_c;
  float *picture = rbnn_borrow(picture_values(node) * sizeof *picture);
  float *sums = p->partial + part * weights;
  memset(sums, 0, weights * sizeof *sums);
  for (int n = part * SAMPLES; n < (part + 1) * SAMPLES && n < p->network->samples; n++) {
    frame(p, n, picture);
    for (int c = 0; c < node->c; c += RBNN_LANES)
      for (int y = 0; y < node->h; y++)
        for (int x = 0; x < node->w; x++) {
          const float *corner = picture + 2 * y * wide + 2 * (size_t)x * step;
          const size_t from = place_of(node, n, y, x) + c;
          rbnn_bytes bytes;
          memcpy(&bytes, p->was_chosen + from, sizeof bytes);
          const rbnn_integers which = __builtin_convertvector(bytes, rbnn_integers);
          const rbnn_lanes came = rbnn_load_half(p->of_sums + from), none = {0};
          const rbnn_lanes first = rbnn_select(which == 0, came, none);
          const rbnn_lanes second = rbnn_select(which == 1, came, none);
          const rbnn_lanes third = rbnn_select(which == 2, came, none);
          const rbnn_lanes fourth = rbnn_select(which == 3, came, none);
          float *to = sums + c;
          for (int row = 0; row < node->side; row++)
            for (int i = 0; i < run; i++, to += node->c) {
              const float *at = corner + row * wide + i;
              rbnn_lanes sum = rbnn_load(to);
              sum += at[0] * first + at[step] * second;
              sum += at[wide] * third + at[wide + step] * fourth;
              rbnn_store(to, sum);
            }
        }
  }
  rbnn_give_back(picture);
}

void rbnn_stem_gradient(const rbnn_network *network, const rbnn_node *node, const float *images,
                        const uint8_t *chosen, const rbnn_bf16 *of_sums, const rbnn_values *values,
                        float *of_latent)
{
  const size_t weights = rbnn_packed_values(node);
  const int parts = (network->samples + SAMPLES - 1) / SAMPLES;
  float *partial = rbnn_borrow(parts * weights * sizeof *partial);
  stem p = {.network = network, .node = node, .images = images, .of_sums = of_sums};
  p.was_chosen = chosen;
  p.partial = partial;
  rbnn_parallel(parts, network->threads, stem_gradient_samples, &p);
  memcpy(of_latent, partial, weights * sizeof *partial);
  for (int part = 1; part < parts; part++)
    for (size_t i = 0; i < weights; i++) of_latent[i] += partial[part * weights + i];
  if (node->shift < 0) {
    rbnn_to_latent(values, 0, weights, of_latent);
  } else {
    const float one = 1.0f / (float)(1 << node->shift);
    for (size_t i = 0; i < weights; i++) of_latent[i] *= one;
  }
  rbnn_give_back(partial);
}
