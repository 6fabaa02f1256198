/* SPDX-License-Identifier: Apache-2.0 */
/* What all fuzz targets share: a licensed device to attack, read from files, and a check. */
#ifndef RBNN_TESTS_FUZZ_H
#define RBNN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdlib.h>

#include "device/device.h"

typedef struct {
  uint8_t *bytes;
  uint32_t size;
} fuzz_bytes;

/* Files of the folder that RBNN_FUZZ_WORLD names. */
typedef struct {
  fuzz_bytes container, partition, pattern;
  fuzz_bytes licences;   /* RBNN_LICENCE_BYTES for each task */
  fuzz_bytes psks;       /* RBNN_KEY_BYTES for each task */
  fuzz_bytes params;     /* opened parameters of task 0 */
  fuzz_bytes public_key; /* the device's */
  rbnn_model model;
} fuzz_world;

extern fuzz_world world;

/* Stop with what was expected; the fuzzer keeps the input. */
void fuzz_check(int holds, const char *expected);

/* A copy that ends where its memory ends. */
uint8_t *fuzz_copy(const uint8_t *bytes, size_t size);

typedef void fuzz_target(const uint8_t *data, size_t size);
fuzz_target fuzz_container, fuzz_provisioning, fuzz_licence, fuzz_serial, fuzz_journal;

/* Whether the inferences of the next input are computed: at most this many. */
extern uint32_t fuzz_inferences_left;

#endif
