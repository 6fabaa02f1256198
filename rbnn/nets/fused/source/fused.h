/* SPDX-License-Identifier: Apache-2.0 */
/* The training step of one task's network, without TensorFlow: what its files share.
 *
 * A *field* holds activations or gradients as [block][row][column][sample][channel], 32 samples a
 * block: samples are the rows of a matrix product, so that no size of a picture, stride or border
 * needs a copy. Sums and streams are int16 (the stream in 256ths, as on a device), signs and
 * gradients bfloat16. Samples that fill up the last block have gradients of zero.
 */
#ifndef RBNN_FUSED_H
#define RBNN_FUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lanes.h"

#define RBNN_BLOCK 32
#define RBNN_ONE 256.0f   /* of the stream */
#define RBNN_STRIP 4096   /* most channels, as rbnn/nets/shape_rules.py has it */
#define RBNN_EPSILON 1e-3 /* of batch norm, as rbnn/nets/build_layers.py has it */
#define RBNN_NODE_INTEGERS 21
#define RBNN_MOST_NODES 128

typedef uint16_t rbnn_bf16;

enum { RBNN_STEM, RBNN_CONVOLUTION, RBNN_AVERAGE };

/* Sums and the stage behind them; the integers that rbnn/nets/fused/nodes.py writes. */
typedef struct {
  int kind;
  int source, shortcut; /* nodes; -1 for the image, or none */
  int in_h, in_w, in_c;
  int full_h, full_w; /* of the sums, before a max pool */
  int h, w, c;
  int side, stride, border, pool;  /* side: of the kernel or of the averaged window */
  int residual, bends, thresholds; /* bends: RPReLU; thresholds: RSign */
  int bits, emits; /* whether a convolution reads its signs; whether it is the network's last */
  int shift;       /* of the sums of 8-bit weights; negative where the weights are binary */
} rbnn_node;

typedef struct {
  int samples, blocks, threads, count;
  const rbnn_node *nodes;
} rbnn_network;

/* A task's values for one node; what the node does not have is NULL. Gradients have the same shape:
 * `factor` has none. */
typedef struct {
  const int8_t *stored; /* rbnn_store_signs of the latent kernel, [side][side][in_c][c]; or its
                           8-bit weights */
  const int8_t *factor; /* -1 and +1, as stored; NULL for +1 */
  const float *gamma, *beta, *point, *slope, *offset, *threshold; /* [c] */
} rbnn_values;

typedef struct {
  float *latent, *gamma, *beta, *point, *slope, *offset, *threshold;
} rbnn_gradients;

/* What a node's forward pass leaves for its backward pass. */
typedef struct {
  int16_t *full, *sums, *stream;
  uint8_t *chosen;   /* which of the pool's sums is the largest */
  rbnn_bf16 *signs;  /* the field that the next convolution reads */
  uint32_t *columns; /* the same signs, [block][row][column][channel], one bit a sample: 1 for -1 */
  float *mean, *factor; /* of batch norm: x = (sum - mean) * factor */
} rbnn_record;

/* What a node's backward pass needs. */
typedef struct {
  rbnn_bf16 *of_signs, *of_stream, *of_inner, *of_sums, *of_full;
} rbnn_flow;

