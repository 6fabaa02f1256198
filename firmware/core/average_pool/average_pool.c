/* SPDX-License-Identifier: Apache-2.0 */
/* Mean of the stream over windows of a power of two pixels, no padding:
 * floor((sum + pixels / 2) / pixels). `stream` may be `input` itself: it never catches up with what
 * is still to be read. */
#include <string.h>

#include "core/kernels.h"

/* Channels that are summed at once. */
#define CHANNELS 8u

/* Two neighbouring channels. */
static uint32_t load(const int16_t *values)
{
  uint32_t pair;
  memcpy(&pair, __builtin_assume_aligned(values, 4), sizeof pair);
  return pair;
}

static int32_t low(uint32_t pair)
{
  return (int16_t)(pair & 0xffffu);
}

static int32_t high(uint32_t pair)
{
  return (int32_t)pair >> 16;
}

static void store(int16_t *values, int32_t first, int32_t second)
{
  const uint32_t pair = ((uint32_t)first & 0xffffu) | (uint32_t)second << 16;
  memcpy(__builtin_assume_aligned(values, 4), &pair, sizeof pair);
}

/* The window of 2x2 pixels, the common one. */
static void average_four(const int16_t *corner, uint32_t channels, uint32_t line, int16_t *output)
{
  for (const int16_t *end = corner + channels; corner != end; corner += 2, output += 2) {
    const uint32_t a = load(corner), b = load(corner + channels);
    const uint32_t c = load(corner + line), d = load(corner + line + channels);
    const int32_t first = 2 + low(a) + low(b) + low(c) + low(d);
    const int32_t second = 2 + high(a) + high(b) + high(c) + high(d);
    store(output, first >> 2, second >> 2);
  }
}

static void average(const int16_t *corner, uint32_t channels, uint32_t line, uint32_t kernel,
                    uint32_t shift, int16_t *output)
{
  const int32_t half = (int32_t)((1u << shift) >> 1);
  for (const int16_t *end = corner + channels; corner != end;
       corner += CHANNELS, output += CHANNELS) {
    int32_t s0 = half, s1 = half, s2 = half, s3 = half;
    int32_t s4 = half, s5 = half, s6 = half, s7 = half;
    for (uint32_t ky = 0; ky < kernel; ky++) {
      const int16_t *value = corner + ky * line;
      for (const int16_t *last = value + kernel * channels; value != last; value += channels) {
        const uint32_t a = load(value), b = load(value + 2);
        const uint32_t c = load(value + 4), d = load(value + 6);
        s0 += low(a);
        s1 += high(a);
        s2 += low(b);
        s3 += high(b);
        s4 += low(c);
        s5 += high(c);
        s6 += low(d);
        s7 += high(d);
      }
    }
    store(output, s0 >> shift, s1 >> shift);
    store(output + 2, s2 >> shift, s3 >> shift);
    store(output + 4, s4 >> shift, s5 >> shift);
    store(output + 6, s6 >> shift, s7 >> shift);
  }
}

void rbnn_average_pool(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t channels = layer->in_channels;
  const uint32_t line = layer->in_width * channels;
  int16_t *output = run->stream;
  uint32_t shift = 0;
  while (1u << shift < (uint32_t)layer->kernel * layer->kernel) {
    shift++;
  }
  for (uint32_t y = 0; y < layer->out_height; y++) {
    const int16_t *corner = (const int16_t *)run->input + y * layer->stride * line;
    for (uint32_t x = 0; x < layer->out_width; x++) {
      if (layer->kernel == 2u) {
        average_four(corner, channels, line, output);
      } else {
        average(corner, channels, line, layer->kernel, shift, output);
      }
      corner += layer->stride * channels;
      output += channels;
    }
  }
}
