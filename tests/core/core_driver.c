/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one core function per request from stdin, every buffer an allocation of its own, so that a
 * sanitizer sees a byte too many. Request: operation, five sizes, five sections (layer and
 * arguments, input, tile, parameters, output). Answer: the output section. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "engine.h"
#include "kernels.h"
#include "reconf.h"

enum { STEM = 1, CONV, POOL, DENSE, SCORES, CRC, OPEN };
enum { ARGUMENTS, INPUT, TILE, PARAMS, OUTPUT, SECTIONS };

typedef struct {
  rbnn_layer layer;
  uint32_t first;
  uint32_t filters;
  uint32_t channels;
  uint32_t step;
  int16_t offsets[4];
} arguments;

/* Status of opening; of checking and of one inference where the step before it passed. */
typedef struct {
  int32_t open;
  uint32_t bad_layer;
  int32_t check;
  int32_t infer;
} open_result;

static void *exactly(uint64_t bytes)
{
  void *memory = calloc(bytes ? bytes : 1u, 1);
  if (memory == NULL) {
    abort();
  }
  return memory;
}

static void run(rbnn_model *model, uint32_t task, const uint8_t *params, uint32_t params_bytes,
                open_result *result)
{
  static const uint8_t secret[RBNN_KEY_BYTES] = {1, 2, 3};
  rbnn_reconf reconf;
  rbnn_reconf_start(&reconf, model, secret);
  rbnn_engine engine = {
      .model = model,
      .params = params,
      .params_bytes = params_bytes,
      .arena = exactly(model->header->arena_bytes),
      .arena_bytes = model->header->arena_bytes,
      .tile = exactly(model->header->tile_bytes),
      .tile_bytes = model->header->tile_bytes,
      .source = rbnn_reconf_tile,
      .source_context = &reconf,
  };
  result->check = rbnn_engine_check(&engine, task);
  if (result->check == RBNN_OK) {
    uint32_t bytes = rbnn_engine_input_bytes(&engine);
    uint8_t *image = exactly(bytes);
    int32_t *logits = exactly(model->tasks[task].classes * sizeof(int32_t));
    result->infer = rbnn_engine_infer(&engine, image, bytes, logits);
    free(image);
    free(logits);
  }
  free(engine.arena);
  free(engine.tile);
}

static void serve(uint32_t operation, const uint32_t *sizes, void *const *section)
{
  arguments a = {0};
  memcpy(&a, section[ARGUMENTS], sizes[ARGUMENTS] < sizeof a ? sizes[ARGUMENTS] : sizeof a);
  const rbnn_stem_input image = {section[INPUT], a.channels, a.step, a.offsets};
  const int32_t *scales = section[PARAMS];
  rbnn_model model;
  open_result result = {0, 0, 1, 1};
  uint32_t crc;
  switch (operation) {
    case STEM:
      rbnn_conv_stem(&a.layer, &image, section[TILE], section[PARAMS], a.first, a.filters,
                     section[OUTPUT]);
      break;
    case CONV:
      rbnn_conv_binary(&a.layer, section[INPUT], section[TILE], section[PARAMS], a.first, a.filters,
                       section[OUTPUT]);
      break;
    case POOL: rbnn_max_pool(&a.layer, section[INPUT], section[OUTPUT]); break;
    case DENSE:
      rbnn_dense(&a.layer, section[INPUT], section[TILE], scales, scales + a.layer.out_channels,
                 a.first, a.filters, section[OUTPUT]);
      break;
    case SCORES: rbnn_scores_softmax(section[INPUT], sizes[INPUT] / 4u, section[OUTPUT]); break;
    case CRC:
      crc = rbnn_crc32_update(0, section[INPUT], a.first);
      crc = rbnn_crc32_update(crc, (uint8_t *)section[INPUT] + a.first, sizes[INPUT] - a.first);
      memcpy(section[OUTPUT], &crc, sizeof crc);
      break;
    case OPEN:
      result.open = rbnn_model_open(&model, section[INPUT], sizes[INPUT], &result.bad_layer);
      if (result.open == RBNN_OK) {
        run(&model, a.first, section[PARAMS], sizes[PARAMS], &result);
      }
      memcpy(section[OUTPUT], &result, sizeof result);
      break;
    default: abort();
  }
}

int main(void)
{
  uint32_t request[1 + SECTIONS];
  while (fread(request, sizeof request, 1, stdin) == 1) {
    void *section[SECTIONS];
    for (int i = 0; i < SECTIONS; i++) {
      section[i] = exactly(request[1 + i]);
      if (request[1 + i] && fread(section[i], request[1 + i], 1, stdin) != 1) {
        return 1;
      }
    }
    serve(request[0], request + 1, section);
    fwrite(section[OUTPUT], 1, request[1 + OUTPUT], stdout);
    fflush(stdout);
    for (int i = 0; i < SECTIONS; i++) {
      free(section[i]);
    }
  }
  return 0;
}
