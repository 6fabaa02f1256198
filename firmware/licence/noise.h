/* SPDX-License-Identifier: Apache-2.0 */
/* Responder of Noise_Kpsk0_25519_ChaChaPoly_BLAKE2b: the device that opens a licence.
 *
 * Source: The Noise Protocol Framework, revision 34, sections 4.3, 5, 7.4 and 9.
 * An all-zero Diffie-Hellman output is taken as it is and hashed on, as section 12.1 advises; such
 * a licence then rests on the pre-shared key and on the other product, which no outsider knows.
 * Constant time in every secret. */
#ifndef RBNN_LICENCE_NOISE_H
#define RBNN_LICENCE_NOISE_H

#include "spec/rbnn_spec.h"

#define RBNN_NOISE_HASH_BYTES 64u
#define RBNN_NOISE_TAG_BYTES 16u

/* What the message pattern ends with: the payload's key (nonce 0) and its associated data. */
typedef struct {
  uint8_t key[RBNN_KEY_BYTES];
  uint8_t hash[RBNN_NOISE_HASH_BYTES];
} rbnn_noise_payload;

/* Process psk, e, es and ss. Never fails: a wrong key shows in rbnn_noise_open_payload.
 *   initiator, ephemeral   the other side's static public key, and the message's first 32 bytes
 *   private_key, public_key  this side's static key pair */
void rbnn_noise_read_kpsk0(rbnn_noise_payload *payload, const uint8_t *prologue,
                           uint32_t prologue_bytes, const uint8_t initiator[32],
                           const uint8_t private_key[32], const uint8_t public_key[32],
                           const uint8_t psk[RBNN_KEY_BYTES], const uint8_t ephemeral[32]);

/* Decrypt the payload: `sealed` is `bytes` bytes of ciphertext, then the tag. `text` has `bytes`
 * bytes and does not overlap `sealed`. RBNN_LICENCE_REFUSED when it was made with other keys or
 * changed; `text` is zero then. */
rbnn_status rbnn_noise_open_payload(const rbnn_noise_payload *payload, const uint8_t *sealed,
                                    uint32_t bytes, uint8_t *text);

#endif
