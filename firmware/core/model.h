/* SPDX-License-Identifier: Apache-2.0 */
/* A model container in flash: checked once, then read in place. */
#ifndef RBNN_CORE_MODEL_H
#define RBNN_CORE_MODEL_H

#include "spec/rbnn_spec.h"

/* Views into a container that the caller keeps readable and unchanged. */
typedef struct {
  const uint8_t *bytes; /* the container, 4-byte aligned */
  uint32_t size;        /* header->total_bytes */
  const rbnn_container_header *header;
  const rbnn_layer *layers; /* header->layer_count records */
  const rbnn_task *tasks;   /* header->task_count records */
  const uint8_t *weights;   /* the shared bits P */
} rbnn_model;

/* Check a container of at most `capacity` bytes and set `model` to views into it.
 * `container` is 4-byte aligned. Reads nothing outside `container[0 .. capacity - 1]`, whatever the
 * bytes are. Returns RBNN_NO_CONTAINER (erased or no magic), RBNN_CONTAINER_FORMAT,
 * RBNN_CONTAINER_DAMAGED (length or CRC-32) or RBNN_CONTAINER_LAYER; then `*bad_layer` is the
 * layer's number: the first whose record a kernel does not serve, whose input or shortcut is not
 * what an earlier layer left there, or whose regions overlap or do not fit. */
rbnn_status rbnn_model_open(rbnn_model *model, const uint8_t *container, uint32_t capacity,
                            uint32_t *bad_layer);

/* Number of the task called `name` (zero-terminated), or RBNN_UNKNOWN_TASK. */
int32_t rbnn_model_find_task(const rbnn_model *model, const char *name);

#endif
