/* SPDX-License-Identifier: Apache-2.0 */
/* Inference on the loaded buffer: infer, results, labels; in development builds trace. */
#include <stddef.h>

#include "core/operators.h"
#include "core/trace.h"
#include "crypto/wipe.h"
#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"
#include "port/port.h"
#include "spec/target.h"

#define DEFAULT_INFERENCES 1u
#define DEFAULT_WARM_UPS 10u

static rbnn_status check_ready(rbnn_link *link)
{
  const rbnn_status status = rbnn_device_check_active(link->device);
  if (status != RBNN_OK) return status;
  return rbnn_link_check_input(link, rbnn_device_input_bytes(link->device));
}

static rbnn_status run(rbnn_link *link, int32_t logits[RBNN_MAX_CLASSES])
{
  return rbnn_device_infer(link->device, link->input, link->input_bytes, logits);
}

/* Up to `count` inferences: a byte that arrives meanwhile ends them, and is dropped. CR and LF do
 * not: a terminal sends them after the command. RBNN_STOPPED, or why one failed. */
static rbnn_status run_many(rbnn_link *link, uint32_t count, int32_t logits[RBNN_MAX_CLASSES])
{
  rbnn_status status = RBNN_OK;
  while (count-- > 0u && status == RBNN_OK) {
    const int byte = rbnn_port_read();
    status = byte < 0 || byte == '\r' || byte == '\n' ? run(link, logits) : RBNN_STOPPED;
  }
  return status;
}

static void print_results(const rbnn_link *link)
{
  rbnn_print("m-results-[");
  for (uint32_t i = 0; i < link->device->score_count; i++) {
    if (i > 0) rbnn_print(",");
    rbnn_print_ppm(link->device->scores[i]);
  }
  rbnn_print_close();
}

/* The scores of what was inferred last; the logits are wiped. */
static rbnn_status finish(rbnn_link *link, int32_t logits[RBNN_MAX_CLASSES])
{
  const rbnn_status status = rbnn_device_score(link->device, logits);
  rbnn_wipe(logits, RBNN_MAX_CLASSES * sizeof *logits);
  if (status == RBNN_OK) print_results(link);
  return status;
}

rbnn_status rbnn_link_infer(rbnn_link *link, const char *words)
{
  uint32_t inferences = DEFAULT_INFERENCES;
  uint32_t warm_ups = DEFAULT_WARM_UPS;
  int32_t logits[RBNN_MAX_CLASSES] = {0};
  rbnn_device_forget_scores(link->device);
  if (*words != 0 && !rbnn_words_number(&words, &inferences)) return RBNN_ARGUMENT;
  if (*words != 0 && !rbnn_words_number(&words, &warm_ups)) return RBNN_ARGUMENT;
  if (*words != 0 || inferences == 0) return RBNN_ARGUMENT;
  if (inferences > RBNN_MAX_INFERENCES || warm_ups > RBNN_MAX_INFERENCES) return RBNN_ARGUMENT;
  rbnn_status status = check_ready(link);
  if (status != RBNN_OK) return status;

  rbnn_print("m-warmup-start-");
  rbnn_print_number(warm_ups);
  rbnn_print_end();
  status = run_many(link, warm_ups, logits);
  if (status != RBNN_OK) return status;
  rbnn_print("m-warmup-done");
  rbnn_print_end();

  rbnn_print("m-infer-start-");
  rbnn_print_number(inferences);
  rbnn_print_end();
  /* Both times are printed at the end, so that nothing but inferences lies between them. */
  const uint64_t start = rbnn_port_ticks();
  status = run_many(link, inferences, logits);
  const uint64_t end = rbnn_port_ticks();
  if (status != RBNN_OK) return status;
  rbnn_print_lap(start);
  rbnn_print_lap(end);
  rbnn_print("m-infer-done");
  rbnn_print_end();
  return finish(link, logits);
}

