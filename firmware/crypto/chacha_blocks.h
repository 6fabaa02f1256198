/* SPDX-License-Identifier: Apache-2.0 */
/* Between chacha.c and chacha_v7m.S. */
#ifndef RBNN_CRYPTO_CHACHA_BLOCKS_H
#define RBNN_CRYPTO_CHACHA_BLOCKS_H

#include "crypto/chacha.h"

/* `out` = `in` xor `blocks` blocks (one at least) from number `block` on; both word-aligned. */
void rbnn_chacha_blocks(const rbnn_chacha *cipher, uint32_t block, const void *in, void *out,
                        uint32_t blocks);

#endif
