/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include <string.h>

#include "crypto/chacha.h"
#include "crypto/wipe.h"
#include "monocypher.h"

#define ROUNDS 20u
#define BLOCK_BYTES 16u /* of Poly1305 */

static void start(rbnn_chacha *cipher, const uint8_t key[32], const uint8_t nonce[12])
{
  uint32_t words[3];
  memcpy(words, nonce, sizeof words);
  rbnn_chacha_start(cipher, key, words, ROUNDS);
}

/* Data and zeros up to a whole block. */
static void authenticate(crypto_poly1305_ctx *authenticator, const uint8_t *data, uint32_t bytes)
{
  static const uint8_t zeros[BLOCK_BYTES] = {0};
  crypto_poly1305_update(authenticator, data, bytes);
  crypto_poly1305_update(authenticator, zeros, (0u - bytes) % BLOCK_BYTES);
}

bool rbnn_aead_is_authentic(const uint8_t key[32], const uint8_t nonce[12],
                            const uint8_t *associated, uint32_t associated_bytes,
                            const uint8_t *sealed, uint32_t bytes)
{
  uint32_t one_time[RBNN_CHACHA_BLOCK_BYTES / 4u] = {0};
  const uint64_t lengths[2] = {associated_bytes, bytes};
  uint8_t tag[RBNN_AEAD_TAG_BYTES];
  crypto_poly1305_ctx authenticator;
  rbnn_chacha cipher;

  start(&cipher, key, nonce);
  rbnn_chacha_xor(&cipher, 0, one_time, one_time, sizeof one_time);
  crypto_poly1305_init(&authenticator, (const uint8_t *)one_time);
  authenticate(&authenticator, associated, associated_bytes);
  authenticate(&authenticator, sealed, bytes);
  crypto_poly1305_update(&authenticator, (const uint8_t *)lengths, sizeof lengths);
  crypto_poly1305_final(&authenticator, tag);
  const bool right = crypto_verify16(tag, sealed + bytes) == 0;
  rbnn_wipe(one_time, sizeof one_time);
  rbnn_wipe(tag, sizeof tag);
  rbnn_wipe(&cipher, sizeof cipher);
  return right;
}

void rbnn_aead_decrypt(uint8_t *text, const uint8_t key[32], const uint8_t nonce[12],
                       const uint8_t *sealed, uint32_t bytes)
{
  rbnn_chacha cipher;
  start(&cipher, key, nonce);
  rbnn_chacha_xor(&cipher, 1, sealed, text, bytes);
  rbnn_wipe(&cipher, sizeof cipher);
}

bool rbnn_aead_open(uint8_t *text, const uint8_t key[32], const uint8_t nonce[12],
                    const uint8_t *associated, uint32_t associated_bytes, const uint8_t *sealed,
                    uint32_t bytes)
{
  if (!rbnn_aead_is_authentic(key, nonce, associated, associated_bytes, sealed, bytes)) {
    return false;
  }
  rbnn_aead_decrypt(text, key, nonce, sealed, bytes);
  return true;
}
