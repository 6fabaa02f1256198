/* SPDX-License-Identifier: Apache-2.0 */
#include "core/layer.h"

#include <stddef.h>

#include "core/kernel_features.h"
#include "core/kernels.h"
#include "core/operators.h"
#include "core/own_weights.h"

#define CHANNELS_PER_WORD 32u

static uint64_t out_pixels(const rbnn_layer *layer)
{
  return (uint64_t)layer->out_height * layer->out_width;
}

static uint64_t in_pixels(const rbnn_layer *layer)
{
  return (uint64_t)layer->in_height * layer->in_width;
}

static const rbnn_operator_traits *traits_of(const rbnn_layer *layer)
{
  return rbnn_operator_find(layer->op);
}

uint64_t rbnn_layer_bits_bytes(const rbnn_layer *layer)
{
  return layer->output & RBNN_OUTPUT_BITS ? out_pixels(layer) * layer->out_channels / 8u : 0u;
}

uint64_t rbnn_layer_stream_bytes(const rbnn_layer *layer)
{
  return layer->output & RBNN_OUTPUT_STREAM ? out_pixels(layer) * layer->out_channels * 2u : 0u;
}

uint64_t rbnn_layer_logits_bytes(const rbnn_layer *layer)
{
  return rbnn_layer_is_last(layer) ? layer->out_channels * (uint64_t)sizeof(int32_t) : 0u;
}

bool rbnn_layer_is_first(const rbnn_layer *layer)
{
  return traits_of(layer)->reads == RBNN_READS_IMAGE;
}

bool rbnn_layer_is_last(const rbnn_layer *layer)
{
  return traits_of(layer)->writes == RBNN_WRITES_LOGITS;
}

bool rbnn_layer_reads_stream(const rbnn_layer *layer)
{
  return traits_of(layer)->reads == RBNN_READS_STREAM;
}

bool rbnn_layer_runs_in_place(const rbnn_layer *layer)
{
  return traits_of(layer)->in_place;
}

uint64_t rbnn_layer_input_bytes(const rbnn_layer *layer)
{
  const uint64_t values = in_pixels(layer) * layer->in_channels;
  switch (traits_of(layer)->reads) {
    case RBNN_READS_BITS: return values / 8u;
    case RBNN_READS_STREAM: return values * 2u;
    default: return 0;
  }
}

uint64_t rbnn_layer_shortcut_bytes(const rbnn_layer *layer)
{
  return out_pixels(layer) * layer->shortcut_channels * 2u;
}

/* Weights of one filter. */
static uint64_t filter_bits(const rbnn_layer *layer)
{
  if (traits_of(layer)->largest_window == 0) {
    return in_pixels(layer) * layer->in_channels;
  }
  return (uint64_t)layer->kernel * layer->kernel * layer->in_channels;
}

uint64_t rbnn_layer_weights_bytes(const rbnn_layer *layer)
{
  const uint64_t filters = layer->out_channels;
  switch (layer->packing) {
    case RBNN_PACKING_ROWS: return filters * ((filter_bits(layer) + 31u) / 32u * 4u);
    case RBNN_PACKING_TILES: return filters * (filter_bits(layer) / 8u);
    case RBNN_PACKING_PAIRS:
      return (filters + RBNN_FILTERS_PER_TILE - 1u) / RBNN_FILTERS_PER_TILE *
             RBNN_FILTERS_PER_TILE * (filter_bits(layer) / 8u);
    default: return 0;
  }
}

/* Bytes of a layer's parameters without its weights. */
static uint32_t values_bytes(const rbnn_layer *layer)
{
  const uint32_t group = 2u * layer->out_channels;
  if (rbnn_layer_is_last(layer)) {
    return 2u * layer->out_channels * (uint32_t)sizeof(int32_t);
  }
  switch (layer->stage) {
    case RBNN_STAGE_THRESHOLD: return group;
    case RBNN_STAGE_RESIDUAL:
      return 4u + 2u * group + (layer->activation == RBNN_ACTIVATION_RPRELU ? 3u * group : 0u) +
             (layer->sign == RBNN_SIGN_THRESHOLDS ? group : 0u);
    default: return 0;
  }
}

uint32_t rbnn_layer_task_params_bytes(const rbnn_layer *layer, uint32_t classes)
{
  const uint32_t filter = traits_of(layer)->own_weights ? (uint32_t)filter_bits(layer) : 0u;
  const uint32_t filters = rbnn_layer_is_last(layer) ? classes : layer->out_channels;
  return values_bytes(layer) + filters * rbnn_own_padded(filter);
}

uint32_t rbnn_layer_params_bytes(const rbnn_layer *layer)
{
  return rbnn_layer_task_params_bytes(layer, layer->out_channels);
}

const int8_t *rbnn_layer_own_weights(const rbnn_layer *layer, const void *params)
{
  return (const int8_t *)params + values_bytes(layer);
}

