/* SPDX-License-Identifier: Apache-2.0 */
/* The workstation's vectors: counting bits, dot products of bytes, thresholds. One of four forms
 * (AVX-512 with population count, AVX2, NEON, plain vectors of the compiler) is taken from
 * spec/target.h; all give the same numbers. */
#ifndef RBNN_HOST_WIDE_VECTOR_H
#define RBNN_HOST_WIDE_VECTOR_H

#include <stdint.h>
#include <string.h>

#include "spec/target.h"

#if RBNN_TARGET_AVX512
#include <immintrin.h>
#define RBNN_WIDE_NAME "AVX-512"
#define RBNN_WIDE_LANES 16u
#define RBNN_WIDE_TALLY_STEPS 65536u
#elif RBNN_TARGET_AVX2
#include <immintrin.h>
#define RBNN_WIDE_NAME "AVX2"
#define RBNN_WIDE_LANES 8u
#define RBNN_WIDE_TALLY_STEPS 31u
#elif RBNN_TARGET_NEON
#include <arm_neon.h>
#define RBNN_WIDE_NAME "NEON"
#define RBNN_WIDE_LANES 4u
#define RBNN_WIDE_TALLY_STEPS 31u
#else
#define RBNN_WIDE_NAME "plain"
#define RBNN_WIDE_LANES 4u
#define RBNN_WIDE_TALLY_STEPS 31u
#endif

/* One 32-bit lane a filter, and 16 bits of each. */
typedef uint32_t rbnn_wide __attribute__((vector_size(4u * RBNN_WIDE_LANES)));
typedef int16_t rbnn_wide_sums __attribute__((vector_size(2u * RBNN_WIDE_LANES)));

/* `from` needs no alignment beyond its type's. */
static inline rbnn_wide rbnn_wide_load(const uint32_t *from)
{
  rbnn_wide value;
  memcpy(&value, from, sizeof value);
  return value;
}

/* The same word in every lane. */
static inline rbnn_wide rbnn_wide_splat(uint32_t word)
{
  return word - (rbnn_wide){0};
}

/* Add the ones of each lane of `bits` to a tally, which begins at zero and takes
 * RBNN_WIDE_TALLY_STEPS steps before rbnn_wide_total must be asked: but for AVX-512 it counts in
 * bytes. */
static inline rbnn_wide rbnn_wide_tally(rbnn_wide tally, rbnn_wide bits)
{
#if RBNN_WIDE_LANES == 16u
  return (rbnn_wide)_mm512_add_epi32((__m512i)tally, _mm512_popcnt_epi32((__m512i)bits));
#elif RBNN_WIDE_LANES == 8u
  const __m256i ones = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2,
                                        1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i low = _mm256_and_si256((__m256i)bits, nibble);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16((__m256i)bits, 4), nibble);
  const __m256i counts =
      _mm256_add_epi8(_mm256_shuffle_epi8(ones, low), _mm256_shuffle_epi8(ones, high));
  return (rbnn_wide)_mm256_add_epi8((__m256i)tally, counts);
#elif RBNN_TARGET_NEON
  return (rbnn_wide)vaddq_u8((uint8x16_t)tally, vcntq_u8((uint8x16_t)bits));
#else
  bits -= (bits >> 1) & 0x55555555u;
  bits = (bits & 0x33333333u) + ((bits >> 2) & 0x33333333u);
  return tally + ((bits + (bits >> 4)) & 0x0f0f0f0fu);
#endif
}

/* The ones that a tally holds, lane by lane. */
static inline rbnn_wide rbnn_wide_total(rbnn_wide tally)
{
#if RBNN_WIDE_LANES == 16u
  return tally;
#elif RBNN_WIDE_LANES == 8u
  const __m256i pairs = _mm256_maddubs_epi16((__m256i)tally, _mm256_set1_epi8(1));
  return (rbnn_wide)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#elif RBNN_TARGET_NEON
  return (rbnn_wide)vpaddlq_u16(vpaddlq_u8((uint8x16_t)tally));
#else
  tally = (tally & 0x00ff00ffu) + ((tally >> 8) & 0x00ff00ffu);
  return (tally & 0xffffu) + (tally >> 16);
#endif
}

