/* SPDX-License-Identifier: Apache-2.0 */
/* rbnn_poly1305 against Monocypher: random messages, and those at the edges of the modulus. */
#include <stdio.h>
#include <string.h>

#include "computer.h"
#include "monocypher.h"
#include "poly1305.h"

#define MOST_BLOCKS 40u
#define ROUNDS 3000u

static uint8_t data[MOST_BLOCKS * RBNN_POLY1305_BLOCK_BYTES];
static uint32_t seed = 1;

static void fill(uint8_t *bytes, uint32_t count, uint32_t how)
{
  for (uint32_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    bytes[i] = how == 0u ? 0xffu : how == 1u ? 0u : (uint8_t)(seed >> 24);
  }
}

/* One message in two pieces. */
static int agrees(const uint8_t key[32], uint32_t blocks)
{
  uint8_t own[16];
  uint8_t expected[16];
  rbnn_poly1305 authenticator;
  rbnn_poly1305_start(&authenticator, key);
  rbnn_poly1305_blocks(&authenticator, data, blocks / 2u);
  rbnn_poly1305_blocks(&authenticator, data + RBNN_POLY1305_BLOCK_BYTES * (blocks / 2u),
                       blocks - blocks / 2u);
  rbnn_poly1305_finish(&authenticator, own);
  crypto_poly1305(expected, data, RBNN_POLY1305_BLOCK_BYTES * blocks, key);
  static const rbnn_poly1305 wiped;
  return memcmp(own, expected, sizeof own) == 0 &&
         memcmp(&authenticator, &wiped, sizeof wiped) == 0;
}

int main(void)
{
  int right = 1;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    const uint32_t blocks = i % (MOST_BLOCKS + 1u);
    uint8_t key[32];
    fill(key, sizeof key, i % 5u);
    fill(data, sizeof data, i % 7u);
    right &= agrees(key, blocks);
  }
  /* r = 1: the sum itself is the tag; one and two blocks around 2^130 - 5 with their high bits. */
  for (uint32_t low = 0xf0; low <= 0xff; low++) {
    const uint8_t one[32] = {1};
    for (uint32_t blocks = 1; blocks <= 4; blocks++) {
      memset(data, 0xff, sizeof data);
      data[0] = (uint8_t)low;
      right &= agrees(one, blocks);
      memset(data + 16, 0, 48);
      right &= agrees(one, blocks);
    }
  }
  computer_print(right ? "done\n" : "failed\n");
  return right ? 0 : 1;
}
