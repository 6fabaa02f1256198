/* SPDX-License-Identifier: Apache-2.0 */
#include "reconf.h"

#include <string.h>

#include "kdf.h"
#include "monocypher.h"

#define NO_LAYER UINT32_MAX
#define CHACHA_BLOCK_BYTES 64u

_Static_assert(RBNN_FILTERS_PER_TILE * 4u % CHACHA_BLOCK_BYTES == 0,
               "a tile begins at a whole block of the key stream");

void rbnn_reconf_start(rbnn_reconf *reconf, const rbnn_model *model,
                       const uint8_t secret[RBNN_KEY_BYTES])
{
  reconf->model = model;
  reconf->layer = NO_LAYER;
  memcpy(reconf->secret, secret, RBNN_KEY_BYTES);
}

static void derive_layer_key(rbnn_reconf *reconf, uint32_t layer)
{
  uint8_t context[sizeof reconf->model->header->model_id + 2u];
  memcpy(context, reconf->model->header->model_id, sizeof context - 2u);
  context[sizeof context - 2u] = (uint8_t)layer;
  context[sizeof context - 1u] = (uint8_t)(layer >> 8);
  rbnn_kdf_derive(reconf->layer_key, reconf->secret, RBNN_LABEL_WEIGHTS, context, sizeof context);
  reconf->layer = layer;
}

void rbnn_reconf_tile(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                      uint32_t *tile)
{
  static const uint8_t nonce[12] = {0};
  rbnn_reconf *reconf = context;
  if (reconf->layer != layer) {
    derive_layer_key(reconf, layer);
  }
  const uint8_t *stored =
      reconf->model->weights + reconf->model->layers[layer].weights_offset + offset;
  crypto_chacha20_ietf((uint8_t *)tile, stored, bytes, reconf->layer_key, nonce,
                       offset / CHACHA_BLOCK_BYTES);
}

void rbnn_reconf_wipe(rbnn_reconf *reconf)
{
  crypto_wipe(reconf->secret, sizeof reconf->secret);
  crypto_wipe(reconf->layer_key, sizeof reconf->layer_key);
  reconf->layer = NO_LAYER;
}
