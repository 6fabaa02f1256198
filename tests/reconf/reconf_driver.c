/* SPDX-License-Identifier: Apache-2.0 */
/* Serves requests to rbnn_reconf_source over a model of layers without shapes, every buffer an
 * allocation of its own. Standard input: `setup`, the layers' sizes, P, then `request`s; a request
 * for layer UINT32_MAX wipes and starts again. Standard output: for each request a byte that says
 * whether the answer stands in the room, then the answer; for a wipe the bytes that are not zero.
 * A refused start ends the process with 3 when no key is left, else with 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconf/reconf.h"

typedef struct {
  uint8_t secret[RBNN_KEY_BYTES];
  uint8_t model_id[16];
  uint64_t resident_layers;
  uint32_t resident_bytes;
  uint32_t cipher;
  uint32_t layers;
  uint32_t weights_bytes;
  uint32_t misaligned; /* bytes by which P is off a word's address */
  uint16_t trunk_layers;
  uint16_t has_trunk_key;
  uint8_t trunk_key[RBNN_KEY_BYTES];
} setup;

typedef struct {
  uint32_t layer;
  uint32_t offset;
  uint32_t bytes;
} request;

static void *exactly(size_t bytes)
{
  void *memory = calloc(bytes != 0u ? bytes : 1u, 1);
  if (memory == NULL) {
    abort();
  }
  return memory;
}

static void read_exactly(void *memory, size_t bytes)
{
  if (bytes != 0u && fread(memory, bytes, 1, stdin) != 1) {
    exit(1);
  }
}

/* Bytes of keys and resident weights that are not zero. */
static uint32_t count_left(const rbnn_reconf *reconf, const uint8_t *resident, uint32_t bytes)
{
  uint32_t left = 0;
  for (uint32_t i = 0; i < bytes; i++) {
    left += resident[i] != 0u;
  }
  for (uint32_t i = 0; i < sizeof reconf->key; i++) {
    left += (reconf->key[i] != 0u) + (reconf->trunk_key[i] != 0u);
  }
  for (uint32_t i = 0; i < sizeof reconf->cipher; i++) {
    left += ((const uint8_t *)&reconf->cipher)[i] != 0u;
  }
  return left;
}

static void start(rbnn_reconf *reconf, const rbnn_model *model, const setup *given,
                  uint32_t *resident)
{
  uint8_t key[RBNN_KEY_BYTES];
  rbnn_reconf_derive_key(key, model, given->secret);
  const uint8_t *const trunk_key = given->has_trunk_key ? given->trunk_key : NULL;
  if (rbnn_reconf_start(reconf, model, key, trunk_key) != RBNN_OK) {
    fputs("not started\n", stderr);
    exit(count_left(reconf, NULL, 0) == 0u ? 3 : 1);
  }
  if (rbnn_reconf_keep(reconf, resident, given->resident_bytes, given->resident_layers) !=
      RBNN_OK) {
    fputs("refused\n", stderr);
  }
}

int main(void)
{
  setup given;
  request asked;
  rbnn_reconf reconf;
  rbnn_container_header header = {0};

  read_exactly(&given, sizeof given);
  rbnn_layer *layers = exactly(given.layers * sizeof *layers);
  uint32_t *sizes = exactly(given.layers * sizeof *sizes);
  uint8_t *weights = exactly(given.weights_bytes + given.misaligned);
  uint32_t *resident = exactly(given.resident_bytes);
  read_exactly(sizes, given.layers * sizeof *sizes);
  read_exactly(weights + given.misaligned, given.weights_bytes);
  for (uint32_t i = 0, offset = 0; i < given.layers; i++) {
    layers[i].weights_offset = offset;
    layers[i].weights_bytes = sizes[i];
    offset += sizes[i];
  }
  memcpy(header.model_id, given.model_id, sizeof header.model_id);
  header.cipher = (uint8_t)given.cipher;
  header.trunk_layers = given.trunk_layers;
  header.layer_count = (uint16_t)given.layers;
  const rbnn_model model = {
      .header = &header, .layers = layers, .weights = weights + given.misaligned};
  start(&reconf, &model, &given, resident);
  while (fread(&asked, sizeof asked, 1, stdin) == 1) {
    if (asked.layer == UINT32_MAX) {
      rbnn_reconf_wipe(&reconf);
      const uint32_t left = count_left(&reconf, (uint8_t *)resident, given.resident_bytes);
      fwrite(&left, sizeof left, 1, stdout);
      start(&reconf, &model, &given, resident);
    } else {
      uint32_t *room = exactly(asked.bytes);
      const uint32_t *answer =
          rbnn_reconf_source(&reconf, asked.layer, asked.offset, asked.bytes, room);
      putchar(answer == room);
      fwrite(answer, 1, asked.bytes, stdout);
      free(room);
    }
  }
  free(layers);
  free(sizes);
  free(weights);
  free(resident);
  return 0;
}
