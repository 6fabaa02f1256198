/* SPDX-License-Identifier: Apache-2.0 */
/* Inference on the loaded buffer: infer, results, labels, trace. */
#include <stddef.h>

#include "core/crc32.h"
#include "core/layer.h"
#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"
#include "port/port.h"

#define DEFAULT_INFERENCES 1u
#define DEFAULT_WARM_UPS 10u

static rbnn_status check_ready(const rbnn_link *link)
{
  if (link->model_status != RBNN_OK) return link->model_status;
  if (link->vault->active < 0) return RBNN_NO_ACTIVE_TASK;
  if (link->input_bytes != link->input_expected ||
      link->input_bytes != rbnn_engine_input_bytes(link->engine)) {
    return RBNN_BUFFER_INCOMPLETE;
  }
  return RBNN_OK;
}

static uint32_t class_count(const rbnn_link *link)
{
  return link->model->tasks[link->vault->active].classes;
}

/* One counted inference into `logits`. */
static rbnn_status run(rbnn_link *link, int32_t logits[RBNN_MAX_CLASSES])
{
  const rbnn_status status = rbnn_vault_count(link->vault);
  if (status != RBNN_OK) return status;
  return rbnn_engine_infer(link->engine, link->input, link->input_bytes, logits);
}

static void keep_scores(rbnn_link *link, const int32_t logits[RBNN_MAX_CLASSES])
{
  link->score_count = class_count(link);
  rbnn_scores_softmax(logits, link->score_count, link->scores);
}

void rbnn_link_print_results(const rbnn_link *link)
{
  rbnn_print("m-results-[");
  for (uint32_t i = 0; i < link->score_count; i++) {
    if (i > 0) rbnn_print(",");
    rbnn_print_ppm(link->scores[i]);
  }
  rbnn_print("]");
  rbnn_print_end();
}

rbnn_status rbnn_link_infer(rbnn_link *link, const char *words)
{
  uint32_t inferences = DEFAULT_INFERENCES;
  uint32_t warm_ups = DEFAULT_WARM_UPS;
  int32_t logits[RBNN_MAX_CLASSES] = {0};
  if (*words != 0 && !rbnn_words_number(&words, &inferences)) return RBNN_ARGUMENT;
  if (*words != 0 && !rbnn_words_number(&words, &warm_ups)) return RBNN_ARGUMENT;
  if (*words != 0 || inferences == 0) return RBNN_ARGUMENT;
  rbnn_status status = check_ready(link);
  if (status != RBNN_OK) return status;

  rbnn_print("m-warmup-start-");
  rbnn_print_number(warm_ups);
  rbnn_print_end();
  for (uint32_t i = 0; i < warm_ups && status == RBNN_OK; i++) status = run(link, logits);
  if (status != RBNN_OK) return status;
  rbnn_print("m-warmup-done");
  rbnn_print_end();

  rbnn_print("m-infer-start-");
  rbnn_print_number(inferences);
  rbnn_print_end();
  rbnn_print_lap(rbnn_port_ticks());
  for (uint32_t i = 0; i < inferences && status == RBNN_OK; i++) status = run(link, logits);
  const uint64_t end = rbnn_port_ticks();
  if (status != RBNN_OK) return status;
  rbnn_print_lap(end);
  rbnn_print("m-infer-done");
  rbnn_print_end();
  keep_scores(link, logits);
  rbnn_link_print_results(link);
  return RBNN_OK;
}

rbnn_status rbnn_link_results(rbnn_link *link, const char *words)
{
  (void)words;
  if (link->model_status != RBNN_OK) return link->model_status;
  if (link->vault->active < 0) return RBNN_NO_ACTIVE_TASK;
  if (link->score_count == 0) return RBNN_BUFFER_INCOMPLETE;
  rbnn_link_print_results(link);
  return RBNN_OK;
}

