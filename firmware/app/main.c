/* SPDX-License-Identifier: Apache-2.0 */
/* All memory of a running device, and its serial line. */
#include <stddef.h>

#include "audio/listener.h"
#include "link/link.h"
#include "partition/update.h"
#include "port/port.h"
#include "spec/target.h"

/* Written by `rbnn export` beside the container, the memory that this board has for it by the
 * build; a firmware without a model answers, too. */
#if __has_include("model_memory.h")
#include "model_memory.h"
#endif
#if RBNN_PARTITION
#include "model_config.h" /* of the model that the firmware was built for */
#elif __has_include("model_config.h")
#include "core/model_image.h"
#include "model_config.h"
#define MODEL_BYTES rbnn_model_image
#define MODEL_SIZE rbnn_model_image_bytes
#else
#define RBNN_MODEL_ARENA_BYTES 4u
#define RBNN_MODEL_WORK_BYTES 4u
#define RBNN_MODEL_PARAMS_BYTES 4u
static const uint32_t no_model;
#define MODEL_BYTES ((const uint8_t *)&no_model)
#define MODEL_SIZE ((uint32_t)sizeof no_model)
#endif

/* Layers that stay reconfigured while their task is active: a bit for each, and their bytes. */
#ifndef RBNN_MODEL_RESIDENT_LAYERS
#define RBNN_MODEL_RESIDENT_LAYERS 0u
#define RBNN_MODEL_RESIDENT_BYTES 0u
#endif

#define WORDS(bytes) (((bytes) + 3u) / 4u)

static uint32_t arena[WORDS(RBNN_MODEL_ARENA_BYTES)];
static uint32_t work[WORDS(RBNN_MODEL_WORK_BYTES)];
static uint32_t params[WORDS(RBNN_MODEL_PARAMS_BYTES)];
#if RBNN_MODEL_RESIDENT_BYTES > 0
static uint32_t resident[WORDS(RBNN_MODEL_RESIDENT_BYTES)];
#endif
#if RBNN_AUDIO
static rbnn_listener listener;
#endif

#if RBNN_PARTITION
/* The key of the provider whose models this firmware takes. */
#include "model_key.h"
static const uint8_t model_key[RBNN_KEY_BYTES] = RBNN_MODEL_KEY;
static rbnn_update update;
static rbnn_device_memory memory = {
#else
static const rbnn_device_memory memory = {
#endif
    .arena = arena,
    .arena_bytes = sizeof arena,
    .work = work,
    .work_bytes = sizeof work,
    .params = params,
    .params_bytes = sizeof params,
#if RBNN_MODEL_RESIDENT_BYTES > 0
    .resident = resident,
    .resident_bytes = sizeof resident,
#endif
    .resident_layers = RBNN_MODEL_RESIDENT_LAYERS,
#if RBNN_AUDIO
    .listener = &listener,
    .listener_bytes = sizeof listener,
#endif
};
static rbnn_device device;
static rbnn_link serial;

_Noreturn void rbnn_app_run(void)
{
  uint32_t partition_bytes;

  rbnn_port_init();
  uint8_t *const pattern = rbnn_port_power_up_pattern();
  const uint8_t *const partition = rbnn_port_provisioning(&partition_bytes);
  /* A device without a usable model serves the line, too, and says so there. */
#if RBNN_PARTITION
  update.device = &device;
  update.memory = &memory;
  update.flash = rbnn_port_model();
  update.key = model_key;
  serial.update = &update;
  (void)rbnn_update_start(&update, &memory, partition, partition_bytes, pattern, rbnn_port_store());
#else
  (void)rbnn_device_start(&device, &memory, MODEL_BYTES, MODEL_SIZE, partition, partition_bytes,
                          pattern, rbnn_port_store());
#endif
  serial.device = &device;
  rbnn_link_start(&serial);
  for (;;) {
    const int byte = rbnn_port_read();
    if (byte < 0) {
      rbnn_port_wait();
    } else {
      rbnn_link_feed(&serial, (uint8_t)byte);
    }
  }
}
