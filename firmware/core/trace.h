/* SPDX-License-Identifier: Apache-2.0 */
/* What traces and measurements say of a layer. */
#ifndef RBNN_CORE_TRACE_H
#define RBNN_CORE_TRACE_H

#include "core/kernels.h"

/* CRC-32 of what a layer has just written: its bits, then its stream, then its logits. */
uint32_t rbnn_layer_output_crc32(const rbnn_run *run);

#endif
