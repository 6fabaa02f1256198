/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/front_end.h"

#define FRAME RBNN_AUDIO_FRAME_SAMPLES
#define HALF (FRAME / 2u)
#define QUARTER (FRAME / 4u)
#define ONE_BITS RBNN_AUDIO_SINE_FRACTION_BITS
#define ONE (1 << ONE_BITS)
/* A Hann window is half of 1 - cos; hence one bit more. */
#define WINDOW_SHIFT (ONE_BITS + 1u - RBNN_AUDIO_SAMPLE_FRACTION_BITS)

typedef struct {
  int32_t re;
  int32_t im;
} point;

static const uint16_t sine[] = RBNN_AUDIO_SINE;
static const uint16_t slope_starts[] = RBNN_AUDIO_SLOPE_STARTS;
static const uint16_t weights[] = RBNN_AUDIO_WEIGHTS;
static const uint32_t least_sums[] = RBNN_AUDIO_LEAST_SUMS;
static const uint16_t log_areas[] = RBNN_AUDIO_LOG_AREAS;
static const uint16_t log_table[] = RBNN_AUDIO_LOG_TABLE;

/* Of half a wave: k from 0 to HALF. */
static int32_t cosine_of(uint32_t k)
{
  return k <= QUARTER ? sine[QUARTER - k] : -(int32_t)sine[k - QUARTER];
}

static int32_t sine_of(uint32_t k)
{
  return sine[k <= QUARTER ? k : HALF - k];
}

/* A sum of two products, rounded once. */
static int32_t turn(int32_t a, int32_t p, int32_t b, int32_t q)
{
  return (int32_t)(((int64_t)a * p + (int64_t)b * q + (1 << (ONE_BITS - 1u))) >> ONE_BITS);
}

static int32_t windowed(const int16_t *samples, uint32_t n)
{
  const int32_t weight = ONE - cosine_of(n <= HALF ? n : FRAME - n);
  return (samples[n] * weight + (1 << (WINDOW_SHIFT - 1u))) >> WINDOW_SHIFT;
}

/* Even samples are real, odd ones imaginary. */
static void load(const int16_t *samples, point *points)
{
  uint32_t reversed = 0;
  for (uint32_t i = 0; i < HALF; i++) {
    points[reversed].re = windowed(samples, 2u * i);
    points[reversed].im = windowed(samples, 2u * i + 1u);
    uint32_t bit = HALF / 2u;
    while (reversed & bit) {
      reversed ^= bit;
      bit >>= 1;
    }
    reversed |= bit;
  }
}

/* The first two stages, whose factors are 1 and -i. */
static void first_stages(point *points)
{
  for (point *p = points; p < points + HALF; p += 4) {
    const point sum = {p[0].re + p[1].re, p[0].im + p[1].im};
    const point less = {p[0].re - p[1].re, p[0].im - p[1].im};
    const point next = {p[2].re + p[3].re, p[2].im + p[3].im};
    const point last = {p[2].re - p[3].re, p[2].im - p[3].im};
    p[0] = (point){sum.re + next.re, sum.im + next.im};
    p[1] = (point){less.re + last.im, less.im - last.re};
    p[2] = (point){sum.re - next.re, sum.im - next.im};
    p[3] = (point){less.re - last.im, less.im + last.re};
  }
}

/* Decimation in time, radix 2. */
static void transform(point *points)
{
  first_stages(points);
  for (uint32_t half = 4; half < HALF; half *= 2u) {
    for (uint32_t j = 0; j < half; j++) {
      const uint32_t k = j * (HALF / half);
      const int32_t c = cosine_of(k);
      const int32_t s = sine_of(k);
      for (point *p = points + j; p < points + HALF; p += 2u * half) {
        point *const q = p + half;
        const int32_t re = turn(q->re, c, q->im, s);
        const int32_t im = turn(q->im, c, q->re, -s);
        q->re = p->re - re;
        q->im = p->im - im;
        p->re += re;
        p->im += im;
      }
    }
  }
}

