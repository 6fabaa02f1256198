/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow's C interface, and what the operations share. */
#ifndef RBNN_OPERATIONS_H
#define RBNN_OPERATIONS_H

#include "fused.h"

/* TensorFlow's ops.h takes these for C++. */
typedef struct TF_OpDefinitionBuilder TF_OpDefinitionBuilder;
typedef struct TF_ShapeInferenceContext TF_ShapeInferenceContext;
typedef struct TF_ShapeHandle TF_ShapeHandle;
typedef struct TF_DimensionHandle TF_DimensionHandle;

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

/* An input's values, NULL for an empty one; TensorFlow keeps them until the operation is done. */
const void *rbnn_input(TF_OpKernelContext *context, int number, TF_Tensor **found);
void *rbnn_output(TF_OpKernelContext *context, int number, TF_DataType type, const int64_t *dims,
                  int rank, TF_Status *status);
/* An output of an input's shape; NULL for an empty one. */
void *rbnn_output_like(TF_OpKernelContext *context, int number, TF_DataType type,
                       const TF_Tensor *like, TF_Status *status);
void rbnn_delete_all(TF_Tensor **tensors, int count);
void rbnn_fail(TF_OpKernelContext *context, TF_Status *status, const char *why);

typedef struct {
  const char *name;
  const char *inputs[8], *outputs[4], *attributes[6];
  void *(*create)(TF_OpKernelConstruction *);
  void (*compute)(void *, TF_OpKernelContext *);
} rbnn_operation;

void rbnn_enter_operation(const rbnn_operation *operation);

#endif
