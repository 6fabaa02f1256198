/* SPDX-License-Identifier: Apache-2.0 */
/* What a firmware may be built without: parts of kernels, and room for tasks. `rbnn export` writes
 * model_features.h beside its model, so that flash and RAM hold only what that model needs; without
 * the file all are there. A layer that needs a part that is not there is not served (layer.h). */
#ifndef RBNN_CORE_KERNEL_FEATURES_H
#define RBNN_CORE_KERNEL_FEATURES_H

#if __has_include("model_features.h")
#include "model_features.h"
#else
#define RBNN_WITH_THRESHOLD 1       /* stage: bits of the sums only */
#define RBNN_WITH_RESIDUAL 1        /* stage: a stream */
#define RBNN_WITH_RPRELU 1          /* activation of a stream */
#define RBNN_WITH_SIGN_THRESHOLDS 1 /* bits of a stream by thresholds, not by its sign */
#define RBNN_WITH_ODD_WORDS 1       /* convolution of 32, 96, 160, ... channels */
#define RBNN_WITH_EVEN_WORDS 1      /* convolution of 64, 128, ... channels */
#endif

/* A task of a sensor series. */
#ifndef RBNN_WITH_SERIES
#define RBNN_WITH_SERIES 1
#endif

/* Most tasks of a model; each takes 270 bytes of RAM. */
#ifndef RBNN_WITH_TASKS
#define RBNN_WITH_TASKS RBNN_MAX_TASKS
#endif

/* Bytes of the network's input, which the serial line's buffer has to hold; 0 for the usual one. */
#ifndef RBNN_WITH_INPUT_BYTES
#define RBNN_WITH_INPUT_BYTES 0u
#endif

/* Most bytes of a model's input. */
#define RBNN_MOST_INPUT_BYTES \
  (RBNN_WITH_INPUT_BYTES == 0u                       ? RBNN_MAX_INPUT_BYTES \
   : RBNN_WITH_INPUT_BYTES > RBNN_INPUT_BUFFER_BYTES ? RBNN_WITH_INPUT_BYTES \
                                                     : RBNN_INPUT_BUFFER_BYTES)

#endif
