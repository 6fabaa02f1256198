/* SPDX-License-Identifier: Apache-2.0 */
/* Key derivation, as rbnn/spec/kdf.py: keyed BLAKE2b-256 over prefix, label, zero byte, context. */
#ifndef RBNN_CRYPTO_KDF_H
#define RBNN_CRYPTO_KDF_H

#include "spec/rbnn_spec.h"

/* `label` is one of RBNN_LABEL_*. `key` may not overlap `parent`. Constant time for fixed sizes. */
void rbnn_kdf_derive(uint8_t key[RBNN_KEY_BYTES], const uint8_t parent[RBNN_KEY_BYTES],
                     const char *label, const void *context, uint32_t context_bytes);

#endif
