/* SPDX-License-Identifier: Apache-2.0 */
#include "standard.h"

#include <stddef.h>
#include <stdio.h>

/* CMSDK timer 0 of the MPS2 boards, counting down on the 25 MHz clock. */
#define TIMER_CTRL (*(volatile uint32_t *)0x40000000u)
#define TIMER_VALUE (*(volatile uint32_t *)0x40000004u)
#define TIMER_RELOAD (*(volatile uint32_t *)0x40000008u)
#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CPACR_FPU (0xFu << 20)
#define STACK_TOP 0x20400000u
#define LOOP_ROUNDS 1000000u

const standard_layer standard[LAYERS] = {
    [CONV_A] = {"conv_a", 16, 64, 64, 3},
    [CONV_B] = {"conv_b", 8, 128, 128, 3},
    [DENSE] = {"dense", 1, 1024, 256, 1},
    [STEM] = {"stem", 32, 3, 64, 3},
};

static int scattered(uint32_t number)
{
  number = (number + 1) * 2654435761u;
  number ^= number >> 15;
  number *= 2246822519u;
  return (int8_t)(number >> 24);
}

int input_at(const standard_layer *layer, int y, int x, int c)
{
  return scattered((uint32_t)((y * layer->side + x) * layer->inputs + c));
}

int pixel_at(const standard_layer *layer, int y, int x, int c)
{
  return (input_at(layer, y, x, c) & 0xFF) | 1;
}

int weight_at(const standard_layer *layer, int k, int ky, int kx, int c)
{
  return scattered((uint32_t)(((k * layer->window + ky) * layer->window + kx) * layer->inputs + c) +
                   0x10000u);
}

static int sign(int value)
{
  return value < 0 ? -1 : 1;
}

int sum_at(const standard_layer *layer, const arithmetic *how, int y, int x, int k)
{
  const int pad = layer->window / 2;
  int sum = 0;
  for (int ky = 0; ky < layer->window; ky++) {
    for (int kx = 0; kx < layer->window; kx++) {
      const int row = y + ky - pad;
      const int column = x + kx - pad;
      const bool inside = row >= 0 && row < layer->side && column >= 0 && column < layer->side;
      for (int c = 0; c < layer->inputs; c++) {
        const int weight = weight_at(layer, k, ky, kx, c);
        const int value = inside ? how->input(layer, row, column, c) : how->outside;
        sum += (how->binary_weights ? sign(weight) : weight) *
               (inside && how->binary_input ? sign(value) : value);
      }
    }
  }
  return sum;
}

static void set(uint32_t *words, int number, bool value, bool first_highest)
{
  const uint32_t bit = 1u << (first_highest ? 31 - number % 32 : number % 32);
  if (value) {
    words[number / 32] |= bit;
  } else {
    words[number / 32] &= ~bit;
  }
}

bool bit_of(const uint32_t *words, int number, bool first_highest)
{
  return words[number / 32] >> (first_highest ? 31 - number % 32 : number % 32) & 1;
}

void pack_input(const standard_layer *layer, uint32_t *words, bool first_highest)
{
  int number = 0;
  for (int y = 0; y < layer->side; y++) {
    for (int x = 0; x < layer->side; x++) {
      for (int c = 0; c < layer->inputs; c++) {
        set(words, number++, input_at(layer, y, x, c) >= 0, first_highest);
      }
    }
  }
}

void pack_weights(const standard_layer *layer, uint32_t *words, bool first_highest)
{
  int number = 0;
  for (int k = 0; k < layer->outputs; k++) {
    for (int ky = 0; ky < layer->window; ky++) {
      for (int kx = 0; kx < layer->window; kx++) {
        for (int c = 0; c < layer->inputs; c++) {
          set(words, number++, weight_at(layer, k, ky, kx, c) >= 0, first_highest);
        }
      }
    }
  }
}

/* One filter of every position, another one each time. */
static bool right(const standard_layer *layer, output_at found, output_at expected)
{
  int k = 0;
  for (int y = 0; y < layer->side; y++) {
    for (int x = 0; x < layer->side; x++) {
      for (int i = 0; i < (layer->side == 1 ? layer->outputs : 1); i++) {
        if (found(layer, y, x, k) != expected(layer, y, x, k)) return false;
        k = (k + 13) % layer->outputs;
      }
    }
  }
  return true;
}

void measure(const standard_layer *layer, const char *kernel,
             void (*run)(const standard_layer *layer), output_at found, output_at expected)
{
  const uint32_t begin = TIMER_VALUE;
  run(layer);
  const uint32_t counts = begin - TIMER_VALUE;
  printf("%s %s %lu %s\n", kernel, layer->name, (unsigned long)counts,
         right(layer, found, expected) ? "right" : "wrong");
}

static void loop(const standard_layer *layer)
{
  uint32_t rounds = LOOP_ROUNDS;
  (void)layer;
  __asm volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(rounds)::"cc");
}

static int nothing(const standard_layer *layer, int y, int x, int k)
{
  (void)layer;
  return y & x & k & 0;
}

int main(void)
{
  TIMER_RELOAD = UINT32_MAX;
  TIMER_VALUE = UINT32_MAX;
  TIMER_CTRL = 1;
  measure(&standard[DENSE], "loop", loop, nothing, nothing);
  measure_engine();
  return 0;
}

extern void _start(void);

static void reset(void)
{
  CPACR |= CPACR_FPU;
  __asm volatile("dsb\n isb" ::: "memory");
  _start();
}

static void fault(void)
{
  for (;;) {}
}

__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    (void (*)(void))STACK_TOP,
    reset,
    fault,
    fault,
};
