/* SPDX-License-Identifier: Apache-2.0 */
/* What moves the variables, and what the passes read of them, as operations of TensorFlow. */
#include "operations.h"

#include <stdlib.h>

#define ADAM_PART 65536

typedef struct {
  int threads, clipped;
} setup;

static void *make_adam(TF_OpKernelConstruction *context)
{
  setup *found = calloc(1, sizeof *found);
  TF_Status *status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrInt32(context, "threads", &found->threads, status);
  TF_OpKernelConstruction_GetAttrInt32(context, "clipped", &found->clipped, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(context, status);
  TF_DeleteStatus(status);
  return found;
}

typedef struct {
  const float *value, *gradient, *momentum, *velocity, *rates;
  float *to[3];
  size_t first, count;
  bool clip;
} piece;

static void adam_piece(void *context, int part)
{
  const piece *p = (const piece *)context + part;
  const size_t i = p->first;
  rbnn_adam(p->count, p->value + i, p->gradient + i, p->momentum + i, p->velocity + i, p->rates,
            p->clip, p->to[0] + i, p->to[1] + i, p->to[2] + i);
}

/* rates, values..., gradients..., momentums..., velocities... -> values, momentums, velocities */
static void adam(void *made, TF_OpKernelContext *context)
{
  const setup *from = made;
  const int inputs = TF_NumInputs(context), count = (inputs - 1) / 4;
  TF_Status *status = TF_NewStatus();
  TF_Tensor **tensors = calloc(inputs, sizeof *tensors);
  const float **data = calloc(inputs, sizeof *data);
  size_t pieces = 0;
  for (int i = 0; i < inputs; i++) data[i] = rbnn_input(context, i, tensors + i);
  for (int i = 1; i <= count; i++)
    pieces += (size_t)TF_TensorElementCount(tensors[i]) / ADAM_PART + 1;
  piece *list = calloc(pieces, sizeof *list), *next = list;
  for (int i = 0; i < count; i++) {
    const size_t size = (size_t)TF_TensorElementCount(tensors[1 + i]);
    piece one = {.value = data[1 + i], .gradient = data[1 + count + i], .rates = data[0]};
    one.momentum = data[1 + 2 * count + i];
    one.velocity = data[1 + 3 * count + i];
    one.clip = i < from->clipped;
    for (int kind = 0; kind < 3; kind++)
      one.to[kind] = rbnn_output_like(context, kind * count + i, TF_FLOAT, tensors[1 + i], status);
    for (; one.first < size; one.first += ADAM_PART) {
      one.count = size - one.first < ADAM_PART ? size - one.first : ADAM_PART;
      *next++ = one;
    }
  }
  rbnn_enter();
  if (TF_GetCode(status) != TF_OK)
    rbnn_fail(context, status, "out of memory");
  else
    rbnn_parallel((int)(next - list), from->threads, adam_piece, list);
  rbnn_leave();
  rbnn_delete_all(tensors, inputs);
  free(list);
  free(data);
  free(tensors);
  TF_DeleteStatus(status);
}

/* latents... -> stored... */
static void store(void *made, TF_OpKernelContext *context)
{
  (void)made;
  TF_Status *status = TF_NewStatus();
  const int count = TF_NumInputs(context);
  for (int i = 0; i < count; i++) {
    TF_Tensor *tensor;
    const float *latent = rbnn_input(context, i, &tensor);
    int8_t *stored = rbnn_output_like(context, i, TF_INT8, tensor, status);
    if (stored && latent) rbnn_store_signs((size_t)TF_TensorElementCount(tensor), latent, stored);
    TF_DeleteTensor(tensor);
  }
  if (TF_GetCode(status) != TF_OK) rbnn_fail(context, status, "out of memory");
  TF_DeleteStatus(status);
}

static void *make_nothing(TF_OpKernelConstruction *context)
{
  (void)context;
  return NULL;
}

__attribute__((constructor)) static void enter_operations(void)
{
  rbnn_enter_operation(&(rbnn_operation){
      .name = "RbnnStore",
      .inputs = {"latents: k * float"},
      .outputs = {"stored: k * int8"},
      .attributes = {"k: int"},
      .create = make_nothing,
      .compute = store,
  });
  rbnn_enter_operation(&(rbnn_operation){
      .name = "RbnnAdam",
      .inputs = {"rates: float", "values: n * float", "gradients: n * float",
                 "momentums: n * float", "velocities: n * float"},
      .outputs = {"new_values: n * float", "new_momentums: n * float", "new_velocities: n * float"},
      .attributes = {"n: int", "threads: int", "clipped: int"},
      .create = make_adam,
      .compute = adam,
  });
}
