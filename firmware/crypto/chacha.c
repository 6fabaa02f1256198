/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/chacha.h"

#include <stddef.h>
#include <string.h>

#include "crypto/chacha_blocks.h"
#include "crypto/wipe.h"
#include "spec/target.h"

#define COUNTER 12u

/* chacha_v7m.S walks over the struct. */
_Static_assert(offsetof(rbnn_chacha, first) == 64 && offsetof(rbnn_chacha, passes) == 128,
               "layout of a stream that is ready");

static inline uint32_t rotate_right(uint32_t word, uint32_t bits)
{
  return word >> bits | word << (32u - bits);
}

/* Inlined with constants, so that a compiler keeps the state in registers. */
static inline void quarter_round(uint32_t *state, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
  state[a] += state[b];
  state[d] = rotate_right(state[d] ^ state[a], 16);
  state[c] += state[d];
  state[b] = rotate_right(state[b] ^ state[c], 20);
  state[a] += state[b];
  state[d] = rotate_right(state[d] ^ state[a], 24);
  state[c] += state[d];
  state[b] = rotate_right(state[b] ^ state[c], 25);
}

void rbnn_chacha_start(rbnn_chacha *cipher, const uint8_t key[32], const uint32_t nonce[3],
                       uint32_t rounds)
{
  /* Where chacha_v7m.S wants the words of the state, and by how much b and d are turned. */
  static const uint8_t order[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 10, 11};
  static const uint8_t turned[4] = {0, 7, 0, 8};
  uint32_t state[16] = {0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u};

  memcpy(state + 4, key, 32);
  memcpy(state + COUNTER + 1u, nonce, 12);
  memcpy(cipher->first, state, sizeof state);
  cipher->passes = rounds / 4u;
  for (uint32_t column = 1; column < 4; column++) {
    quarter_round(state, column, column + 4u, column + 8u, column + 12u);
  }
  for (uint32_t i = 0; i < 16; i++) {
    const uint32_t word = state[order[i]];
    const uint32_t turn = turned[order[i] / 4u];
    cipher->start[i] = turn == 0u ? word : rotate_right(word, turn);
  }
  rbnn_wipe(state, sizeof state);
}

#if !RBNN_TARGET_V7M
void rbnn_chacha_blocks(const rbnn_chacha *cipher, uint32_t block, const void *in, void *out,
                        uint32_t blocks)
{
  uint32_t first[16];
  uint32_t state[16];
  memcpy(first, cipher->first, sizeof first);
  for (uint32_t i = 0; i < blocks; i++) {
    first[COUNTER] = block + i;
    memcpy(state, first, sizeof state);
    for (uint32_t pass = 0; pass < 2u * cipher->passes; pass++) {
      quarter_round(state, 0, 4, 8, 12);
      quarter_round(state, 1, 5, 9, 13);
      quarter_round(state, 2, 6, 10, 14);
      quarter_round(state, 3, 7, 11, 15);
      quarter_round(state, 0, 5, 10, 15);
      quarter_round(state, 1, 6, 11, 12);
      quarter_round(state, 2, 7, 8, 13);
      quarter_round(state, 3, 4, 9, 14);
    }
    const uint8_t *const from = (const uint8_t *)in + i * RBNN_CHACHA_BLOCK_BYTES;
    uint8_t *const to = (uint8_t *)out + i * RBNN_CHACHA_BLOCK_BYTES;
    for (uint32_t word = 0; word < 16; word++) {
      uint32_t text;
      memcpy(&text, __builtin_assume_aligned(from + 4u * word, 4), sizeof text);
      text ^= state[word] + first[word];
      memcpy(__builtin_assume_aligned(to + 4u * word, 4), &text, sizeof text);
    }
  }
  rbnn_wipe(first, sizeof first);
  rbnn_wipe(state, sizeof state);
}
#endif

/* Part of a block, or a whole one at an address that is not a word's. */
static void xor_part(const rbnn_chacha *cipher, uint32_t block, const uint8_t *in, uint8_t *out,
                     uint32_t bytes)
{
  uint32_t part[RBNN_CHACHA_BLOCK_BYTES / 4u] = {0};
  memcpy(part, in, bytes);
  rbnn_chacha_blocks(cipher, block, part, part, 1);
  memcpy(out, part, bytes);
  rbnn_wipe(part, sizeof part);
}

void rbnn_chacha_xor(const rbnn_chacha *cipher, uint32_t block, const void *in, void *out,
                     uint32_t bytes)
{
  const uint8_t *from = in;
  uint8_t *to = out;
  if ((((uintptr_t)from | (uintptr_t)to) & 3u) == 0u && bytes >= RBNN_CHACHA_BLOCK_BYTES) {
    const uint32_t blocks = bytes / RBNN_CHACHA_BLOCK_BYTES;
    rbnn_chacha_blocks(cipher, block, from, to, blocks);
    block += blocks;
    from += blocks * RBNN_CHACHA_BLOCK_BYTES;
    to += blocks * RBNN_CHACHA_BLOCK_BYTES;
    bytes %= RBNN_CHACHA_BLOCK_BYTES;
  }
  while (bytes > 0u) {
    const uint32_t part = bytes < RBNN_CHACHA_BLOCK_BYTES ? bytes : RBNN_CHACHA_BLOCK_BYTES;
    xor_part(cipher, block, from, to, part);
    block++;
    from += part;
    to += part;
    bytes -= part;
  }
}
