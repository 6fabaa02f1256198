/* SPDX-License-Identifier: Apache-2.0 */
/* The passes of a network as operations of TensorFlow. */
#include "operations.h"

#include <pthread.h>
#include <stdlib.h>

#define KINDS 6 /* float tensors of a node: the members of rbnn_values, in their order */
#define TENSORS (2 + KINDS)
#define MOST_SLOTS 256

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
  int count, threads, slot;
} setup;

static void *make_network(TF_OpKernelConstruction *context)
{
  setup *found = calloc(1, sizeof *found);
  TF_Status *status = TF_NewStatus();
  int32_t integers[RBNN_MOST_NODES * RBNN_NODE_INTEGERS], size = 0, total;
  TF_OpKernelConstruction_GetAttrInt32(context, "threads", &found->threads, status);
  TF_OpKernelConstruction_GetAttrInt32(context, "slot", &found->slot, status);
  TF_OpKernelConstruction_GetAttrSize(context, "nodes", &size, &total, status);
  found->count = size / RBNN_NODE_INTEGERS;
  if (found->count > RBNN_MOST_NODES || found->slot >= MOST_SLOTS) {
    TF_SetStatus(status, TF_INVALID_ARGUMENT, "too many nodes or slots");
  } else {
    TF_OpKernelConstruction_GetAttrInt32List(context, "nodes", integers, size, status);
    memcpy(found->nodes, integers, found->count * sizeof *found->nodes);
  }
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(context, status);
  TF_DeleteStatus(status);
  return found;
}

static rbnn_network network_of(const setup *from, int samples)
{
  const int blocks = (samples + RBNN_BLOCK - 1) / RBNN_BLOCK;
  return (rbnn_network){samples, blocks, from->threads, from->count, from->nodes};
}

/* stored..., factors..., values... */
static void read_values(TF_OpKernelContext *context, const setup *from, int first,
                        TF_Tensor **tensors, rbnn_values *values)
{
  const int count = from->count;
  for (int i = 0; i < count; i++) {
    const int8_t *stored = rbnn_input(context, first + i, tensors + i);
    const int8_t *factor = rbnn_input(context, first + count + i, tensors + count + i);
    const float *parts[KINDS];
    for (int kind = 0; kind < KINDS; kind++) {
      const int number = 2 * count + i * KINDS + kind;
      parts[kind] = rbnn_input(context, first + number, tensors + number);
    }
    values[i] =
        (rbnn_values){stored, factor, parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]};
  }
}

/* The factors of a network without a key are 0. */
static bool keyed(const rbnn_network *network, const rbnn_values *values)
{
  for (int i = 0; i < network->count; i++)
    if (values[i].factor && values[i].factor[0] == 0) return false;
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

/* images, stored..., factors..., values... -> features, ticket */
static void forward(void *made, TF_OpKernelContext *context)
{
  const setup *from = made;
  TF_Status *status = TF_NewStatus();
  TF_Tensor *tensors[1 + RBNN_MOST_NODES * TENSORS];
  rbnn_values values[RBNN_MOST_NODES];
  const float *images = rbnn_input(context, 0, tensors);
  read_values(context, from, 1, tensors + 1, values);
  const rbnn_network network = network_of(from, (int)TF_Dim(tensors[0], 0));
  const rbnn_node *last = from->nodes + from->count - 1;
  const int64_t dims[4] = {network.samples, last->h, last->w, last->c};
  float *features = rbnn_output(context, 0, TF_FLOAT, dims, 4, status);
  int64_t *ticket = rbnn_output(context, 1, TF_INT64, NULL, 0, status);
  uint8_t *memory = features && ticket ? begin_pass(from, rbnn_record_bytes(&network)) : NULL;
  if (!memory) {
    rbnn_fail(context, status, "out of memory");
  } else if (!keyed(&network, values)) {
    rbnn_give_back(memory);
    rbnn_fail(context, status, "the network has no key");
  } else {
    rbnn_enter();
    rbnn_forward(&network, images, values, memory, features);
    rbnn_leave();
    *ticket = end_pass(from, memory);
  }
  rbnn_delete_all(tensors, 1 + from->count * TENSORS);
  TF_DeleteStatus(status);
}

/* of_features, ticket, images, stored..., factors..., values... -> of_stored..., of_values... */
static void backward(void *made, TF_OpKernelContext *context)
{
  const setup *from = made;
  TF_Status *status = TF_NewStatus();
  TF_Tensor *tensors[3 + RBNN_MOST_NODES * TENSORS];
  rbnn_values values[RBNN_MOST_NODES];
  rbnn_gradients gradients[RBNN_MOST_NODES];
  const float *of_features = rbnn_input(context, 0, tensors);
  const int64_t *ticket = rbnn_input(context, 1, tensors + 1);
  const float *images = rbnn_input(context, 2, tensors + 2);
  read_values(context, from, 3, tensors + 3, values);
  const rbnn_network network = network_of(from, (int)TF_Dim(tensors[2], 0));
  const int count = from->count;
  for (int i = 0; i < count; i++) {
    float *of[1 + KINDS];
    of[0] = rbnn_output_like(context, i, TF_FLOAT, tensors[3 + i], status);
    for (int kind = 0; kind < KINDS; kind++)
      of[1 + kind] = rbnn_output_like(context, count + i * KINDS + kind, TF_FLOAT,
                                      tensors[3 + 2 * count + i * KINDS + kind], status);
    gradients[i] = (rbnn_gradients){of[0], of[1], of[2], of[3], of[4], of[5], of[6]};
  }
  uint8_t *memory = take_pass(from, *ticket);
  if (!memory) {
    rbnn_fail(context, status, "the pass forward is gone: another one took its slot");
  } else if (TF_GetCode(status) != TF_OK) {
    rbnn_fail(context, status, "out of memory");
  } else {
    rbnn_enter();
    rbnn_backward(&network, images, values, memory, of_features, gradients);
    rbnn_leave();
  }
  rbnn_give_back(memory);
  rbnn_delete_all(tensors, 3 + from->count * TENSORS);
  TF_DeleteStatus(status);
}

__attribute__((constructor)) static void enter_operations(void)
{
  rbnn_prepare_tiles();
  rbnn_enter_operation(&(rbnn_operation){
      .name = "RbnnForward",
      .inputs = {"images: float", "stored: k * int8", "factors: k * int8", "values: n * float"},
      .outputs = {"features: float", "ticket: int64"},
      .attributes = {"k: int", "n: int", "threads: int", "slot: int", "nodes: list(int)"},
      .create = make_network,
      .compute = forward,
  });
  rbnn_enter_operation(&(rbnn_operation){
      .name = "RbnnBackward",
      .inputs = {"of_features: float", "ticket: int64", "images: float", "stored: k * int8",
                 "factors: k * int8", "values: n * float"},
      .outputs = {"of_stored: k * float", "of_values: n * float"},
      .attributes = {"k: int", "n: int", "threads: int", "slot: int", "nodes: list(int)"},
      .create = make_network,
      .compute = backward,
  });
}