rbnn_status rbnn_link_labels(rbnn_link *link, const char *words)
{
  (void)words;
  if (link->model_status != RBNN_OK) return link->model_status;
  if (link->vault->active < 0) return RBNN_NO_ACTIVE_TASK;
  const rbnn_params_header *header = (const rbnn_params_header *)(const void *)link->params;
  rbnn_print("m-input-[");
  rbnn_print_number(link->model->header->input_height);
  rbnn_print(",");
  rbnn_print_number(link->model->header->input_width);
  rbnn_print(",");
  rbnn_print_number(header->input_channels);
  rbnn_print("]");
  rbnn_print_end();
  const uint8_t *label = link->params + header->labels_offset;
  const uint8_t *const end = label + header->labels_bytes;
  for (uint32_t i = 0; i < header->classes && label < end; i++) {
    rbnn_print("m-label-[");
    rbnn_print_number(i);
    rbnn_print(",");
    rbnn_print_padded(label, (uint32_t)(end - label));
    rbnn_print("]");
    rbnn_print_end();
    while (label < end && *label != 0) label++;
    label++;
  }
  return RBNN_OK;
}

typedef struct {
  uint64_t start;
  uint64_t ticks[RBNN_MAX_LAYERS];
  uint32_t crc[RBNN_MAX_LAYERS];
} layer_trace;

/* The CRC-32 is that of the bits, then of the stream, then of the logits. */
static void observe(void *context, const rbnn_run *run)
{
  layer_trace *const trace = context;
  const rbnn_layer *const layer = run->layer;
  uint32_t crc = 0;
  trace->ticks[run->number] = rbnn_port_ticks() - trace->start;
  if (run->bits != NULL) {
    crc = rbnn_crc32_update(crc, run->bits, (uint32_t)rbnn_layer_bits_bytes(layer));
  }
  if (run->stream != NULL) {
    crc = rbnn_crc32_update(crc, run->stream, (uint32_t)rbnn_layer_stream_bytes(layer));
  }
  if (run->logits != NULL) {
    crc = rbnn_crc32_update(crc, run->logits, (uint32_t)rbnn_layer_logits_bytes(layer));
  }
  trace->crc[run->number] = crc;
  trace->start = rbnn_port_ticks();
}

static const char *operator_name(uint8_t operator)
{
  switch ((rbnn_operator)operator) {
    case RBNN_OPERATOR_STEM: return "stem";
    case RBNN_OPERATOR_CONV: return "conv";
    case RBNN_OPERATOR_MAX_POOL: return "max-pool";
    case RBNN_OPERATOR_DENSE: return "dense";
    case RBNN_OPERATOR_AVERAGE_POOL: return "average-pool";
    case RBNN_OPERATOR_DENSE_STREAM: return "dense-stream";
  }
  return "unknown";
}

rbnn_status rbnn_link_trace(rbnn_link *link, const char *words)
{
  layer_trace trace = {0};
  int32_t logits[RBNN_MAX_CLASSES] = {0};
  (void)words;
  rbnn_status status = check_ready(link);
  if (status != RBNN_OK) return status;
  link->engine->observer = observe;
  link->engine->observer_context = &trace;
  trace.start = rbnn_port_ticks();
  status = run(link, logits);
  link->engine->observer = NULL;
  link->engine->observer_context = NULL;
  if (status != RBNN_OK) return status;
  for (uint32_t i = 0; i < link->model->header->layer_count; i++) {
    rbnn_print("m-layer-[");
    rbnn_print_number(i);
    rbnn_print(",");
    rbnn_print(operator_name(link->model->layers[i].op));
    rbnn_print(",");
    rbnn_print_number(trace.ticks[i]);
    rbnn_print(",");
    rbnn_print_hex32(trace.crc[i]);
    rbnn_print("]");
    rbnn_print_end();
  }
  keep_scores(link, logits);
  rbnn_link_print_results(link);
  rbnn_print("m-ticks-hz-[");
  rbnn_print_number(rbnn_port_ticks_hz());
  rbnn_print("]");
  rbnn_print_end();
  return RBNN_OK;
}
