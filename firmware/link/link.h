/* SPDX-License-Identifier: Apache-2.0 */
/* The serial line: lines in, one command at a time, answers out (rbnn/spec/link.py, SPEC.md). */
#ifndef RBNN_LINK_LINK_H
#define RBNN_LINK_LINK_H

#include <stdbool.h>

#include "core/engine.h"
#include "licence/vault.h"
#include "reconf/reconf.h"

/* Caller-owned, all zero but for the first group, which the caller fills in. */
typedef struct {
  rbnn_status model_status; /* what opening the container said */
  uint32_t bad_layer;       /* which layer, where model_status is RBNN_CONTAINER_LAYER */
  const rbnn_model *model;  /* NULL unless model_status is RBNN_OK */
  rbnn_vault *vault;
  rbnn_reconf *reconf;
  rbnn_engine *engine; /* its source is rbnn_reconf_source over `reconf` */
  uint32_t *resident;  /* memory for layers that stay reconfigured, or NULL */
  uint32_t resident_bytes;
  uint64_t resident_layers; /* which ones: bit l for layer l */
  uint8_t *params;          /* what engine->params points at, writable */
  uint32_t params_capacity;
  uint8_t *pattern; /* power-up pattern, or NULL after a warm reset */

  char line[RBNN_MAX_COMMAND_BYTES + 1u]; /* may hold a key: wiped after every command */
  uint32_t line_bytes;
  bool line_too_long;
  bool line_garbled;

  uint8_t input[RBNN_INPUT_BUFFER_BYTES];
  uint32_t input_expected; /* as announced by `db load`, or 0 */
  uint32_t input_bytes;

  uint32_t scores[RBNN_MAX_CLASSES]; /* parts per million, of the active task */
  uint32_t score_count;              /* 0 before its first inference */
} rbnn_link;

/* Print the boot lines. */
void rbnn_link_start(rbnn_link *link);

/* Take one received byte; at the end of a command, answer it. */
void rbnn_link_feed(rbnn_link *link, uint8_t byte);

#endif