/* sums + the products of four unsigned bytes, the same in every lane, with a lane's four signed
 * ones, which are -1, 0 or 1. NEON takes 128 off every byte: what that adds depends only on the
 * weights and cancels where two sums are subtracted. */
static inline rbnn_wide rbnn_wide_dot(rbnn_wide sums, uint32_t bytes, rbnn_wide weights)
{
#if RBNN_WIDE_LANES == 16u && RBNN_TARGET_AVX512_VNNI
  return (rbnn_wide)_mm512_dpbusd_epi32((__m512i)sums, _mm512_set1_epi32((int32_t)bytes),
                                        (__m512i)weights);
#elif RBNN_WIDE_LANES == 16u
  const __m512i pairs = _mm512_maddubs_epi16(_mm512_set1_epi32((int32_t)bytes), (__m512i)weights);
  return sums + (rbnn_wide)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#elif RBNN_WIDE_LANES == 8u
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi32((int32_t)bytes), (__m256i)weights);
  return sums + (rbnn_wide)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#elif RBNN_TARGET_NEON
  const int8x16_t values = vreinterpretq_s8_u32(vdupq_n_u32(bytes ^ 0x80808080u));
  const int8x16_t signs = (int8x16_t)weights;
  const int16x8_t low = vmull_s8(vget_low_s8(values), vget_low_s8(signs));
  const int16x8_t high = vmull_high_s8(values, signs);
  return (rbnn_wide)vpadalq_s16((int32x4_t)sums, vpaddq_s16(low, high));
#else
  for (uint32_t shift = 0; shift < 32u; shift += 8u) {
    /* Odd for 1 and -1, for which twice the byte is taken off again. */
    const rbnn_wide weight = (weights >> shift) & 0xffu;
    const rbnn_wide byte = rbnn_wide_splat((bytes >> shift) & 0xffu);
    sums += (byte & (0u - (weight & 1u))) - ((byte & (0u - (weight >> 7))) << 1);
  }
  return sums;
#endif
}

/* The low 16 bits of every lane. */
static inline void rbnn_wide_store_sums(int16_t *to, rbnn_wide sums)
{
  const rbnn_wide_sums value = __builtin_convertvector(sums, rbnn_wide_sums);
  memcpy(to, &value, sizeof value);
}

/* The greatest of `rows` rows of a vector's sums, `pitch` sums apart. */
static inline void rbnn_wide_store_greatest(int16_t *to, const int16_t *from, uint32_t rows,
                                            uint32_t pitch)
{
  rbnn_wide_sums greatest;
  memcpy(&greatest, from, sizeof greatest);
  for (uint32_t row = 1; row < rows; row++) {
    rbnn_wide_sums other;
    memcpy(&other, from + row * pitch, sizeof other);
    const rbnn_wide_sums is_greater = (rbnn_wide_sums)(other > greatest);
    greatest = (other & is_greater) | (greatest & ~is_greater);
  }
  memcpy(to, &greatest, sizeof greatest);
}

/* Bit i tells whether sums[i] >= thresholds[i], for 32 of them. */
static inline uint32_t rbnn_wide_reached(const int16_t *sums, const int16_t *thresholds)
{
#if RBNN_WIDE_LANES == 16u
  return _mm512_cmpge_epi16_mask(_mm512_loadu_si512(sums), _mm512_loadu_si512(thresholds));
#elif RBNN_WIDE_LANES == 8u
  const __m256i *s = (const __m256i *)(const void *)sums;
  const __m256i *t = (const __m256i *)(const void *)thresholds;
  const __m256i low = _mm256_cmpgt_epi16(_mm256_loadu_si256(t), _mm256_loadu_si256(s));
  const __m256i high = _mm256_cmpgt_epi16(_mm256_loadu_si256(t + 1), _mm256_loadu_si256(s + 1));
  /* Packing works within halves of 128 bits; 0xd8 puts the quarters back in order. */
  const __m256i below = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
  return ~(uint32_t)_mm256_movemask_epi8(below);
#else
  uint32_t bits = 0;
  for (uint32_t i = 0; i < 32u; i++) {
    bits |= (uint32_t)(sums[i] >= thresholds[i]) << i;
  }
  return bits;
#endif
}

#endif
