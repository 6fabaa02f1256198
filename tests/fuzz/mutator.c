/* SPDX-License-Identifier: Apache-2.0 */
/* In place of libFuzzer where the compiler has none: changes the examples at random, knows nothing
 * of coverage, takes the same options (-runs, -max_total_time, -max_len, -seed, -artifact_prefix)
 * and folders of examples, or files to run once. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MOST_EXAMPLES 4096u
#define MOST_CHANGES 6u
#define MOST_CHUNK 64u

typedef struct {
  uint8_t *bytes;
  size_t size;
} example;

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void));

static example examples[MOST_EXAMPLES];
static size_t example_count;
static uint8_t *input;
static size_t input_bytes;
static const char *prefix = "./";
static uint64_t state = 1;

static uint32_t random_below(uint32_t limit)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(((state >> 32) * limit) >> 32);
}

/* The input that stopped the program. */
static void keep_input(void)
{
  char path[4096];
  snprintf(path, sizeof path, "%scrash-%016llx", prefix, (unsigned long long)state);
  FILE *const file = fopen(path, "wb");
  if (file == NULL) return;
  fwrite(input, 1, input_bytes, file);
  fclose(file);
  fprintf(stderr, "Test unit written to %s\n", path);
}

static void on_abort(int number)
{
  (void)number;
  keep_input();
  _Exit(77);
}

static void read_example(const char *path)
{
  FILE *const file = fopen(path, "rb");
  if (file == NULL || example_count == MOST_EXAMPLES) exit(2);
  fseek(file, 0, SEEK_END);
  example *const one = &examples[example_count++];
  one->size = (size_t)ftell(file);
  rewind(file);
  one->bytes = malloc(one->size + 1u);
  if (one->bytes == NULL || fread(one->bytes, 1, one->size, file) != one->size) exit(2);
  fclose(file);
}

static void read_folder(const char *folder)
{
  char path[4096];
  DIR *const opened = opendir(folder);
  if (opened == NULL) exit(2);
  for (struct dirent *entry; (entry = readdir(opened)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    read_example(path);
  }
  closedir(opened);
}

static void change(size_t capacity)
{
  static const uint32_t words[] = {0, 1, 4, 255, 0x7fffffffu, 0x80000000u, 0xffffffffu};
  uint8_t chunk[MOST_CHUNK];
  const size_t near = random_below(2) != 0u && input_bytes > 160u ? 160u : input_bytes;
  const size_t at = near != 0u ? random_below((uint32_t)near) : 0u;
  size_t size = 1u + random_below(MOST_CHUNK);
  if (size > input_bytes - at) size = input_bytes - at;
  switch (input_bytes != 0u ? random_below(6) : 5u) {
    case 0: input[at] ^= (uint8_t)(1u << random_below(8)); break;
    case 1: input[at] = (uint8_t)random_below(256); break;
    case 2:
      if (at + 4u <= input_bytes) memcpy(input + at, &words[random_below(7)], 4);
      break;
    case 3: /* cut out */
      memmove(input + at, input + at + size, input_bytes - at - size);
      input_bytes -= size;
      break;
    case 4: /* repeat */
      if (input_bytes + size > capacity) break;
      memcpy(chunk, input + at, size);
      memmove(input + at + size, input + at, input_bytes - at);
      memcpy(input + at, chunk, size);
      input_bytes += size;
      break;
    default: { /* go on with a part of another example */
      const example *const other = &examples[random_below((uint32_t)example_count)];
      const size_t from = other->size != 0u ? random_below((uint32_t)other->size) : 0u;
      size_t rest = other->size - from;
      if (rest > capacity - at) rest = capacity - at;
      memcpy(input + at, other->bytes + from, rest);
      input_bytes = at + rest;
    }
  }
}

static void run_examples(void)
{
  for (size_t i = 0; i < example_count; i++) {
    input_bytes = examples[i].size;
    memcpy(input, examples[i].bytes, input_bytes);
    (void)LLVMFuzzerTestOneInput(input, input_bytes);
  }
}

int main(int count, char **arguments)
{
  unsigned long long runs = UINT64_MAX, done = 0, seconds = UINT64_MAX, length = 65536, seed = 1;
  int folders = 0;
  struct stat found;
  (void)LLVMFuzzerInitialize(&count, &arguments);
  for (int i = 1; i < count; i++) {
    const char *const word = arguments[i];
    if (strncmp(word, "-artifact_prefix=", 17) == 0) {
      prefix = word + 17;
    } else if (sscanf(word, "-runs=%llu", &runs) == 1 || word[0] != '-') {
      if (word[0] == '-') continue;
      if (stat(word, &found) != 0) exit(2);
      if (S_ISDIR(found.st_mode)) {
        read_folder(word);
        folders++;
      } else {
        read_example(word);
      }
    } else if (sscanf(word, "-max_total_time=%llu", &seconds) == 1 ||
               sscanf(word, "-max_len=%llu", &length) == 1 ||
               sscanf(word, "-seed=%llu", &seed) == 1) {
      continue;
    }
  }
  for (size_t i = 0; i < example_count; i++) {
    if (examples[i].size > length) length = examples[i].size;
  }
  input = malloc(length + 1u);
  if (input == NULL || example_count == 0u) return 2;
  state = seed * 0x9e3779b97f4a7c15u + 1u;
  signal(SIGABRT, on_abort);
  __sanitizer_set_death_callback(keep_input);
  run_examples();
  const time_t start = time(NULL);
  while (folders > 0 && done < runs &&
         ((done & 63u) != 0u || (unsigned long long)(time(NULL) - start) < seconds)) {
    const example *const one = &examples[random_below((uint32_t)example_count)];
    input_bytes = one->size;
    memcpy(input, one->bytes, input_bytes);
    for (uint32_t i = 1u + random_below(MOST_CHANGES); i > 0u; i--) change(length);
    (void)LLVMFuzzerTestOneInput(input, input_bytes);
    done++;
  }
  fprintf(stderr, "stat::number_of_executed_units: %llu\n", done + example_count);
  return 0;
}
