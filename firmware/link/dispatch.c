/* SPDX-License-Identifier: Apache-2.0 */
/* From a line to its handler, by the table that the specification generates. */
#include <stddef.h>
#include <string.h>

#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"
#include "spec/target.h"

/* Of every command its word and its text, one zero-terminated string after the other: pointers to
 * them would take more room than their bytes. A text begins with a space if the command has
 * arguments, which come first in it. */
#define STRINGS(word, arguments, text) #word "\0" text "\0"
static const char strings[] = RBNN_COMMAND_LIST(STRINGS)
#if RBNN_DEVELOPMENT
    RBNN_DEVELOPMENT_COMMAND_LIST(STRINGS)
#endif
#if RBNN_AUDIO
        RBNN_AUDIO_COMMAND_LIST(STRINGS)
#endif
#if RBNN_PARTITION
            RBNN_PARTITION_COMMAND_LIST(STRINGS)
#endif
    ;
#undef STRINGS

/* In the same order. */
#define HANDLER(word, arguments, text) rbnn_link_##word,
static rbnn_status (*const handlers[])(rbnn_link *link, const char *words) = {
    RBNN_COMMAND_LIST(HANDLER)
#if RBNN_DEVELOPMENT
        RBNN_DEVELOPMENT_COMMAND_LIST(HANDLER)
#endif
#if RBNN_AUDIO
            RBNN_AUDIO_COMMAND_LIST(HANDLER)
#endif
#if RBNN_PARTITION
                RBNN_PARTITION_COMMAND_LIST(HANDLER)
#endif
};
#undef HANDLER
#define COMMAND_COUNT (sizeof handlers / sizeof handlers[0])

/* Of every failure, in the order of their codes from -1 on. */
#define LINE(code, name, line) line "\0"
static const char lines[] = RBNN_STATUS_LIST(LINE)
#if RBNN_PARTITION
    RBNN_PARTITION_STATUS_LIST(LINE)
#endif
    ;
#undef LINE
#define PLACE(code, name, line) place_of_##code,
enum { place_of_RBNN_OK, RBNN_STATUS_LIST(PLACE) RBNN_PARTITION_STATUS_LIST(PLACE) };
#undef PLACE
#define CHECK(code, name, line) \
  _Static_assert((int)place_of_##code == -(int)code, "no code is left out");
RBNN_STATUS_LIST(CHECK)
RBNN_PARTITION_STATUS_LIST(CHECK)
#undef CHECK

/* The string after this one. */
static const char *next(const char *string)
{
  return string + strlen(string) + 1u;
}

void rbnn_link_print_error(const rbnn_link *link, rbnn_status status)
{
  const char *line = lines;
  for (int32_t i = -1; i > (int32_t)status; i--) line = next(line);
  rbnn_print("e-[");
  rbnn_print_packed(line);
  if (status == RBNN_CONTAINER_LAYER) {
    rbnn_print(": layer ");
    rbnn_print_number(link->device->bad_layer);
  }
  if (status == RBNN_BUFFER_INCOMPLETE && link->input_wanted != 0) {
    rbnn_print(": expected ");
    rbnn_print_number(link->input_wanted);
    rbnn_print(" bytes, received ");
    rbnn_print_number(link->input_bytes);
  }
  rbnn_print_close();
}

void rbnn_link_dispatch(rbnn_link *link, const char *line)
{
  rbnn_status status = RBNN_UNKNOWN_COMMAND;
  link->input_wanted = 0;
  while (*line == ' ') line++;
  const char *word = strings;
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    const char *words = line;
    const char *const text = next(word);
    if (rbnn_words_take(&words, word)) {
      /* A word without arguments takes none: `lock door` is a mistake, not a lock. */
      status = *text != ' ' && *words != 0 ? RBNN_ARGUMENT : handlers[i](link, words);
      break;
    }
    word = next(text);
  }
  if (status != RBNN_OK) rbnn_link_print_error(link, status);
}

rbnn_status rbnn_link_help(rbnn_link *link, const char *words)
{
  (void)link;
  (void)words;
  const char *word = strings;
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    const char *const text = next(word);
    rbnn_print("m-help-[");
    rbnn_print(word);
    if (*text != ' ') rbnn_print(": ");
    rbnn_print_packed(text);
    rbnn_print_close();
    word = next(text);
  }
  return RBNN_OK;
}
