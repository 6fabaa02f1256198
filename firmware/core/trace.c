/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace.h"

#include <stddef.h>

#include "core/crc32.h"
#include "core/layer.h"

uint32_t rbnn_layer_output_crc32(const rbnn_run *run)
{
  const rbnn_layer *const layer = run->layer;
  uint32_t crc = 0;
  if (run->bits != NULL) {
    crc = rbnn_crc32_update(crc, run->bits, (uint32_t)rbnn_layer_bits_bytes(layer));
  }
  if (run->stream != NULL) {
    crc = rbnn_crc32_update(crc, run->stream, (uint32_t)rbnn_layer_stream_bytes(layer));
  }
  if (run->logits != NULL) {
    crc = rbnn_crc32_update(crc, run->logits, (uint32_t)rbnn_layer_logits_bytes(layer));
  }
  return crc;
}
