/* SPDX-License-Identifier: Apache-2.0 */
/* Poly1305 (RFC 8439 section 2.5) over whole blocks, which is all that the AEAD construction asks
 * for. 5 instructions a byte on a Cortex-M, where Monocypher's takes 13.
 * Constant time where 32 by 32 bits are multiplied in constant time: not on a Cortex-M3. */
#ifndef RBNN_LICENCE_POLY1305_H
#define RBNN_LICENCE_POLY1305_H

#include <stdint.h>

#define RBNN_POLY1305_BLOCK_BYTES 16u

/* As secret as its key, for one message. Treat as opaque. */
typedef struct {
  uint32_t sum[5]; /* of the blocks so far, little-endian; below 2^130 */
  uint32_t carry;  /* yet to be added to it */
  uint32_t r[4];   /* clamped */
  uint32_t s[4];   /* added at the end */
} rbnn_poly1305;

/* `key` has any alignment. */
void rbnn_poly1305_start(rbnn_poly1305 *authenticator, const uint8_t key[32]);

/* Take `blocks` blocks of 16 bytes; word-aligned data is fast. */
void rbnn_poly1305_blocks(rbnn_poly1305 *authenticator, const uint8_t *data, uint32_t blocks);

/* The tag; the context is wiped. */
void rbnn_poly1305_finish(rbnn_poly1305 *authenticator, uint8_t tag[16]);

#endif
