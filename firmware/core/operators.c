/* SPDX-License-Identifier: Apache-2.0 */
#include "core/operators.h"

const rbnn_operator_traits rbnn_operators[RBNN_KERNELS] = RBNN_OPERATOR_TRAITS;

const char *rbnn_operator_name(uint8_t number)
{
#define NAME(name, printed, kernel, work_bytes) \
  case RBNN_OPERATOR_##name: return printed;
  switch (number) {
    RBNN_OPERATOR_LIST(NAME)
    default: return "unknown";
  }
#undef NAME
}
