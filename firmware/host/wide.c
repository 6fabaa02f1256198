/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide.h"

#include "core/layer.h"
#include "host/wide_block.h"

const char *rbnn_wide_name(void)
{
  return RBNN_WIDE_NAME;
}

/* An operator without a wide kernel, all NULL, runs as on the device. */
static const struct {
  void (*run)(const rbnn_run *run, const uint32_t *wide);
  size_t (*work_bytes)(const rbnn_layer *layer); /* NULL where it needs none */
} wide_kernels[RBNN_KERNELS] = {
    [RBNN_OPERATOR_STEM] = {rbnn_wide_stem, rbnn_wide_stem_work_bytes},
    [RBNN_OPERATOR_STEM8] = {rbnn_wide_stem8, rbnn_wide_stem8_work_bytes},
    [RBNN_OPERATOR_CONV] = {rbnn_wide_conv, rbnn_wide_conv_work_bytes},
    [RBNN_OPERATOR_DENSE] = {rbnn_wide_dense, NULL},
    [RBNN_OPERATOR_DENSE_STREAM] = {rbnn_wide_dense_stream, NULL},
};

size_t rbnn_wide_work_bytes(const rbnn_layer *layer)
{
  if (wide_kernels[layer->op].run == NULL) {
    return rbnn_wide_round_up(rbnn_layer_work_bytes(layer));
  }
  size_t (*const work_bytes)(const rbnn_layer *) = wide_kernels[layer->op].work_bytes;
  return work_bytes != NULL ? work_bytes(layer) : 0;
}

/* Weights as the device's kernel draws them, all there. */
static const uint32_t *give(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                            uint32_t *room)
{
  (void)layer;
  (void)bytes;
  (void)room;
  return *(const uint32_t *const *)context + offset / 4u;
}

void rbnn_wide_layer(const rbnn_run *run, const uint32_t *wide)
{
  if (wide_kernels[run->layer->op].run != NULL) {
    wide_kernels[run->layer->op].run(run, wide);
    return;
  }
  rbnn_run as_on_device = *run;
  as_on_device.work_bytes = rbnn_layer_work_bytes(run->layer);
  as_on_device.source = give;
  as_on_device.source_context = &wide;
  rbnn_kernels[run->layer->op].run(&as_on_device);
}
