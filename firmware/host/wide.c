/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide.h"

#include "host/wide_block.h"

const char *rbnn_wide_name(void)
{
  return RBNN_WIDE_NAME;
}

size_t rbnn_wide_work_bytes(const rbnn_layer *layer)
{
  switch (layer->op) {
    case RBNN_OPERATOR_STEM: return rbnn_wide_stem_work_bytes(layer);
    case RBNN_OPERATOR_CONV: return rbnn_wide_conv_work_bytes(layer);
    default: return 0;
  }
}

void rbnn_wide_layer(const rbnn_run *run, const uint32_t *wide)
{
  switch (run->layer->op) {
    case RBNN_OPERATOR_STEM: rbnn_wide_stem(run, wide); break;
    case RBNN_OPERATOR_CONV: rbnn_wide_conv(run, wide); break;
    case RBNN_OPERATOR_DENSE: rbnn_wide_dense(run, wide); break;
    case RBNN_OPERATOR_DENSE_STREAM: rbnn_wide_dense_stream(run, wide); break;
    case RBNN_OPERATOR_MAX_POOL: rbnn_max_pool(run); break;
    default: rbnn_average_pool(run); break;
  }
}
