/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RBNN_CORE_DIVIDE_H
#define RBNN_CORE_DIVIDE_H

#include <stdint.h>

/* floor(number / divisor), and what is left in `rest` unless that is NULL.
 *   divisor  1..2^31
 * The compiler's own division of 64 bits is ten times the size, and its timing depends on the
 * numbers; this one's does not. */
uint64_t rbnn_divide(uint64_t number, uint32_t divisor, uint32_t *rest);

#endif
