/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/noise.h"

#include <string.h>

#include "crypto/aead.h"
#include "crypto/wipe.h"
#include "monocypher.h"

#define HASH_BYTES RBNN_NOISE_HASH_BYTES
#define BLOCK_BYTES 128u

/* Symmetric state. The cipher key and the handshake hash are in `payload`. */
typedef struct {
  uint8_t chaining[HASH_BYTES];
  rbnn_noise_payload *payload;
} symmetric;

/* HMAC-BLAKE2b (RFC 2104 with 128-byte blocks) over first || last, `last` being one byte unless
 * `last_bytes` is zero. `key` has at most 64 bytes. */
static void hmac(uint8_t out[HASH_BYTES], const uint8_t key[HASH_BYTES], const uint8_t *first,
                 uint32_t first_bytes, uint8_t last, uint32_t last_bytes)
{
  uint8_t pad[BLOCK_BYTES];
  uint8_t inner[HASH_BYTES];
  crypto_blake2b_ctx hash;

  memset(pad, 0x36, sizeof pad);
  for (uint32_t i = 0; i < HASH_BYTES; i++) {
    pad[i] ^= key[i];
  }
  crypto_blake2b_init(&hash, HASH_BYTES);
  crypto_blake2b_update(&hash, pad, sizeof pad);
  crypto_blake2b_update(&hash, first, first_bytes);
  crypto_blake2b_update(&hash, &last, last_bytes);
  crypto_blake2b_final(&hash, inner);

  for (uint32_t i = 0; i < BLOCK_BYTES; i++) {
    pad[i] ^= 0x36u ^ 0x5cu;
  }
  crypto_blake2b_init(&hash, HASH_BYTES);
  crypto_blake2b_update(&hash, pad, sizeof pad);
  crypto_blake2b_update(&hash, inner, sizeof inner);
  crypto_blake2b_final(&hash, out);
  rbnn_wipe(pad, sizeof pad);
  rbnn_wipe(inner, sizeof inner);
}

/* Noise HKDF: two outputs, and a third unless `third` is NULL. `chaining` is replaced by the
 * first. */
static void hkdf(uint8_t chaining[HASH_BYTES], const uint8_t *material, uint32_t material_bytes,
                 uint8_t second[HASH_BYTES], uint8_t *third)
{
  uint8_t temporary[HASH_BYTES];
  hmac(temporary, chaining, material, material_bytes, 0, 0);
  hmac(chaining, temporary, NULL, 0, 1, 1);
  hmac(second, temporary, chaining, HASH_BYTES, 2, 1);
  if (third != NULL) {
    hmac(third, temporary, second, HASH_BYTES, 3, 1);
  }
  rbnn_wipe(temporary, sizeof temporary);
}

static void mix_hash(symmetric *state, const uint8_t *data, uint32_t bytes)
{
  crypto_blake2b_ctx hash;
  crypto_blake2b_init(&hash, HASH_BYTES);
  crypto_blake2b_update(&hash, state->payload->hash, HASH_BYTES);
  crypto_blake2b_update(&hash, data, bytes);
  crypto_blake2b_final(&hash, state->payload->hash);
}

static void mix_key(symmetric *state, const uint8_t material[32])
{
  uint8_t key[HASH_BYTES];
  hkdf(state->chaining, material, 32, key, NULL);
  memcpy(state->payload->key, key, RBNN_KEY_BYTES);
  rbnn_wipe(key, sizeof key);
}

static void mix_key_and_hash(symmetric *state, const uint8_t material[32])
{
  uint8_t hash[HASH_BYTES];
  uint8_t key[HASH_BYTES];
  hkdf(state->chaining, material, 32, hash, key);
  mix_hash(state, hash, HASH_BYTES);
  memcpy(state->payload->key, key, RBNN_KEY_BYTES);
  rbnn_wipe(hash, sizeof hash);
  rbnn_wipe(key, sizeof key);
}

void rbnn_noise_read_kpsk0(rbnn_noise_payload *payload, const uint8_t *prologue,
                           uint32_t prologue_bytes, const uint8_t initiator[32],
                           const uint8_t private_key[32], const uint8_t public_key[32],
                           const uint8_t psk[RBNN_KEY_BYTES], const uint8_t ephemeral[32])
{
  static const char protocol[] = RBNN_NOISE_PROTOCOL;
  _Static_assert(sizeof protocol - 1u <= HASH_BYTES, "the name is padded, not hashed");
  symmetric state = {.payload = payload};
  uint8_t shared[32];

  memset(payload, 0, sizeof *payload);
  memcpy(payload->hash, protocol, sizeof protocol - 1u);
  memcpy(state.chaining, payload->hash, HASH_BYTES);
  mix_hash(&state, prologue, prologue_bytes);
  mix_hash(&state, initiator, 32);
  mix_hash(&state, public_key, 32);

  mix_key_and_hash(&state, psk);
  mix_hash(&state, ephemeral, 32);
  mix_key(&state, ephemeral); /* section 9.2: e is also mixed in where a psk is used */
  crypto_x25519(shared, private_key, ephemeral);
  mix_key(&state, shared);
  crypto_x25519(shared, private_key, initiator);
  mix_key(&state, shared);

  rbnn_wipe(shared, sizeof shared);
  rbnn_wipe(&state, sizeof state);
}

rbnn_status rbnn_noise_open_payload(const rbnn_noise_payload *payload, const uint8_t *sealed,
                                    uint32_t bytes, uint8_t *text)
{
  static const uint8_t nonce[12] = {0};
  if (!rbnn_aead_open(text, payload->key, nonce, payload->hash, RBNN_NOISE_HASH_BYTES, sealed,
                      bytes)) {
    rbnn_wipe(text, bytes);
    return RBNN_LICENCE_REFUSED;
  }
  return RBNN_OK;
}
