/* SPDX-License-Identifier: Apache-2.0 */
#include "aead.h"

#include <string.h>

#include "chacha.h"
#include "monocypher.h"
#include "poly1305.h"
#include "wipe.h"

#define ROUNDS 20u

/* Poly1305 over `bytes` bytes and zeros up to a whole block. */
static void authenticate(rbnn_poly1305 *authenticator, const uint8_t *data, uint32_t bytes)
{
  const uint32_t rest = bytes % RBNN_POLY1305_BLOCK_BYTES;
  rbnn_poly1305_blocks(authenticator, data, bytes / RBNN_POLY1305_BLOCK_BYTES);
  if (rest > 0u) {
    uint8_t block[RBNN_POLY1305_BLOCK_BYTES] = {0};
    memcpy(block, data + bytes - rest, rest);
    rbnn_poly1305_blocks(authenticator, block, 1);
  }
}

bool rbnn_aead_open(uint8_t *text, const uint8_t key[32], const uint8_t nonce[12],
                    const uint8_t *associated, uint32_t associated_bytes, const uint8_t *sealed,
                    uint32_t bytes)
{
  uint32_t one_time[RBNN_CHACHA_BLOCK_BYTES / 4u] = {0};
  uint32_t nonce_words[3];
  const uint64_t lengths[2] = {associated_bytes, bytes};
  uint8_t tag[RBNN_AEAD_TAG_BYTES];
  rbnn_poly1305 authenticator;
  rbnn_chacha cipher;

  memcpy(nonce_words, nonce, sizeof nonce_words);
  rbnn_chacha_start(&cipher, key, nonce_words, ROUNDS);
  rbnn_chacha_xor(&cipher, 0, one_time, one_time, sizeof one_time);
  rbnn_poly1305_start(&authenticator, (const uint8_t *)one_time);
  authenticate(&authenticator, associated, associated_bytes);
  authenticate(&authenticator, sealed, bytes);
  rbnn_poly1305_blocks(&authenticator, (const uint8_t *)lengths, 1);
  rbnn_poly1305_finish(&authenticator, tag);
  const bool right = crypto_verify16(tag, sealed + bytes) == 0;
  if (right) {
    rbnn_chacha_xor(&cipher, 1, sealed, text, bytes);
  }
  rbnn_wipe(one_time, sizeof one_time);
  rbnn_wipe(tag, sizeof tag);
  rbnn_wipe(&cipher, sizeof cipher);
  return right;
}
