/* SPDX-License-Identifier: Apache-2.0 */
/* What TensorFlow sees: three operations, through its C interface. */
#include "fused.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* TensorFlow's ops.h takes these for C++. */
typedef struct TF_OpDefinitionBuilder TF_OpDefinitionBuilder;
typedef struct TF_ShapeInferenceContext TF_ShapeInferenceContext;
typedef struct TF_ShapeHandle TF_ShapeHandle;
typedef struct TF_DimensionHandle TF_DimensionHandle;

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

#define KINDS 8 /* tensors of a node: the members of rbnn_values, in their order */
#define MOST_SLOTS 256
#define ADAM_PART 65536
#define MOST_VARIABLES 16384

/* A network that has gone forward and waits to go back; `ticket` tells one pass from another. */
typedef struct {
  uint8_t *memory;
  int64_t ticket;
} slot;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static slot slots[MOST_SLOTS];
static int64_t tickets;

typedef struct {
  rbnn_node nodes[RBNN_MOST_NODES];
  int count, threads, slot, clipped;
} setup;

static setup *read_attributes(TF_OpKernelConstruction *context, bool of_network)
{
  setup *found = calloc(1, sizeof *found);
  TF_Status *status = TF_NewStatus();
  int32_t integers[RBNN_MOST_NODES * RBNN_NODE_INTEGERS], size = 0, total;
  TF_OpKernelConstruction_GetAttrInt32(context, "threads", &found->threads, status);
  if (!of_network) {
    TF_OpKernelConstruction_GetAttrInt32(context, "clipped", &found->clipped, status);
  } else {
    TF_OpKernelConstruction_GetAttrInt32(context, "slot", &found->slot, status);
    TF_OpKernelConstruction_GetAttrSize(context, "nodes", &size, &total, status);
    found->count = size / RBNN_NODE_INTEGERS;
    if (found->count > RBNN_MOST_NODES || found->slot >= MOST_SLOTS)
      TF_SetStatus(status, TF_INVALID_ARGUMENT, "too many nodes or slots");
    else
      TF_OpKernelConstruction_GetAttrInt32List(context, "nodes", integers, size, status);
    memcpy(found->nodes, integers, found->count * sizeof *found->nodes);
  }
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(context, status);
  TF_DeleteStatus(status);
  return found;
}

static void *make_network(TF_OpKernelConstruction *context)
{
  return read_attributes(context, true);
}

static void *make_adam(TF_OpKernelConstruction *context)
{
  return read_attributes(context, false);
}

static void fail(TF_OpKernelContext *context, TF_Status *status, const char *why)
{
  if (TF_GetCode(status) == TF_OK) TF_SetStatus(status, TF_INTERNAL, why);
  TF_OpKernelContext_Failure(context, status);
}

/* TensorFlow keeps an input's buffer until the operation is done. */
static const void *input(TF_OpKernelContext *context, int number, TF_Tensor **found)
{
  TF_Status *status = TF_NewStatus();
  TF_GetInput(context, number, found, status);
  TF_DeleteStatus(status);
  return TF_TensorElementCount(*found) ? TF_TensorData(*found) : NULL;
}

