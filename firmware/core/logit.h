/* SPDX-License-Identifier: Apache-2.0 */
/* From inner products to logits, limited to 32 bits. Products of 64 bits take a Cortex-M3, no other
 * core, a time that depends on the numbers. */
#ifndef RBNN_CORE_LOGIT_H
#define RBNN_CORE_LOGIT_H

#include "spec/rbnn_spec.h"

/* Without a branch. */
static inline int32_t rbnn_limit32(int64_t value)
{
  const uint32_t low = (uint32_t)value;
  const uint32_t high = (uint32_t)((uint64_t)value >> 32);
  /* Not zero where the value needs more bits; then all ones. */
  const uint32_t beyond = high ^ (0u - (low >> 31));
  const uint32_t limited = 0u - ((beyond | (0u - beyond)) >> 31);
  return (int32_t)((low & ~limited) | ((INT32_MAX + (high >> 31)) & limited));
}

/* floor((scale * product + bias * 2^8) / 2^8): a product over the stream counts in 256ths. */
static inline int32_t rbnn_stream_logit(int32_t product, int32_t scale, int32_t bias)
{
  /* The factor is a power of two: no bit of the bias is lost, and the shift is the floor. */
  return rbnn_limit32(
      ((int64_t)scale * product + (int64_t)bias * (1 << RBNN_STREAM_FRACTION_BITS)) >>
      RBNN_STREAM_FRACTION_BITS);
}

#endif
