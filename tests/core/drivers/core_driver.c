/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one core function per request from stdin, every buffer an allocation of its own, so that a
 * sanitizer sees a byte too many. Request: operation, five sizes, five sections (arguments, input,
 * image, parameters, output). Answer: the output section. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32.h"
#include "core/engine.h"
#include "core/layer.h"
#include "core/scores.h"
#include "reconf/reconf.h"

enum { SCORES = 1, CRC, LAYER, RUN };
enum { ARGUMENTS, INPUT, IMAGE, PARAMS, OUTPUT, SECTIONS };

/* Of CRC and RUN; `number` is the length of the first part, or the task. */
typedef struct {
  uint32_t number;
  uint32_t more_work_bytes; /* beyond what the container asks for */
  uint8_t secret[RBNN_KEY_BYTES];
} arguments;

/* Of LAYER. */
typedef struct {
  uint64_t bits, stream, logits, weights;
  uint32_t params, work, served;
} layer_sizes;

/* Of RUN: status of opening; of checking and of one inference where the step before it passed.
 * What the layers gave follows, as much of it as there is room for. */
typedef struct {
  int32_t open;
  uint32_t bad_layer;
  int32_t check;
  int32_t infer;
} run_result;

/* Where the observer writes on. */
typedef struct {
  uint8_t *next;
  uint64_t left;
} outputs;

static void *exactly(uint64_t bytes)
{
  void *memory = calloc(bytes ? bytes : 1u, 1);
  if (memory == NULL) {
    abort();
  }
  return memory;
}

static void keep(outputs *to, const void *data, uint64_t bytes)
{
  if (data != NULL && bytes <= to->left) {
    memcpy(to->next, data, bytes);
    to->next += bytes;
    to->left -= bytes;
  }
}

static void observe(void *context, const rbnn_run *run)
{
  keep(context, run->bits, rbnn_layer_bits_bytes(run->layer));
  keep(context, run->stream, rbnn_layer_stream_bytes(run->layer));
  keep(context, run->logits, rbnn_layer_logits_bytes(run->layer));
}

static void infer(const rbnn_model *model, const arguments *a, const uint32_t *sizes,
                  void *const *section, run_result *result)
{
  rbnn_reconf reconf;
  outputs kept = {(uint8_t *)section[OUTPUT] + sizeof *result, sizes[OUTPUT] - sizeof *result};
  uint8_t key[RBNN_KEY_BYTES];
  const rbnn_params_header *const header =
      sizes[PARAMS] >= RBNN_PARAMS_HEADER_BYTES ? section[PARAMS] : NULL;
  rbnn_reconf_derive_key(key, model, a->secret);
  const rbnn_status started =
      rbnn_reconf_start(&reconf, model, key, header != NULL ? header->trunk_key : NULL);
  rbnn_engine engine = {
      .model = model,
      .params = section[PARAMS],
      .params_bytes = sizes[PARAMS],
      .arena = exactly(model->header->arena_bytes),
      .arena_bytes = model->header->arena_bytes,
      .work = exactly((uint64_t)model->header->work_bytes + a->more_work_bytes),
      .work_bytes = model->header->work_bytes + a->more_work_bytes,
      .source = rbnn_reconf_source,
      .source_context = &reconf,
      .observer = observe,
      .observer_context = &kept,
  };
  result->check = rbnn_engine_check(&engine, a->number);
  if (result->check == RBNN_OK && started != RBNN_OK) {
    abort();
  }
  if (result->check == RBNN_OK) {
    const uint32_t bytes = rbnn_engine_input_bytes(&engine);
    uint8_t *image = exactly(bytes);
    int32_t *logits = exactly(model->tasks[a->number].classes * sizeof(int32_t));
    memcpy(image, section[IMAGE], sizes[IMAGE] < bytes ? sizes[IMAGE] : bytes);
    result->infer = rbnn_engine_infer(&engine, image, bytes, logits);
    free(image);
    free(logits);
  }
  free(engine.arena);
  free(engine.work);
}

static void serve(uint32_t operation, const uint32_t *sizes, void *const *section)
{
  arguments a = {0};
  rbnn_layer layer = {0};
  rbnn_model model;
  run_result result = {0, 0, 1, 1};
  uint32_t crc;
  if (operation == LAYER) {
    memcpy(&layer, section[ARGUMENTS], sizeof layer);
  } else {
    memcpy(&a, section[ARGUMENTS], sizes[ARGUMENTS] < sizeof a ? sizes[ARGUMENTS] : sizeof a);
  }
  switch (operation) {
    case SCORES: rbnn_scores_softmax(section[INPUT], sizes[INPUT] / 4u, section[OUTPUT]); break;
    case CRC:
      crc = rbnn_crc32_update(0, section[INPUT], a.number);
      crc = rbnn_crc32_update(crc, (uint8_t *)section[INPUT] + a.number, sizes[INPUT] - a.number);
      memcpy(section[OUTPUT], &crc, sizeof crc);
      break;
    case LAYER: {
      const bool served = rbnn_layer_is_served(&layer);
      const layer_sizes all = {
          rbnn_layer_bits_bytes(&layer),
          rbnn_layer_stream_bytes(&layer),
          rbnn_layer_logits_bytes(&layer),
          rbnn_layer_weights_bytes(&layer),
          rbnn_layer_params_bytes(&layer),
          served ? rbnn_layer_work_bytes(&layer) : 0u,
          served,
      };
      memcpy(section[OUTPUT], &all, sizeof all - 4u);
      break;
    }
    case RUN:
      result.open = rbnn_model_open(&model, section[INPUT], sizes[INPUT], &result.bad_layer);
      if (result.open == RBNN_OK) {
        infer(&model, &a, sizes, section, &result);
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