/* Whether the output size follows from input size, window, stride, padding and fused pool. */
static bool window_fits(const rbnn_layer *layer, const rbnn_operator_traits *traits)
{
  if (layer->kernel == 0 || layer->kernel > traits->largest_window || layer->stride == 0 ||
      layer->pad >= layer->kernel || layer->pool == 0 || layer->pool > traits->largest_pool ||
      (traits->window_is_power && (layer->kernel & (layer->kernel - 1)) != 0)) {
    return false;
  }
  const uint32_t height = layer->in_height + 2u * layer->pad;
  const uint32_t width = layer->in_width + 2u * layer->pad;
  return height >= layer->kernel && width >= layer->kernel &&
         ((height - layer->kernel) / layer->stride + 1u) / layer->pool == layer->out_height &&
         ((width - layer->kernel) / layer->stride + 1u) / layer->pool == layer->out_width;
}

/* Whether a layer that meets its whole input at once has no window, and gives one pixel. */
static bool has_no_window(const rbnn_layer *layer)
{
  return layer->kernel == 0 && layer->stride == 1 && layer->pad == 0 && layer->out_height == 1 &&
         layer->out_width == 1;
}

static bool channels_fit(const rbnn_layer *layer, const rbnn_operator_traits *traits)
{
  const bool inputs_fit = traits->reads == RBNN_READS_IMAGE
                              ? layer->in_channels <= RBNN_MAX_INPUT_CHANNELS
                              : layer->in_channels % CHANNELS_PER_WORD == 0;
  return inputs_fit &&
         (traits->writes == RBNN_WRITES_LOGITS || layer->out_channels % CHANNELS_PER_WORD == 0);
}

#define LAST_ACTIVATION (RBNN_WITH_RPRELU ? RBNN_ACTIVATION_RPRELU : RBNN_ACTIVATION_NONE)
#define LAST_SIGN (RBNN_WITH_SIGN_THRESHOLDS ? RBNN_SIGN_THRESHOLDS : RBNN_SIGN_ZERO)

/* Whether the members of the stage suit each other, for a layer with sums. */
static bool stage_fits(const rbnn_layer *layer)
{
  switch (layer->stage) {
    case RBNN_STAGE_THRESHOLD:
      return RBNN_WITH_THRESHOLD && layer->activation == RBNN_ACTIVATION_NONE &&
             layer->sign == RBNN_SIGN_ZERO && layer->output == RBNN_OUTPUT_BITS &&
             layer->shortcut_channels == 0;
    case RBNN_STAGE_RESIDUAL:
      return RBNN_WITH_RESIDUAL && layer->activation <= LAST_ACTIVATION &&
             layer->sign <= LAST_SIGN && layer->output >= RBNN_OUTPUT_BITS &&
             layer->output <= (RBNN_OUTPUT_BITS | RBNN_OUTPUT_STREAM) &&
             (layer->shortcut_channels == 0 ||
              (layer->shortcut_channels % CHANNELS_PER_WORD == 0 &&
               layer->out_channels % layer->shortcut_channels == 0));
    default: return false;
  }
}

/* Whether a layer without sums has nothing of a stage, and gives what its operator does. */
static bool has_no_stage(const rbnn_layer *layer, const rbnn_operator_traits *traits)
{
  const uint8_t output = traits->writes == RBNN_WRITES_BITS     ? RBNN_OUTPUT_BITS
                         : traits->writes == RBNN_WRITES_STREAM ? RBNN_OUTPUT_STREAM
                                                                : 0;
  return layer->stage == RBNN_STAGE_NONE && layer->activation == RBNN_ACTIVATION_NONE &&
         layer->sign == RBNN_SIGN_ZERO && layer->shortcut_channels == 0 && layer->pool == 1 &&
         layer->output == output;
}

/* Whether sums fit where the kernel adds them up; without weights, whether channels are kept. */
static bool weights_fit(const rbnn_layer *layer, const rbnn_operator_traits *traits)
{
  if (traits->packing == RBNN_PACKING_NONE && !traits->own_weights) {
    return layer->pad == 0 && layer->out_channels == layer->in_channels;
  }
  return filter_bits(layer) <= traits->most_filter_bits;
}

/* Whether the firmware has the part of the kernel for that many channels. */
static bool words_fit(const rbnn_layer *layer)
{
  return layer->in_channels / CHANNELS_PER_WORD % 2u != 0 ? RBNN_WITH_ODD_WORDS
                                                          : RBNN_WITH_EVEN_WORDS;
}

bool rbnn_layer_is_served(const rbnn_layer *layer)
{
  if (layer->in_height == 0 || layer->in_width == 0 || layer->in_channels == 0 ||
      layer->out_height == 0 || layer->out_width == 0 || layer->out_channels == 0) {
    return false;
  }
  if (layer->op >= RBNN_KERNELS || rbnn_kernels[layer->op].run == NULL) {
    return false;
  }
  const rbnn_operator_traits *traits = traits_of(layer);
  if (layer->packing != traits->packing || !channels_fit(layer, traits) ||
      !weights_fit(layer, traits) || (traits->split_by_words && !words_fit(layer))) {
    return false;
  }
  if (traits->largest_window > 0 ? !window_fits(layer, traits) : !has_no_window(layer)) {
    return false;
  }
  if (traits->writes != RBNN_WRITES_STAGED) {
    return has_no_stage(layer, traits);
  }
  return stage_fits(layer) && (layer->shortcut_channels == 0 || traits->takes_shortcut);
}

uint32_t rbnn_layer_work_bytes(const rbnn_layer *layer)
{
  const rbnn_kernel *kernel = &rbnn_kernels[layer->op];
  return kernel->work_bytes != NULL ? kernel->work_bytes(layer) : 0u;
}
