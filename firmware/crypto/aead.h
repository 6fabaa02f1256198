/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20-Poly1305 (RFC 8439 section 2.8), opening only. */
#ifndef RBNN_CRYPTO_AEAD_H
#define RBNN_CRYPTO_AEAD_H

#include <stdbool.h>
#include <stdint.h>

#define RBNN_AEAD_TAG_BYTES 16u

/* Whether the tag is that of the associated data and of the ciphertext.
 *   nonce   12 bytes, any alignment
 *   sealed  ciphertext of `bytes` bytes, then the tag
 * Constant time for fixed sizes, here and below. */
bool rbnn_aead_is_authentic(const uint8_t key[32], const uint8_t nonce[12],
                            const uint8_t *associated, uint32_t associated_bytes,
                            const uint8_t *sealed, uint32_t bytes);

/* Decrypt what has been found authentic. `text` is disjoint from `sealed`; both are fast when
 * word-aligned. */
void rbnn_aead_decrypt(uint8_t *text, const uint8_t key[32], const uint8_t nonce[12],
                       const uint8_t *sealed, uint32_t bytes);

/* Both: whether the tag is right; only then `text` is written. */
bool rbnn_aead_open(uint8_t *text, const uint8_t key[32], const uint8_t nonce[12],
                    const uint8_t *associated, uint32_t associated_bytes, const uint8_t *sealed,
                    uint32_t bytes);

#endif
