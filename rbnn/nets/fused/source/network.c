/* SPDX-License-Identifier: Apache-2.0 */
/* One task's network forward and back, node by node. */
#include "fused.h"

#define ALIGNMENT 64

/* Hands out the parts of one piece of memory; with no memory, only counts. */
typedef struct {
  uint8_t *memory;
  size_t used;
} shelf;

static void *take(shelf *from, size_t bytes)
{
  void *found = from->memory ? from->memory + from->used : NULL;
  from->used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return found;
}

static rbnn_record record_of(const rbnn_network *network, const rbnn_node *node, shelf *from)
{
  rbnn_record record = {0};
  const size_t values = rbnn_field(network, node->h, node->w, node->c);
  if (node->kind == RBNN_AVERAGE || node->residual) record.stream = take(from, 2 * values);
  if (node->kind == RBNN_AVERAGE) return record;
  record.sums = take(from, 2 * values);
  if (node->pool > 1) record.chosen = take(from, values);
  if (node->pool > 1 && node->kind == RBNN_CONVOLUTION)
    record.full = take(from, 2 * rbnn_field(network, node->full_h, node->full_w, node->c));
  if (node->bits) {
    record.signs = take(from, 2 * values);
    record.columns = take(from, 4 * values / RBNN_BLOCK);
  }
  record.mean = take(from, sizeof(float) * node->c);
  record.factor = take(from, sizeof(float) * node->c);
  return record;
}

size_t rbnn_record_bytes(const rbnn_network *network)
{
  shelf from = {0};
  for (int i = 0; i < network->count; i++) record_of(network, network->nodes + i, &from);
  return from.used;
}

static size_t largest_kernel(const rbnn_network *network)
{
  size_t most = 0;
  for (int i = 0; i < network->count; i++)
    if (network->nodes[i].kind == RBNN_CONVOLUTION) {
      const size_t values = rbnn_packed_values(network->nodes + i);
      most = values > most ? values : most;
    }
  return most;
}

void rbnn_forward(const rbnn_network *network, const float *images, const rbnn_values *values,
                  uint8_t *memory, float *features)
{
  rbnn_record records[RBNN_MOST_NODES];
  shelf from = {memory, 0};
  rbnn_bf16 *packed = rbnn_borrow(sizeof *packed * largest_kernel(network));
  for (int i = 0; i < network->count; i++) {
    const rbnn_node *node = network->nodes + i;
    const rbnn_record *record = records + i;
    records[i] = record_of(network, node, &from);
    if (node->kind == RBNN_AVERAGE) {
      rbnn_average(network, node, records[node->source].stream, record->stream);
    } else {
      if (node->kind == RBNN_STEM) {
        rbnn_stem(network, node, images, values + i, record->sums, record->chosen);
      } else {
        rbnn_pack(network, node, values + i, false, packed);
        rbnn_convolve(network, node, records[node->source].signs, packed,
                      record->full ? record->full : record->sums);
        if (record->full) rbnn_max_pool(network, node, record);
      }
      const bool adds = node->shortcut >= 0;
      rbnn_stage(network, node, values + i, adds ? records[node->shortcut].stream : NULL,
                 adds ? network->nodes[node->shortcut].c : 0, record);
    }
    if (node->emits) rbnn_emit(network, node, values + i, record, features);
  }
  rbnn_give_back(packed);
}

static rbnn_flow flow_of(const rbnn_network *network, const rbnn_node *node, shelf *from)
{
  rbnn_flow flow = {0};
  const size_t bytes = 2 * rbnn_field(network, node->h, node->w, node->c);
  const bool stream = node->kind == RBNN_AVERAGE || node->residual;
  if (stream) flow.of_stream = take(from, bytes);
  if (node->kind == RBNN_AVERAGE) return flow;
  if (node->bits || (node->emits && !stream)) flow.of_signs = take(from, bytes);
  flow.of_inner = take(from, bytes);
  flow.of_sums = take(from, bytes);
  if (node->pool > 1 && node->kind == RBNN_CONVOLUTION)
    flow.of_full = take(from, 2 * rbnn_field(network, node->full_h, node->full_w, node->c));
  return flow;
}

/* Give a node with sums its gradients, and those it reads from. */
static void node_back(const rbnn_network *network, int i, const float *images,
                      const rbnn_values *values, const rbnn_record *records, rbnn_flow *flows,
                      rbnn_bf16 *packed, rbnn_gradients *gradients)
{
  const rbnn_node *node = network->nodes + i;
  const rbnn_record *record = records + i;
  const bool adds = node->shortcut >= 0;
  const int shortcut_c = adds ? network->nodes[node->shortcut].c : 0;
  rbnn_bf16 *of_shortcut = adds ? flows[node->shortcut].of_stream : NULL;
  /* As many channels: what comes to the normalised sums comes to the shortcut. */
  if (adds && shortcut_c == node->c) flows[i].of_inner = of_shortcut;
  rbnn_stage_back(network, node, values + i, adds ? records[node->shortcut].stream : NULL,
                  shortcut_c, record, flows + i, of_shortcut, gradients + i);
  if (node->kind == RBNN_STEM) {
    rbnn_stem_gradient(network, node, images, record->chosen, flows[i].of_sums, values + i,
                       gradients[i].latent);
    return;
  }
  const rbnn_bf16 *of_sums = flows[i].of_sums;
  if (flows[i].of_full) {
    rbnn_max_pool_back(network, node, record->chosen, of_sums, flows[i].of_full);
    of_sums = flows[i].of_full;
  }
  rbnn_pack(network, node, values + i, true, packed);
  rbnn_convolve_back(network, node, of_sums, packed, flows[node->source].of_signs);
  rbnn_kernel_gradient(network, node, records[node->source].columns, of_sums, values + i,
                       gradients[i].latent);
}

void rbnn_backward(const rbnn_network *network, const float *images, const rbnn_values *values,
                   uint8_t *memory, const float *of_features, rbnn_gradients *gradients)
{
  rbnn_record records[RBNN_MOST_NODES];
  rbnn_flow flows[RBNN_MOST_NODES];
  bool streams[RBNN_MOST_NODES] = {false}; /* whether something reads the stream */
  shelf from = {memory, 0}, to = {0};
  for (int i = 0; i < network->count; i++) {
    const rbnn_node *node = network->nodes + i;
    records[i] = record_of(network, node, &from);
    flow_of(network, node, &to);
    if (node->shortcut >= 0) streams[node->shortcut] = true;
    if (node->kind == RBNN_AVERAGE) streams[node->source] = true;
    if (node->emits) streams[i] = true;
  }
  const size_t kernel = largest_kernel(network);
  rbnn_bf16 *packed = rbnn_borrow(sizeof *packed * kernel);
  uint8_t *flowing = rbnn_borrow(to.used);
  to = (shelf){flowing, 0};
  for (int i = 0; i < network->count; i++) {
    flows[i] = flow_of(network, network->nodes + i, &to);
    if (!streams[i]) flows[i].of_stream = NULL;
  }
  for (int i = network->count - 1; i >= 0; i--) {
    const rbnn_node *node = network->nodes + i;
    if (node->emits)
      rbnn_emit_back(network, node, of_features,
                     flows[i].of_stream ? flows[i].of_stream : flows[i].of_signs);
    if (node->kind == RBNN_AVERAGE)
      rbnn_average_back(network, node, flows[i].of_stream, flows[node->source].of_stream);
    else
      node_back(network, i, images, values, records, flows, packed, gradients);
  }
  rbnn_give_back(flowing);
  rbnn_give_back(packed);
}
