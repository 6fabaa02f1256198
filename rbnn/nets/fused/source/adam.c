/* SPDX-License-Identifier: Apache-2.0 */
#include "fused.h"

#include <math.h>

/* Source: tf_keras.optimizers.Adam.update_step, operation by operation. rates: 1 - beta_1,
 * 1 - beta_2, the step's size, epsilon. */
void rbnn_adam(size_t count, const float *restrict value, const float *restrict gradient,
               const float *restrict momentum, const float *restrict velocity, const float rates[4],
               bool clip, float *restrict new_value, float *restrict new_momentum,
               float *restrict new_velocity)
{
  const float first = rates[0], second = rates[1], size = rates[2], epsilon = rates[3];
  const float limit = clip ? 1.0f : INFINITY;
  for (size_t i = 0; i < count; i++) {
    const float g = gradient[i];
    const float m = momentum[i] + (g - momentum[i]) * first;
    const float v = velocity[i] + (g * g - velocity[i]) * second;
    float moved = value[i] - m * size / (sqrtf(v) + epsilon);
    moved = moved < -limit ? -limit : moved;
    new_value[i] = moved > limit ? limit : moved;
    new_momentum[i] = m;
    new_velocity[i] = v;
  }
}
