/* SPDX-License-Identifier: Apache-2.0 */
/* The standard layers of rbnn/bench/layers.py for the kernels of other engines: shapes, values,
 * expected results, and the counter that they are measured with. */
#ifndef STANDARD_H
#define STANDARD_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The convolutions have stride 1 and a padding of one; a dense layer is a window of 1 on one pixel.
 */
typedef struct {
  const char *name;
  int side, inputs, outputs, window;
} standard_layer;

enum { CONV_A, CONV_B, DENSE, STEM, LAYERS };
extern const standard_layer standard[LAYERS];

/* Largest of all layers, in values. */
enum { MOST_INPUT = 16384, MOST_WEIGHTS = 262144, MOST_OUTPUT = 65536, MOST_FILTERS = 256 };

/* Input channel c at (y, x), and weight of filter k: of any sign, one byte. What is binary takes
 * the sign. */
int input_at(const standard_layer *layer, int y, int x, int c);
int weight_at(const standard_layer *layer, int k, int ky, int kx, int c);
/* Of the stem: 1 to 255, as one of the engines does not multiply by zero. */
int pixel_at(const standard_layer *layer, int y, int x, int c);

typedef struct {
  int (*input)(const standard_layer *layer, int y, int x, int c);
  bool binary_input, binary_weights;
  int outside; /* a value of the padding */
} arithmetic;

/* The sum of filter k at (y, x). */
int sum_at(const standard_layer *layer, const arithmetic *how, int y, int x, int k);

/* Bits of all inputs or weights, channels first, 32 a word; the first one lowest, or highest. */
void pack_input(const standard_layer *layer, uint32_t *words, bool first_highest);
void pack_weights(const standard_layer *layer, uint32_t *words, bool first_highest);
bool bit_of(const uint32_t *words, int number, bool first_highest);

/* What the output of filter k at (y, x) is: a bit, or a value. */
typedef int (*output_at)(const standard_layer *layer, int y, int x, int k);

/* Run a kernel once, and print its name, the layer's, the counts, and whether the outputs are as
 * expected (sums that are compared with zero, or what expected returns). */
void measure(const standard_layer *layer, const char *kernel,
             void (*run)(const standard_layer *layer), output_at found, output_at expected);

/* The engine's kernels, one after another. */
void measure_engine(void);

#ifdef __cplusplus
}
#endif

#endif
