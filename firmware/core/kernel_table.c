/* SPDX-License-Identifier: Apache-2.0 */
/* All operators, for a firmware that is built without a model's own table. */
#include <stddef.h>

#include "core/kernels.h"

#define ENTRY(name, printed, kernel, work_bytes) [RBNN_OPERATOR_##name] = {kernel, work_bytes},

__attribute__((weak)) const rbnn_kernel rbnn_kernels[RBNN_KERNELS] = {RBNN_OPERATOR_LIST(ENTRY)};
