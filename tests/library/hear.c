/* SPDX-License-Identifier: Apache-2.0 */
/* A device that hears: hear FOLDER LICENCE_KEY BLOCK THRESHOLD < samples. In FOLDER: fingerprint,
 * partition, licence. Prints each detection, then how many samples it took. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rbnn.h"

static rbnn_context context;
static rbnn_listener listener;
static uint32_t memory[RBNN_MEMORY_BYTES / 4u];
static uint8_t fingerprint[RBNN_FINGERPRINT_BYTES], partition[RBNN_PARTITION_BYTES];
static uint8_t licence[RBNN_LICENCE_BYTES];

static void read_file(const char *folder, const char *name, uint8_t *bytes, size_t size)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *const file = fopen(path, "rb");
  if (file == NULL || fread(bytes, size, 1, file) != 1) exit(2);
  fclose(file);
}

static void say(const char *what, rbnn_status status)
{
  printf("%s %d\n", what, (int)status);
}

int main(int count, char **words)
{
  static int16_t samples[4096];
  uint8_t key[RBNN_KEY_BYTES];
  rbnn_detection found;
  uint32_t taken = 0;
  unsigned long total = 0;
  if (count != 5) return 2;
  read_file(words[1], "fingerprint", fingerprint, sizeof fingerprint);
  read_file(words[1], "partition", partition, sizeof partition);
  read_file(words[1], "licence", licence, sizeof licence);
  for (uint32_t i = 0; i < RBNN_KEY_BYTES; i++) {
    unsigned int byte = 0;
    if (sscanf(words[2] + 2u * i, "%2x", &byte) != 1) return 2;
    key[i] = (uint8_t)byte;
  }
  const rbnn_setup setup = {.memory = memory,
                            .memory_bytes = sizeof memory,
                            .fingerprint = fingerprint,
                            .partition = partition,
                            .partition_bytes = sizeof partition,
                            .listener = &listener};
  say("start", rbnn_start(&context, &setup));
  say("add", rbnn_add_licence(&context, licence));
  say("no task", rbnn_hear(&context, samples, 1, &taken, &found));
  say("unlock", rbnn_unlock(&context, 0, key));
  say("switch", rbnn_switch(&context, 0));
  say("threshold 0", rbnn_listen(&context, 0));
  say("listen", rbnn_listen(&context, (uint32_t)strtoul(words[4], NULL, 10)));
  const uint32_t block = (uint32_t)strtoul(words[3], NULL, 10);
  for (uint32_t left; (left = (uint32_t)fread(samples, 2, block, stdin)) > 0;) {
    for (const int16_t *next = samples; left > 0; next += taken, left -= taken) {
      const rbnn_status status = rbnn_hear(&context, next, left, &taken, &found);
      if (status != RBNN_OK) return 3;
      total += taken;
      if (found.class_number >= 0)
        printf("%s %lu %lu\n", rbnn_label(&context, (uint32_t)found.class_number),
               (unsigned long)found.first_sample, (unsigned long)found.score);
    }
  }
  rbnn_lock(&context);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < sizeof listener; i++) kept += ((const uint8_t *)&listener)[i] != 0u;
  printf("%lu samples, %lu bytes kept\n", total, (unsigned long)kept);
  return 0;
}
