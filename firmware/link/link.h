/* SPDX-License-Identifier: Apache-2.0 */
/* The serial line: lines in, one command at a time, answers out (rbnn/spec/link.py, SPEC.md). */
#ifndef RBNN_LINK_LINK_H
#define RBNN_LINK_LINK_H

#include <stdbool.h>

#include "device/device.h"
#include "partition/update.h"
#include "spec/target.h"

/* Caller-owned, all zero but for `device` and `update`. */
typedef struct {
  rbnn_device *device; /* started; nobody else calls it */
#if RBNN_PARTITION
  rbnn_update *update; /* started with it */
#endif

  char line[RBNN_MAX_COMMAND_BYTES + 1u]; /* may hold a key: wiped after every command */
  uint32_t line_bytes;
  bool line_too_long;
  bool line_garbled;

  uint8_t input[RBNN_INPUT_BUFFER_BYTES];
  uint32_t input_expected; /* as announced by `db load`, or 0 */
  uint32_t input_bytes;
  uint32_t input_wanted; /* what RBNN_BUFFER_INCOMPLETE says was expected, or 0 */
} rbnn_link;

/* Print the boot lines. */
void rbnn_link_start(rbnn_link *link);

/* Take one received byte; at the end of a command, answer it. */
void rbnn_link_feed(rbnn_link *link, uint8_t byte);

#endif
