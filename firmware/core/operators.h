/* SPDX-License-Identifier: Apache-2.0 */
/* What the operators are, from their descriptors in rbnn/spec/operators.py. */
#ifndef RBNN_CORE_OPERATORS_H
#define RBNN_CORE_OPERATORS_H

#include "spec/rbnn_spec.h"

/* What operator `number` serves; all zero for a number that no operator has. */
const rbnn_operator_traits *rbnn_operator_find(uint8_t number);

/* Its printed name, or "unknown". */
const char *rbnn_operator_name(uint8_t number);

#endif
