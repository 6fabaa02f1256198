/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20-Poly1305 (RFC 8439 section 2.8), opening only. */
#ifndef RBNN_LICENCE_AEAD_H
#define RBNN_LICENCE_AEAD_H

#include <stdbool.h>
#include <stdint.h>

#define RBNN_AEAD_TAG_BYTES 16u

/* Whether the tag is right; only then `text` is written.
 *   nonce       12 bytes, any alignment
 *   sealed      ciphertext of `bytes` bytes, then the tag; disjoint from `text`
 *   text        `bytes` bytes; it and `sealed` are fast when word-aligned
 * Constant time for fixed sizes. */
bool rbnn_aead_open(uint8_t *text, const uint8_t key[32], const uint8_t nonce[12],
                    const uint8_t *associated, uint32_t associated_bytes, const uint8_t *sealed,
                    uint32_t bytes);

#endif
