/* SPDX-License-Identifier: Apache-2.0 */
/* All operators, for a firmware that is built without a model's own table. */
#include <stddef.h>

#include "core/kernels.h"

__attribute__((weak)) const rbnn_kernel rbnn_kernels[RBNN_KERNELS] = {
    [RBNN_OPERATOR_STEM] = {rbnn_conv_stem, rbnn_conv_stem_work_bytes},
    [RBNN_OPERATOR_CONV] = {rbnn_conv_binary, rbnn_conv_binary_work_bytes},
    [RBNN_OPERATOR_MAX_POOL] = {rbnn_max_pool, NULL},
    [RBNN_OPERATOR_DENSE] = {rbnn_dense, rbnn_dense_work_bytes},
    [RBNN_OPERATOR_AVERAGE_POOL] = {rbnn_average_pool, NULL},
    [RBNN_OPERATOR_DENSE_STREAM] = {rbnn_dense_stream, rbnn_dense_stream_work_bytes},
};
