/* SPDX-License-Identifier: Apache-2.0 */
/* The only floating point of the firmware; linked only where it is called. */
#include <stddef.h>

#include "core/kernel_features.h"
#include "device/device.h"

#if RBNN_WITH_SERIES
static void make_input(const rbnn_series *series, const float *values, uint32_t count,
                       uint8_t *input)
{
  const float *means = (const void *)(series + 1);
  const float *factors = means + series->channels;
  uint32_t channel = 0;
  for (uint32_t i = 0; i < count; i++) {
    /* Volatile: each step is rounded, and no compiler joins two of them. */
    volatile float value = values[i] - means[channel];
    /* A factor of 0 gives the middle, also where the difference is infinite. */
    value = factors[channel] != 0.0f ? value * factors[channel] : 0.0f;
    value = value + ((float)RBNN_SERIES_MIDDLE + 0.5f);
    input[i] = value >= 255.0f ? 255u : value > 0.0f ? (uint8_t)value : 0u;
    channel = channel + 1u < series->channels ? channel + 1u : 0u;
  }
}

rbnn_status rbnn_device_series_input(const rbnn_device *device, const float *values, uint32_t count,
                                     uint8_t *input)
{
  const rbnn_status status = rbnn_device_check_active(device);
  if (status != RBNN_OK) {
    return status;
  }
  const rbnn_series *series = rbnn_engine_series(&device->engine);
  if (series == NULL || count != rbnn_engine_input_bytes(&device->engine)) {
    return RBNN_ARGUMENT;
  }
  make_input(series, values, count, input);
  return RBNN_OK;
}
#endif
