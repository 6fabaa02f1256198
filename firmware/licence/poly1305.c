/* SPDX-License-Identifier: Apache-2.0 */
#include "poly1305.h"

#include <string.h>

#include "wipe.h"

#define BLOCK_WORDS 4u

/* `*high`:`*low` += a * b. GCC writes three instructions for it where one will do. */
static inline void multiply_add(uint32_t *low, uint32_t *high, uint32_t a, uint32_t b)
{
#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__)
  __asm("umlal %0, %1, %2, %3" : "+r"(*low), "+r"(*high) : "r"(a), "r"(b));
#else
  const uint64_t sum = ((uint64_t)*high << 32 | *low) + (uint64_t)a * b;
  *low = (uint32_t)sum;
  *high = (uint32_t)(sum >> 32);
#endif
}

void rbnn_poly1305_start(rbnn_poly1305 *authenticator, const uint8_t key[32])
{
  memset(authenticator, 0, sizeof *authenticator);
  memcpy(authenticator->r, key, sizeof authenticator->r);
  memcpy(authenticator->s, key + sizeof authenticator->r, sizeof authenticator->s);
  authenticator->r[0] &= 0x0fffffffu;
  for (uint32_t i = 1; i < BLOCK_WORDS; i++) {
    authenticator->r[i] &= 0x0ffffffcu;
  }
}

void rbnn_poly1305_blocks(rbnn_poly1305 *authenticator, const uint8_t *data, uint32_t blocks)
{
  const uint32_t r0 = authenticator->r[0];
  const uint32_t r1 = authenticator->r[1];
  const uint32_t r2 = authenticator->r[2];
  const uint32_t r3 = authenticator->r[3];
  /* 2^128 r = 5/4 r modulo 2^130 - 5, and clamping has made r1 to r3 multiples of 4. */
  const uint32_t q1 = r1 + (r1 >> 2);
  const uint32_t q2 = r2 + (r2 >> 2);
  const uint32_t q3 = r3 + (r3 >> 2);
  uint32_t h0 = authenticator->sum[0];
  uint32_t h1 = authenticator->sum[1];
  uint32_t h2 = authenticator->sum[2];
  uint32_t h3 = authenticator->sum[3];
  uint32_t h4 = authenticator->sum[4];
  uint32_t carry = authenticator->carry;

  for (; blocks > 0u; blocks--) {
    uint32_t word[BLOCK_WORDS];
    memcpy(word, data, sizeof word);
    data += sizeof word;
    uint64_t x = (uint64_t)h0 + word[0] + carry;
    h0 = (uint32_t)x;
    x = (x >> 32) + h1 + word[1];
    h1 = (uint32_t)x;
    x = (x >> 32) + h2 + word[2];
    h2 = (uint32_t)x;
    x = (x >> 32) + h3 + word[3];
    h3 = (uint32_t)x;
    h4 += (uint32_t)(x >> 32) + 1u; /* the bit above a whole block */

    /* r < 2^28 and h4 < 8, so that no sum of products passes 2^63. */
    uint32_t p0 = 0;
    uint32_t p1 = 0;
    uint32_t p2 = 0;
    uint32_t p3 = 0;
    uint32_t p4 = h4 * r0;
    multiply_add(&p0, &p1, h0, r0);
    multiply_add(&p0, &p1, h1, q3);
    multiply_add(&p0, &p1, h2, q2);
    multiply_add(&p0, &p1, h3, q1);
    multiply_add(&p1, &p2, h0, r1);
    multiply_add(&p1, &p2, h1, r0);
    multiply_add(&p1, &p2, h2, q3);
    multiply_add(&p1, &p2, h3, q2);
    multiply_add(&p1, &p2, h4, q1);
    multiply_add(&p2, &p3, h0, r2);
    multiply_add(&p2, &p3, h1, r1);
    multiply_add(&p2, &p3, h2, r0);
    multiply_add(&p2, &p3, h3, q3);
    multiply_add(&p2, &p3, h4, q2);
    multiply_add(&p3, &p4, h0, r3);
    multiply_add(&p3, &p4, h1, r2);
    multiply_add(&p3, &p4, h2, r1);
    multiply_add(&p3, &p4, h3, r0);
    multiply_add(&p3, &p4, h4, q3);
    h0 = p0;
    h1 = p1;
    h2 = p2;
    h3 = p3;
    h4 = p4;
    carry = 5u * (h4 >> 2); /* 2^130 = 5; less than 2^32 */
    h4 &= 3u;
  }
  authenticator->sum[0] = h0;
  authenticator->sum[1] = h1;
  authenticator->sum[2] = h2;
  authenticator->sum[3] = h3;
  authenticator->sum[4] = h4;
  authenticator->carry = carry;
}

/* `sum` += `addend`, least word first; the carry out of the last word is left out. */
static void add_words(uint32_t *sum, uint32_t words, uint32_t addend)
{
  uint64_t x = addend;
  for (uint32_t i = 0; i < words; i++) {
    x += sum[i];
    sum[i] = (uint32_t)x;
    x >>= 32;
  }
}

void rbnn_poly1305_finish(rbnn_poly1305 *authenticator, uint8_t tag[16])
{
  uint32_t *const sum = authenticator->sum;
  uint32_t less[5];

  /* Below 2^130 + 2^32 with the carry in; once more, and below 2^130. */
  add_words(sum, 5, authenticator->carry);
  const uint32_t over = 5u * (sum[4] >> 2);
  sum[4] &= 3u;
  add_words(sum, 5, over);

  /* The sum less 2^130 - 5 where that is not negative. */
  memcpy(less, sum, sizeof less);
  add_words(less, 5, 5);
  const uint32_t take = 0u - (less[4] >> 2);
  uint64_t x = 0;
  for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
    x += (sum[i] & ~take) | (less[i] & take);
    x += authenticator->s[i];
    const uint32_t word = (uint32_t)x;
    memcpy(tag + 4u * i, &word, sizeof word);
    x >>= 32;
  }
  rbnn_wipe(less, sizeof less);
  rbnn_wipe(authenticator, sizeof *authenticator);
}