static inline float rbnn_widen(rbnn_bf16 half)
{
  const uint32_t bits = (uint32_t)half << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* To the nearest, ties to even; NaN does not occur. */
static inline rbnn_bf16 rbnn_narrow(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (rbnn_bf16)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static inline int rbnn_valid(const rbnn_network *network, int block)
{
  const int left = network->samples - block * RBNN_BLOCK;
  return left < RBNN_BLOCK ? left : RBNN_BLOCK;
}

static inline size_t rbnn_field(const rbnn_network *network, int h, int w, int c)
{
  return (size_t)network->blocks * h * w * RBNN_BLOCK * c;
}

/* parallel.c: calls run(context, part) for each part, in any order, on threads that are idle. The
 * caller takes parts too and never waits for a thread that has not begun one. */
void rbnn_parallel(int parts, int threads, void (*run)(void *context, int part), void *context);
void rbnn_enter(void); /* around everything that calls rbnn_parallel */
void rbnn_leave(void);

/* memory.c: buffers that are kept from step to step, for their pages cost as much as the sums.
 * Without memory the process ends, as it does where TensorFlow has none. */
void *rbnn_borrow(size_t bytes);
void rbnn_give_back(void *buffer);

/* tiles.c: out[32][32] = sum over steps of a[step] (32 rows of `depth`) times b[step] (two tiles of
 * `depth` rows by 16 columns, pairs of rows interleaved, `depth` * 16 values each). */
typedef struct {
  int steps, depth; /* depth: 16 or 32 */
  const rbnn_bf16 *const *a;
  size_t a_row; /* values from one row to the next */
  const rbnn_bf16 *const *b;
  size_t a_first, b_first;     /* added to each of the pointers */
  int row_tiles, column_tiles; /* 1 or 2 */
} rbnn_product;
bool rbnn_prepare_tiles(void);
void rbnn_begin_tiles(int depth);
void rbnn_multiply(const rbnn_product *product, float *out);
void rbnn_end_tiles(void);

/* convolution.c */
static inline int rbnn_depth(int channels)
{
  return channels % 32 ? 16 : 32;
}
size_t rbnn_packed_values(const rbnn_node *node);
void rbnn_pack(const rbnn_network *network, const rbnn_node *node, const rbnn_values *values,
               bool transposed, rbnn_bf16 *packed);
void rbnn_convolve(const rbnn_network *network, const rbnn_node *node, const rbnn_bf16 *signs,
                   const rbnn_bf16 *packed, int16_t *sums);
void rbnn_convolve_back(const rbnn_network *network, const rbnn_node *node,
                        const rbnn_bf16 *of_sums, const rbnn_bf16 *packed, rbnn_bf16 *of_signs);

/* kernel_gradient.c */
void rbnn_kernel_gradient(const rbnn_network *network, const rbnn_node *node,
                          const uint32_t *columns, const rbnn_bf16 *of_sums,
                          const rbnn_values *values, float *of_latent);
/* The signs of latent values, 0 a positive one; times two where their estimator lets no gradient
 * pass, outside [-1, 1]. */
void rbnn_store_signs(size_t count, const float *latent, int8_t *stored);
/* Multiply what came to a kernel with the factor, and let pass what the sign's estimator does. */
void rbnn_to_latent(const rbnn_values *values, size_t first, size_t count, float *gradient);

/* stem.c */
void rbnn_stem(const rbnn_network *network, const rbnn_node *node, const float *images,
               const rbnn_values *values, int16_t *sums, uint8_t *chosen);
void rbnn_stem_gradient(const rbnn_network *network, const rbnn_node *node, const float *images,
                        const uint8_t *chosen, const rbnn_bf16 *of_sums, const rbnn_values *values,
                        float *of_latent);

/* pool.c */
void rbnn_max_pool(const rbnn_network *network, const rbnn_node *node, const rbnn_record *record);
void rbnn_max_pool_back(const rbnn_network *network, const rbnn_node *node, const uint8_t *chosen,
                        const rbnn_bf16 *of_sums, rbnn_bf16 *of_full);
void rbnn_average(const rbnn_network *network, const rbnn_node *node, const int16_t *source,
                  int16_t *stream);
void rbnn_average_back(const rbnn_network *network, const rbnn_node *node,
                       const rbnn_bf16 *of_stream, rbnn_bf16 *of_source);

/* stage.c, stage_back.c; the shortcut has `shortcut_c` channels. */
void rbnn_stage(const rbnn_network *network, const rbnn_node *node, const rbnn_values *values,
                const int16_t *shortcut, int shortcut_c, const rbnn_record *record);
void rbnn_stage_back(const rbnn_network *network, const rbnn_node *node, const rbnn_values *values,
                     const int16_t *shortcut, int shortcut_c, const rbnn_record *record,
                     const rbnn_flow *flow, rbnn_bf16 *of_shortcut, rbnn_gradients *gradients);

/* emit.c: from the last node to floats [sample][row][column][channel] and back. */
void rbnn_emit(const rbnn_network *network, const rbnn_node *node, const rbnn_values *values,
               const rbnn_record *record, float *features);
void rbnn_emit_back(const rbnn_network *network, const rbnn_node *node, const float *of_features,
                    rbnn_bf16 *field);

/* network.c */
size_t rbnn_record_bytes(const rbnn_network *network);
void rbnn_forward(const rbnn_network *network, const float *images, const rbnn_values *values,
                  uint8_t *memory, float *features);
void rbnn_backward(const rbnn_network *network, const float *images, const rbnn_values *values,
                   uint8_t *memory, const float *of_features, rbnn_gradients *gradients);

/* adam.c: one step of Adam over one variable, clipped to [-1, 1] where asked. */
void rbnn_adam(size_t count, const float *value, const float *gradient, const float *momentum,
               const float *velocity, const float rates[4], bool clip, float *new_value,
               float *new_momentum, float *new_velocity);

#endif
