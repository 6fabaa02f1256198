/* SPDX-License-Identifier: Apache-2.0 */
/* Plain reference kernels: the contracts of kernels.h, simple and slow. Tests hold the fast kernels
 * equal to them; no product links them. They use no working memory but for a layer's bits, which
 * they draw at once: `work` holds weights_bytes. */
#ifndef RBNN_TESTS_REFERENCE_H
#define RBNN_TESTS_REFERENCE_H

#include "core/kernels.h"

/* The stage of one sum: writes one element of the stream and one bit. */
void rbnn_stage_reference(const rbnn_run *run, uint32_t position, uint32_t filter, int32_t sum);

/* Weight `i` of a filter of 8-bit weights: of each four, the middle ones have changed places. */
static inline int32_t own_weight(const int8_t *filter, uint32_t i)
{
  static const uint32_t places[4] = {0, 2, 1, 3};
  return filter[i / 4u * 4u + places[i % 4u]];
}

#define RBNN_DECLARE_REFERENCE(name, printed, kernel, work_bytes) \
  void kernel##_reference(const rbnn_run *run);
RBNN_OPERATOR_LIST(RBNN_DECLARE_REFERENCE)

#endif
