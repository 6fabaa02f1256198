/* SPDX-License-Identifier: Apache-2.0 */
#include "reconf/reconf.h"

#include <stddef.h>
#include <string.h>

#include "crypto/kdf.h"
#include "crypto/wipe.h"

#define NO_LAYER UINT32_MAX

_Static_assert(RBNN_MAX_LAYERS <= 64, "sets of layers have a bit for each");

void rbnn_reconf_derive_key(uint8_t key[RBNN_KEY_BYTES], const rbnn_model *model,
                            const uint8_t secret[RBNN_KEY_BYTES])
{
  rbnn_kdf_derive(key, secret, RBNN_LABEL_WEIGHTS, model->header->model_id,
                  sizeof model->header->model_id);
}

rbnn_status rbnn_reconf_start(rbnn_reconf *reconf, const rbnn_model *model,
                              const uint8_t stream_key[RBNN_KEY_BYTES], const uint8_t *trunk_key)
{
  memset(reconf, 0, sizeof *reconf);
  reconf->model = model;
  reconf->layer = NO_LAYER;
  if (model->header->trunk_layers > 0u) {
    if (trunk_key == NULL) {
      return RBNN_ARGUMENT;
    }
    memcpy(reconf->trunk_key, trunk_key, RBNN_KEY_BYTES);
  }
  memcpy(reconf->key, stream_key, RBNN_KEY_BYTES);
  return RBNN_OK;
}

/* What a layer takes in the resident memory. */
static uint32_t padded_bytes(const rbnn_layer *layer)
{
  return (layer->weights_bytes + 3u) / 4u * 4u;
}

/* The same for layers 0 .. count - 1 of a set. */
static uint32_t resident_bytes(const rbnn_model *model, uint64_t layers, uint32_t count)
{
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < count; i++) {
    if ((layers >> i & 1u) != 0u) {
      bytes += padded_bytes(&model->layers[i]);
    }
  }
  return bytes;
}

uint32_t rbnn_reconf_resident_bytes(const rbnn_model *model, uint64_t layers)
{
  return resident_bytes(model, layers, model->header->layer_count);
}

rbnn_status rbnn_reconf_keep(rbnn_reconf *reconf, uint32_t *memory, uint32_t memory_bytes,
                             uint64_t layers)
{
  if (rbnn_reconf_resident_bytes(reconf->model, layers) > memory_bytes) {
    return RBNN_ARGUMENT;
  }
  reconf->resident = memory;
  reconf->resident_layers = layers;
  reconf->ready = 0;
  reconf->layer = NO_LAYER;
  return RBNN_OK;
}

static uint32_t cipher_rounds(const rbnn_model *model)
{
  switch (model->header->cipher) {
    case RBNN_CIPHER_CHACHA12: return 12;
    case RBNN_CIPHER_CHACHA8: return 8;
    default: return 20;
  }
}

/* Make a layer's stream ready and, when it is resident and not there yet, reconfigure it whole. */
static void enter_layer(rbnn_reconf *reconf, uint32_t layer)
{
  const rbnn_layer *entry = &reconf->model->layers[layer];
  const uint32_t nonce[3] = {layer, 0, 0};
  const uint64_t bit = (uint64_t)1 << layer;
  const uint8_t *const key =
      layer < reconf->model->header->trunk_layers ? reconf->trunk_key : reconf->key;

  reconf->layer = layer;
  reconf->stored = reconf->model->weights + entry->weights_offset;
  reconf->whole = NULL;
  if ((reconf->ready & bit) == 0u) {
    rbnn_chacha_start(&reconf->cipher, key, nonce, cipher_rounds(reconf->model));
  }
  if ((reconf->resident_layers & bit) != 0u) {
    uint32_t *const place =
        reconf->resident + resident_bytes(reconf->model, reconf->resident_layers, layer) / 4u;
    if ((reconf->ready & bit) == 0u) {
      rbnn_chacha_xor(&reconf->cipher, 0, reconf->stored, place, entry->weights_bytes);
      reconf->ready |= bit;
    }
    reconf->whole = place;
  }
}

const uint32_t *rbnn_reconf_source(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                                   uint32_t *room)
{
  rbnn_reconf *reconf = context;
  if (reconf->layer != layer) {
    enter_layer(reconf, layer);
  }
  if (reconf->whole != NULL) {
    return reconf->whole + offset / 4u;
  }
  rbnn_chacha_xor(&reconf->cipher, offset / RBNN_CHACHA_BLOCK_BYTES, reconf->stored + offset, room,
                  bytes);
  return room;
}

void rbnn_reconf_wipe(rbnn_reconf *reconf)
{
  if (reconf->resident != NULL) {
    rbnn_wipe(reconf->resident, rbnn_reconf_resident_bytes(reconf->model, reconf->resident_layers));
  }
  /* The keys, the cipher and where its layer is; they lie side by side. */
  rbnn_wipe((uint8_t *)reconf + offsetof(rbnn_reconf, key),
            offsetof(rbnn_reconf, resident) - offsetof(rbnn_reconf, key));
  reconf->ready = 0;
  reconf->layer = NO_LAYER;
}