rbnn_status rbnn_link_results(rbnn_link *link, const char *words)
{
  (void)words;
  const rbnn_status status = rbnn_device_check_active(link->device);
  if (status != RBNN_OK) return status;
  if (link->device->score_count == 0) return RBNN_BUFFER_INCOMPLETE;
  print_results(link);
  return RBNN_OK;
}

#if RBNN_WITH_SERIES
/* Window and hop, then each channel's mean and factor as the 32 bits of a float. */
static void print_series(const rbnn_series *series)
{
  const uint32_t *const values = (const void *)(series + 1);
  rbnn_print("m-series-[");
  rbnn_print_number(series->window);
  rbnn_print(",");
  rbnn_print_number(series->hop);
  rbnn_print_close();
  for (uint32_t i = 0; i < series->channels; i++) {
    rbnn_print("m-channel-[");
    rbnn_print_number(i);
    rbnn_print(",");
    rbnn_print_hex32(values[i]);
    rbnn_print(",");
    rbnn_print_hex32(values[series->channels + i]);
    rbnn_print_close();
  }
}
#endif

rbnn_status rbnn_link_labels(rbnn_link *link, const char *words)
{
  (void)words;
  const rbnn_device *const device = link->device;
  const rbnn_status status = rbnn_device_check_active(device);
  if (status != RBNN_OK) return status;
  const rbnn_params_header *const header = rbnn_device_params(device);
  rbnn_print("m-input-[");
  rbnn_print_number(device->model.header->input_height);
  rbnn_print(",");
  rbnn_print_number(device->model.header->input_width);
  rbnn_print(",");
  rbnn_print_number(header->input_channels);
  rbnn_print_close();
#if RBNN_WITH_SERIES
  if (device->model.tasks[device->vault.active].front_end == RBNN_FRONTEND_SERIES) {
    print_series(rbnn_engine_series(&device->engine));
  }
#endif
  for (uint32_t i = 0; i < header->classes; i++) {
    rbnn_print("m-label-[");
    rbnn_print_number(i);
    rbnn_print(",");
    rbnn_print(rbnn_device_label(device, i));
    rbnn_print_close();
  }
  return RBNN_OK;
}

#if RBNN_DEVELOPMENT
/* CRC-32 is linear, so a layer's is a check on guesses at its activations: whoever may run a task
 * learns more than its answers from this. */
typedef struct {
  uint64_t start;
  uint64_t ticks[RBNN_MAX_LAYERS];
  uint32_t crc[RBNN_MAX_LAYERS];
} layer_trace;

static void observe(void *context, const rbnn_run *run)
{
  layer_trace *const trace = context;
  trace->ticks[run->number] = rbnn_port_ticks() - trace->start;
  trace->crc[run->number] = rbnn_layer_output_crc32(run);
  trace->start = rbnn_port_ticks();
}

rbnn_status rbnn_link_trace(rbnn_link *link, const char *words)
{
  layer_trace trace = {0};
  int32_t logits[RBNN_MAX_CLASSES] = {0};
  (void)words;
  rbnn_device_forget_scores(link->device);
  rbnn_status status = check_ready(link);
  if (status != RBNN_OK) return status;
  rbnn_device_observe(link->device, observe, &trace);
  trace.start = rbnn_port_ticks();
  status = run(link, logits);
  rbnn_device_observe(link->device, NULL, NULL);
  if (status != RBNN_OK) return status;
  for (uint32_t i = 0; i < link->device->model.header->layer_count; i++) {
    rbnn_print("m-layer-[");
    rbnn_print_number(i);
    rbnn_print(",");
    rbnn_print(rbnn_operator_name(link->device->model.layers[i].op));
    rbnn_print(",");
    rbnn_print_number(trace.ticks[i]);
    rbnn_print(",");
    rbnn_print_hex32(trace.crc[i]);
    rbnn_print_close();
  }
  status = finish(link, logits);
  if (status != RBNN_OK) return status;
  rbnn_print("m-ticks-hz-[");
  rbnn_print_number(rbnn_port_ticks_hz());
  rbnn_print_close();
  return RBNN_OK;
}
#endif
