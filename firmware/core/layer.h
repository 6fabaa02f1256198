/* SPDX-License-Identifier: Apache-2.0 */
/* One record of the layer table: the sizes that follow from it, and whether a kernel serves it. */
#ifndef RBNN_CORE_LAYER_H
#define RBNN_CORE_LAYER_H

#include <stdbool.h>

#include "spec/rbnn_spec.h"

/* Bytes of what a layer writes to the arena; 0 where it does not write this. */
uint64_t rbnn_layer_bits_bytes(const rbnn_layer *layer);
uint64_t rbnn_layer_stream_bytes(const rbnn_layer *layer);
uint64_t rbnn_layer_logits_bytes(const rbnn_layer *layer);

/* Bytes of the input and of the shortcut in the arena; 0 for a stem's input. */
uint64_t rbnn_layer_input_bytes(const rbnn_layer *layer);
uint64_t rbnn_layer_shortcut_bytes(const rbnn_layer *layer);

/* Bytes of its packed bits, and of its group of parameters. The group of a task with fewer classes
 * than the model has is smaller if the last layer has 8-bit weights. */
uint64_t rbnn_layer_weights_bytes(const rbnn_layer *layer);
uint32_t rbnn_layer_params_bytes(const rbnn_layer *layer);
uint32_t rbnn_layer_task_params_bytes(const rbnn_layer *layer, uint32_t classes);

/* Its 8-bit weights (core/own_weights.h) among its parameters; it has some. */
const int8_t *rbnn_layer_own_weights(const rbnn_layer *layer, const void *params);

/* Whether it reads the image, and whether it gives logits. */
bool rbnn_layer_is_first(const rbnn_layer *layer);
bool rbnn_layer_is_last(const rbnn_layer *layer);

/* Whether the input is a stream; bits (or the image) where not. */
bool rbnn_layer_reads_stream(const rbnn_layer *layer);

/* Whether its stream may begin where its input begins. */
bool rbnn_layer_runs_in_place(const rbnn_layer *layer);

/* Whether operator, window, stage and shapes of any record are ones that the kernels serve. Says
 * nothing about offsets. */
bool rbnn_layer_is_served(const rbnn_layer *layer);

/* Least working memory of a served layer's kernel; its input and its output fit an arena of
 * RBNN_MAX_ARENA_BYTES, or 32 bits would not hold it. */
uint32_t rbnn_layer_work_bytes(const rbnn_layer *layer);

#endif
