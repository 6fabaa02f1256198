/* SPDX-License-Identifier: Apache-2.0 */
/* What the bench runs. `rbnn bench` writes the file that defines all this, beside model_config.h
 * with the sizes below; every secret in it is made for the measurement and protects nothing.
 *
 *   RBNN_BENCH_INPUT_BYTES    largest input of a layer run by itself
 *   RBNN_BENCH_OUTPUT_BYTES   largest output: bits, stream and logits together
 *   RBNN_BENCH_PARAMS_BYTES   largest parameters
 *   RBNN_BENCH_RESIDENT_BYTES   largest weights
 *   RBNN_MODEL_WORK_BYTES     working memory
 *   RBNN_MODEL_ARENA_BYTES, RBNN_MODEL_PARAMS_BYTES, RBNN_BENCH_IMAGE_BYTES   of the network
 */
#ifndef RBNN_BENCH_CASES_H
#define RBNN_BENCH_CASES_H

#include "core/model.h"

/* One layer that runs by itself; its input is pixels of a stem, bits, or the stream. */
typedef struct {
  const char *name;
  const uint8_t *input;
  uint32_t input_bytes;
  const uint8_t *params;
  uint32_t params_bytes;
} rbnn_bench_layer;

/* A layer table that is no network: the layers of `rbnn_bench_layers`, in this order. */
extern const rbnn_model rbnn_bench_layer_model;
extern const rbnn_bench_layer rbnn_bench_layers[];
extern const uint8_t *const rbnn_bench_layer_weights; /* reconfigured, laid out as P */
extern const int16_t rbnn_bench_offsets[RBNN_MAX_INPUT_CHANNELS];

/* A network: the container of model_image.h, its task 0 opened. Without one, model_image.h holds
 * no container, and what is here is zeros. */
typedef struct {
  const uint8_t *params; /* plaintext of the sealed block */
  uint32_t params_bytes;
  const uint8_t *image;
  uint32_t image_bytes;
  const uint8_t *weights; /* reconfigured, laid out as P */
} rbnn_bench_network;
extern const rbnn_bench_network rbnn_bench_network_case;

extern const uint8_t rbnn_bench_secret[RBNN_KEY_BYTES]; /* S_t of both */

#endif
