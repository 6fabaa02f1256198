/* SPDX-License-Identifier: Apache-2.0 */
/* What the operators are, from their descriptors in rbnn/spec/operators.py. */
#ifndef RBNN_CORE_OPERATORS_H
#define RBNN_CORE_OPERATORS_H

#include "spec/rbnn_spec.h"

/* By operator; all zero for a number that no operator has. */
extern const rbnn_operator_traits rbnn_operators[RBNN_KERNELS];

/* What operator `number` serves, whatever the number. */
static inline const rbnn_operator_traits *rbnn_operator_find(uint8_t number)
{
  return &rbnn_operators[number < RBNN_KERNELS ? number : 0];
}

/* Its printed name, or "unknown". */
const char *rbnn_operator_name(uint8_t number);

#endif
