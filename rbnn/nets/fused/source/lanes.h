/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen values at a time, in the compiler's vectors: as wide as the machine's, on any machine. */
#ifndef RBNN_LANES_H
#define RBNN_LANES_H

#include <stdint.h>
#include <string.h>

#ifdef __AVX512BW__
#include <immintrin.h>
#endif

#define RBNN_LANES 16

typedef float rbnn_lanes __attribute__((vector_size(64)));
typedef int32_t rbnn_integers __attribute__((vector_size(64)));
typedef uint32_t rbnn_words __attribute__((vector_size(64)));
typedef int16_t rbnn_shorts __attribute__((vector_size(32)));
typedef uint16_t rbnn_halves __attribute__((vector_size(32)));
typedef uint8_t rbnn_bytes __attribute__((vector_size(16)));
typedef int8_t rbnn_tiny __attribute__((vector_size(16)));

static inline rbnn_lanes rbnn_load(const float *from)
{
  rbnn_lanes found;
  memcpy(&found, from, sizeof found);
  return found;
}

static inline void rbnn_store(float *to, rbnn_lanes values)
{
  memcpy(to, &values, sizeof values);
}

/* GCC 12 widens and narrows in two halves. */
static inline rbnn_lanes rbnn_load_short(const int16_t *from)
{
  rbnn_shorts found;
  memcpy(&found, from, sizeof found);
#ifdef __AVX512BW__
  const rbnn_integers wide = (rbnn_integers)_mm512_cvtepi16_epi32((__m256i)found);
#else
  const rbnn_integers wide = __builtin_convertvector(found, rbnn_integers);
#endif
  return __builtin_convertvector(wide, rbnn_lanes);
}

/* Integers that int16 holds. */
static inline void rbnn_store_short(int16_t *to, rbnn_lanes values)
{
  const rbnn_integers wide = __builtin_convertvector(values, rbnn_integers);
#ifdef __AVX512BW__
  const rbnn_shorts found = (rbnn_shorts)_mm512_cvtepi32_epi16((__m512i)wide);
#else
  const rbnn_shorts found = __builtin_convertvector(wide, rbnn_shorts);
#endif
  memcpy(to, &found, sizeof found);
}

static inline rbnn_words rbnn_widen_words(rbnn_halves values)
{
#ifdef __AVX512BW__
  return (rbnn_words)_mm512_cvtepu16_epi32((__m256i)values);
#else
  return __builtin_convertvector(values, rbnn_words);
#endif
}

static inline rbnn_lanes rbnn_load_half(const uint16_t *from)
{
  rbnn_halves found;
  memcpy(&found, from, sizeof found);
  return (rbnn_lanes)(rbnn_widen_words(found) << 16);
}

static inline rbnn_integers rbnn_load_tiny(const int8_t *from)
{
  rbnn_tiny found;
  memcpy(&found, from, sizeof found);
#ifdef __AVX512BW__
  return (rbnn_integers)_mm512_cvtepi8_epi32((__m128i)found);
#else
  return __builtin_convertvector(found, rbnn_integers);
#endif
}

/* To the nearest bfloat16, ties to even; NaN does not occur. */
static inline void rbnn_store_half(uint16_t *to, rbnn_lanes values)
{
  const rbnn_words bits = (rbnn_words)values;
  const rbnn_words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
#ifdef __AVX512BW__
  const rbnn_halves found = (rbnn_halves)_mm512_cvtepi32_epi16((__m512i)rounded);
#else
  const rbnn_halves found = __builtin_convertvector(rounded, rbnn_halves);
#endif
  memcpy(to, &found, sizeof found);
}

/* `yes` where the comparison holds, else `no`. */
static inline rbnn_lanes rbnn_select(rbnn_integers holds, rbnn_lanes yes, rbnn_lanes no)
{
  return (rbnn_lanes)((holds & (rbnn_integers)yes) | (~holds & (rbnn_integers)no));
}

static inline rbnn_lanes rbnn_clip(rbnn_lanes values, float lowest, float highest)
{
  const rbnn_lanes low = (rbnn_lanes){0} + lowest, high = (rbnn_lanes){0} + highest;
  values = rbnn_select(values < low, low, values);
  return rbnn_select(values > high, high, values);
}

static inline rbnn_lanes rbnn_size(rbnn_lanes values)
{
  return (rbnn_lanes)((rbnn_integers)values & 0x7fffffff);
}

static inline rbnn_lanes rbnn_floor(rbnn_lanes values)
{
  const rbnn_lanes cut =
      __builtin_convertvector(__builtin_convertvector(values, rbnn_integers), rbnn_lanes);
  return cut + __builtin_convertvector((rbnn_integers)(cut > values), rbnn_lanes);
}

#endif