/* Of the real samples' spectrum, twice its amplitude. */
static uint64_t power(const point *points, uint32_t k)
{
  const point *const p = points + k;
  const point *const q = points + HALF - k;
  const int32_t c = cosine_of(k);
  const int32_t s = sine_of(k);
  const int32_t across = p->re - q->re;
  const int32_t along = p->im + q->im;
  const int64_t re = p->re + q->re + turn(along, c, across, -s);
  const int64_t im = p->im - q->im - turn(along, s, across, c);
  const int64_t square = re * re + im * im + (1 << (RBNN_AUDIO_POWER_SHIFT - 1u));
  return (uint64_t)square >> RBNN_AUDIO_POWER_SHIFT;
}

/* To base 2, of a positive number. */
static uint32_t logarithm(uint64_t value)
{
  const uint32_t high = (uint32_t)(value >> 32);
  const uint32_t zeros =
      high != 0u ? (uint32_t)__builtin_clz(high) : 32u + (uint32_t)__builtin_clz((uint32_t)value);
  const uint32_t whole = 63u - zeros;
  const uint32_t mantissa = (uint32_t)((value << zeros) >> 31); /* the leading one has gone */
  const uint32_t place = mantissa >> (32u - RBNN_AUDIO_LOG_INDEX_BITS);
  const uint32_t rest = (mantissa >> (16u - RBNN_AUDIO_LOG_INDEX_BITS)) & 0xFFFFu;
  const uint32_t step = (uint32_t)log_table[place + 1u] - log_table[place];
  const uint32_t fraction = log_table[place] + ((step * rest) >> 16);
  const uint32_t shift = RBNN_AUDIO_LOG_TABLE_FRACTION_BITS - RBNN_AUDIO_LOG_FRACTION_BITS;
  return ((whole << RBNN_AUDIO_LOG_TABLE_FRACTION_BITS) + fraction + (1u << (shift - 1u))) >> shift;
}

void rbnn_audio_column(const int16_t *samples, int32_t *work, uint16_t column[RBNN_AUDIO_BANDS])
{
  point *const points = (point *)work;
  load(samples, points);
  transform(points);
  uint64_t before = 0; /* the rising slope of the band that falls now */
  for (uint32_t slope = 0; slope <= RBNN_AUDIO_BANDS; slope++) {
    uint64_t rising = 0;
    uint64_t falling = before;
    for (uint32_t k = slope_starts[slope]; k < slope_starts[slope + 1u]; k++) {
      const uint64_t whole = power(points, k);
      const uint64_t part = whole * weights[k - RBNN_AUDIO_FIRST_BIN];
      rising += part;
      falling += (whole << ONE_BITS) - part;
    }
    if (slope > 0u) {
      const uint32_t band = slope - 1u;
      column[band] = (uint16_t)(logarithm(falling + least_sums[band]) - log_areas[band]);
    }
    before = rising;
  }
}

int rbnn_audio_picture(const uint16_t columns[RBNN_AUDIO_COLUMNS][RBNN_AUDIO_BANDS], uint32_t first,
                       uint8_t picture[RBNN_AUDIO_PICTURE_BYTES])
{
  uint32_t loudest = 0;
  for (uint32_t i = 0; i < RBNN_AUDIO_PICTURE_BYTES; i++) {
    const uint32_t value = columns[i / RBNN_AUDIO_BANDS][i % RBNN_AUDIO_BANDS];
    if (value > loudest) loudest = value;
  }
  if (loudest <= RBNN_AUDIO_LOG_FLOOR) return 0;
  for (uint32_t i = 0; i < RBNN_AUDIO_COLUMNS; i++) {
    const uint16_t *const column = columns[(first + i) % RBNN_AUDIO_COLUMNS];
    for (uint32_t band = 0; band < RBNN_AUDIO_BANDS; band++) {
      const uint32_t above = column[band] + RBNN_AUDIO_LOG_RANGE;
      const uint32_t over = above > loudest ? above - loudest : 0u;
      picture[band * RBNN_AUDIO_COLUMNS + i] =
          (uint8_t)((over * RBNN_AUDIO_SCALE + (1u << (RBNN_AUDIO_SCALE_FRACTION_BITS - 1u))) >>
                    RBNN_AUDIO_SCALE_FRACTION_BITS);
    }
  }
  return 1;
}