static void *output(TF_OpKernelContext *context, int number, TF_DataType type, const int64_t *dims,
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

static rbnn_network network_of(const setup *from, int samples)
{
  const int blocks = (samples + RBNN_BLOCK - 1) / RBNN_BLOCK;
  return (rbnn_network){samples, blocks, from->threads, from->count, from->nodes};
}

static void read_values(TF_OpKernelContext *context, const setup *from, int first,
                        TF_Tensor **tensors, rbnn_values *values)
{
  for (int i = 0; i < from->count; i++) {
    const float *parts[KINDS];
    for (int kind = 0; kind < KINDS; kind++)
      parts[kind] = input(context, first + i * KINDS + kind, tensors + i * KINDS + kind);
    values[i] = (rbnn_values){parts[0], parts[1], parts[2], parts[3],
                              parts[4], parts[5], parts[6], parts[7]};
  }
}

static void delete_all(TF_Tensor **tensors, int count)
{
  for (int i = 0; i < count; i++) TF_DeleteTensor(tensors[i]);
}

/* The weights of a network without a key are NaN. */
static bool keyed(const rbnn_network *network, const rbnn_values *values)
{
  for (int i = 0; i < network->count; i++)
    if (values[i].factor && values[i].factor[0] != values[i].factor[0]) return false;
  return true;
}

static uint8_t *begin_pass(const setup *from, size_t bytes)
{
  uint8_t *memory = rbnn_borrow(bytes);
  if (from->slot < 0) return memory;
  pthread_mutex_lock(&lock);
  uint8_t *left = slots[from->slot].memory; /* of a pass that never went back */
  slots[from->slot].memory = NULL;
  pthread_mutex_unlock(&lock);
  rbnn_give_back(left);
  return memory;
}

static int64_t end_pass(const setup *from, uint8_t *memory)
{
  if (from->slot < 0) {
    rbnn_give_back(memory);
    return -1;
  }
  pthread_mutex_lock(&lock);
  const int64_t ticket = ++tickets;
  slots[from->slot] = (slot){memory, ticket};
  pthread_mutex_unlock(&lock);
  return ticket;
}

static uint8_t *take_pass(const setup *from, int64_t ticket)
{
  uint8_t *memory = NULL;
  if (from->slot < 0) return NULL;
  pthread_mutex_lock(&lock);
  if (slots[from->slot].ticket == ticket) {
    memory = slots[from->slot].memory;
    slots[from->slot].memory = NULL;
  }
  pthread_mutex_unlock(&lock);
  return memory;
}

/* images, values... -> features, ticket */
static void forward(void *made, TF_OpKernelContext *context)
{
  const setup *from = made;
  TF_Status *status = TF_NewStatus();
  TF_Tensor *tensors[1 + RBNN_MOST_NODES * KINDS];
  rbnn_values values[RBNN_MOST_NODES];
  const float *images = input(context, 0, tensors);
  read_values(context, from, 1, tensors + 1, values);
  const rbnn_network network = network_of(from, (int)TF_Dim(tensors[0], 0));
  const rbnn_node *last = from->nodes + from->count - 1;
  const int64_t dims[4] = {network.samples, last->h, last->w, last->c};
  float *features = output(context, 0, TF_FLOAT, dims, 4, status);
  int64_t *ticket = output(context, 1, TF_INT64, NULL, 0, status);
  uint8_t *memory = features && ticket ? begin_pass(from, rbnn_record_bytes(&network)) : NULL;
  rbnn_enter();
  if (!memory || !rbnn_forward(&network, images, values, memory, features))
    fail(context, status, "out of memory");
  else if (!keyed(&network, values))
    fail(context, status, "the network has no key");
  rbnn_leave();
  if (memory) *ticket = end_pass(from, memory);
  delete_all(tensors, 1 + from->count * KINDS);
  TF_DeleteStatus(status);
}

/* of_features, ticket, images, values... -> gradients, as values */
static void backward(void *made, TF_OpKernelContext *context)
{
  const setup *from = made;
  TF_Status *status = TF_NewStatus();
  TF_Tensor *tensors[3 + RBNN_MOST_NODES * KINDS];
  rbnn_values values[RBNN_MOST_NODES];
  float *parts[RBNN_MOST_NODES * KINDS] = {NULL};
  rbnn_gradients gradients[RBNN_MOST_NODES];
  const float *of_features = input(context, 0, tensors);
  const int64_t *ticket = input(context, 1, tensors + 1);
  const float *images = input(context, 2, tensors + 2);
  read_values(context, from, 3, tensors + 3, values);
  const rbnn_network network = network_of(from, (int)TF_Dim(tensors[2], 0));
  for (int i = 0; i < from->count * KINDS; i++) {
    int64_t dims[8] = {0};
    int rank = TF_NumDims(tensors[3 + i]);
    for (int d = 0; d < rank; d++) dims[d] = TF_Dim(tensors[3 + i], d);
    if (i % KINDS == 1) dims[0] = 0, rank = 1; /* a factor has no gradient */
    parts[i] = output(context, i, TF_FLOAT, dims, rank, status);
    if (rank && !dims[0]) parts[i] = NULL;
  }
  for (int i = 0; i < from->count; i++) {
    float **of = parts + i * KINDS;
    gradients[i] = (rbnn_gradients){of[0], of[2], of[3], of[4], of[5], of[6], of[7]};
  }
  uint8_t *memory = take_pass(from, *ticket);
  rbnn_enter();
  if (!memory)
    fail(context, status, "the pass forward is gone: another one took its slot");
  else if (TF_GetCode(status) != TF_OK ||
           !rbnn_backward(&network, images, values, memory, of_features, gradients))
    fail(context, status, "out of memory");
  rbnn_leave();
  rbnn_give_back(memory);
  delete_all(tensors, 3 + from->count * KINDS);
  TF_DeleteStatus(status);
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
  for (int i = 0; i < inputs; i++) data[i] = input(context, i, tensors + i);
  for (int i = 1; i <= count; i++)
    pieces += (size_t)TF_TensorElementCount(tensors[i]) / ADAM_PART + 1;
  piece *list = calloc(pieces, sizeof *list), *next = list;
  for (int i = 0; i < count; i++) {
    int64_t dims[8];
    const int rank = TF_NumDims(tensors[1 + i]);
    const size_t size = (size_t)TF_TensorElementCount(tensors[1 + i]);
    for (int d = 0; d < rank; d++) dims[d] = TF_Dim(tensors[1 + i], d);
    piece one = {.value = data[1 + i], .gradient = data[1 + count + i], .rates = data[0]};
    one.momentum = data[1 + 2 * count + i];
    one.velocity = data[1 + 3 * count + i];
    one.clip = i < from->clipped;
    for (int kind = 0; kind < 3; kind++)
      one.to[kind] = output(context, kind * count + i, TF_FLOAT, dims, rank, status);
    for (; one.first < size; one.first += ADAM_PART) {
      one.count = size - one.first < ADAM_PART ? size - one.first : ADAM_PART;
      *next++ = one;
    }
  }
  rbnn_enter();
  if (TF_GetCode(status) != TF_OK)
    fail(context, status, "out of memory");
  else
    rbnn_parallel((int)(next - list), from->threads, adam_piece, list);
  rbnn_leave();
  delete_all(tensors, inputs);
  free(list);
  free(data);
  free(tensors);
  TF_DeleteStatus(status);
}

static void any_shape(TF_ShapeInferenceContext *context, TF_Status *status)
{
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

static void enter_operation(const char *name, const char *const *inputs, const char *const *outputs,
                            const char *const *attributes,
                            void *(*create)(TF_OpKernelConstruction *),
                            void (*compute)(void *, TF_OpKernelContext *))
{
  TF_Status *status = TF_NewStatus();
  TF_OpDefinitionBuilder *op = TF_NewOpDefinitionBuilder(name);
  for (; *inputs; inputs++) TF_OpDefinitionBuilderAddInput(op, *inputs);
  for (; *outputs; outputs++) TF_OpDefinitionBuilderAddOutput(op, *outputs);
  for (; *attributes; attributes++) TF_OpDefinitionBuilderAddAttr(op, *attributes);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, any_shape);
  TF_RegisterOpDefinition(op, status);
  if (TF_GetCode(status) == TF_OK)
    TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", create, compute, free), status);
  if (TF_GetCode(status) != TF_OK) fprintf(stderr, "%s: %s\n", name, TF_Message(status));
  TF_DeleteStatus(status);
}

__attribute__((constructor)) static void enter_operations(void)
{
  static const char *const of_network[] = {"n: int", "threads: int", "slot: int",
                                           "nodes: list(int)", NULL};
  static const char *const of_adam[] = {"n: int", "threads: int", "clipped: int", NULL};
  rbnn_prepare_tiles();
  enter_operation("RbnnForward",
                  (const char *const[]){"images: float", "values: n * float", NULL},
                  (const char *const[]){"features: float", "ticket: int64", NULL}, of_network,
                  make_network, forward);
  enter_operation("RbnnBackward",
                  (const char *const[]){"of_features: float", "ticket: int64", "images: float",
                                        "values: n * float", NULL},
                  (const char *const[]){"gradients: n * float", NULL}, of_network, make_network,
                  backward);
  enter_operation("RbnnAdam",
                  (const char *const[]){"rates: float", "values: n * float", "gradients: n * float",
                                        "momentums: n * float", "velocities: n * float", NULL},
                  (const char *const[]){"new_values: n * float", "new_momentums: n * float",
                                        "new_velocities: n * float", NULL},
                  of_adam, make_adam, adam);
}
