/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha (RFC 8439's layout of key, 32-bit block counter and 96-bit nonce) with 20, 12 or 8 rounds.
 *
 * Cores with Thumb-2 run chacha_v7m.S, everything else chacha.c (spec/target.h). Timing depends
 * only on `bytes`, on the rounds and on the alignment of the pointers. */
#ifndef RBNN_CRYPTO_CHACHA_H
#define RBNN_CRYPTO_CHACHA_H

#include <stdint.h>

#define RBNN_CHACHA_BLOCK_BYTES 64u

/* A key and a nonce, made ready; as secret as the key. Treat as opaque. */
typedef struct {
  uint32_t start[16]; /* what a block's rounds begin with; the order is chacha_v7m.S's */
  uint32_t first[16]; /* the initial state, RFC 8439 section 2.3, with the counter as zero */
  uint32_t passes;    /* rounds / 4 */
} rbnn_chacha;

/* Make a stream ready. `key` may have any alignment; `rounds` is 8, 12 or 20. Costs about as
 * much as a quarter of a block. */
void rbnn_chacha_start(rbnn_chacha *cipher, const uint8_t key[32], const uint32_t nonce[3],
                       uint32_t rounds);

/* `out` = `in` xor `bytes` bytes of the key stream from block `block` on.
 *   in   any alignment; word-aligned is fast. It may be `out` itself, else they are disjoint.
 *   out  any alignment; word-aligned is fast
 * The counter has 32 bits and does not carry into the nonce: `block` plus the number of blocks may
 * not pass 2^32, or the stream would repeat. */
void rbnn_chacha_xor(const rbnn_chacha *cipher, uint32_t block, const void *in, void *out,
                     uint32_t bytes);

#endif
