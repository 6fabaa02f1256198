/* SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>

void rbnn_fail(TF_OpKernelContext *context, TF_Status *status, const char *why)
{
  if (TF_GetCode(status) == TF_OK) TF_SetStatus(status, TF_INTERNAL, why);
  TF_OpKernelContext_Failure(context, status);
}

const void *rbnn_input(TF_OpKernelContext *context, int number, TF_Tensor **found)
{
  TF_Status *status = TF_NewStatus();
  TF_GetInput(context, number, found, status);
  TF_DeleteStatus(status);
  return TF_TensorElementCount(*found) ? TF_TensorData(*found) : NULL;
}

void *rbnn_output(TF_OpKernelContext *context, int number, TF_DataType type, const int64_t *dims,
                  int rank, TF_Status *status)
{
  size_t bytes = TF_DataTypeSize(type);
  for (int i = 0; i < rank; i++) bytes *= (size_t)dims[i];
  TF_Tensor *made = TF_AllocateOutput(context, number, type, dims, rank, bytes, status);
  if (!made) return NULL;
  void *data = TF_TensorData(made);
  TF_DeleteTensor(made);
  return data;
}

void *rbnn_output_like(TF_OpKernelContext *context, int number, TF_DataType type,
                       const TF_Tensor *like, TF_Status *status)
{
  int64_t dims[8];
  const int rank = TF_NumDims(like);
  for (int d = 0; d < rank; d++) dims[d] = TF_Dim(like, d);
  void *made = rbnn_output(context, number, type, dims, rank, status);
  return TF_TensorElementCount(like) ? made : NULL;
}

void rbnn_delete_all(TF_Tensor **tensors, int count)
{
  for (int i = 0; i < count; i++) TF_DeleteTensor(tensors[i]);
}

static void any_shape(TF_ShapeInferenceContext *context, TF_Status *status)
{
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

void rbnn_enter_operation(const rbnn_operation *operation)
{
  const char *name = operation->name;
  TF_Status *status = TF_NewStatus();
  TF_OpDefinitionBuilder *op = TF_NewOpDefinitionBuilder(name);
  for (int i = 0; operation->inputs[i]; i++)
    TF_OpDefinitionBuilderAddInput(op, operation->inputs[i]);
  for (int i = 0; operation->outputs[i]; i++)
    TF_OpDefinitionBuilderAddOutput(op, operation->outputs[i]);
  for (int i = 0; operation->attributes[i]; i++)
    TF_OpDefinitionBuilderAddAttr(op, operation->attributes[i]);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, any_shape);
  TF_RegisterOpDefinition(op, status);
  TF_KernelBuilder *kernel =
      TF_NewKernelBuilder(name, "CPU", operation->create, operation->compute, free);
  if (TF_GetCode(status) == TF_OK) TF_RegisterKernelBuilder(name, kernel, status);
  if (TF_GetCode(status) != TF_OK) fprintf(stderr, "%s: %s\n", name, TF_Message(status));
  TF_DeleteStatus(status);
}
