/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include <string.h>

#include "monocypher.h"

void rbnn_kdf_derive(uint8_t key[RBNN_KEY_BYTES], const uint8_t parent[RBNN_KEY_BYTES],
                     const char *label, const void *context, uint32_t context_bytes)
{
  static const char prefix[] = RBNN_KDF_PREFIX;
  crypto_blake2b_ctx hash;

  crypto_blake2b_keyed_init(&hash, RBNN_KEY_BYTES, parent, RBNN_KEY_BYTES);
  crypto_blake2b_update(&hash, (const uint8_t *)prefix, sizeof prefix - 1u);
  /* The label's own zero byte separates it from the context. */
  crypto_blake2b_update(&hash, (const uint8_t *)label, strlen(label) + 1u);
  crypto_blake2b_update(&hash, (const uint8_t *)context, context_bytes);
  crypto_blake2b_final(&hash, key); /* wipes the context */
}
