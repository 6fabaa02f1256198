/* SPDX-License-Identifier: Apache-2.0 */
/* A library whose model comes from a file: `apart_main KEY FILE...`. For each file: what the check
 * and the start say, and the name of the first task. */
#include <stdio.h>
#include <stdlib.h>

#include "rbnn.h"

#define MOST 1000000u

static rbnn_context context;
static uint32_t memory[RBNN_MEMORY_BYTES / 4u];

int main(int count, char **arguments)
{
  static _Alignas(16) uint8_t model[MOST];
  uint8_t key[RBNN_KEY_BYTES];
  for (unsigned i = 0; i < sizeof key; i++) {
    const char digits[3] = {arguments[1][2u * i], arguments[1][2u * i + 1u], 0};
    key[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  for (int i = 2; i < count; i++) {
    rbnn_setup setup = {.memory = memory, .memory_bytes = sizeof memory};
    FILE *const file = fopen(arguments[i], "rb");
    if (file == NULL) return 2;
    const size_t bytes = fread(model, 1, MOST, file);
    fclose(file);
    const int checked =
        rbnn_check_model(model, (uint32_t)bytes, key, &setup.model, &setup.model_bytes);
    const int started = rbnn_start(&context, &setup);
    const char *const name = rbnn_task_name(&context, 0);
    printf("%d %d %s\n", checked, started, name == NULL ? "-" : name);
    rbnn_stop(&context);
  }
  return 0;
}
