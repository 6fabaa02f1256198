/* SPDX-License-Identifier: Apache-2.0 */
/* From a line to its handler, by the table that the specification generates. */
#include <stddef.h>

#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"
#include "spec/target.h"

typedef struct {
  const char *word;
  const char *arguments;
  const char *text;
  rbnn_status (*serve)(rbnn_link *link, const char *words);
} command;

#define COMMAND(word, arguments, text) {#word, arguments, text, rbnn_link_##word},
static const command commands[] = {RBNN_COMMAND_LIST(COMMAND)
#if RBNN_DEVELOPMENT
                                       RBNN_DEVELOPMENT_COMMAND_LIST(COMMAND)
#endif
};
#undef COMMAND
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* By failure, as a number above zero. */
#define STATUS(code, name, line) [-(int)(code)] = line,
static const char *const texts[] = {RBNN_STATUS_LIST(STATUS)};
#undef STATUS

void rbnn_link_print_error(const rbnn_link *link, rbnn_status status)
{
  rbnn_print("e-[");
  rbnn_print_packed(texts[-(int)status]);
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
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    const char *words = line;
    if (!rbnn_words_take(&words, commands[i].word)) continue;
    /* A word without arguments takes none: `lock door` is a mistake, not a lock. */
    status = commands[i].arguments[0] == 0 && *words != 0 ? RBNN_ARGUMENT
                                                          : commands[i].serve(link, words);
    break;
  }
  if (status != RBNN_OK) rbnn_link_print_error(link, status);
}

rbnn_status rbnn_link_help(rbnn_link *link, const char *words)
{
  (void)link;
  (void)words;
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    rbnn_print("m-help-[");
    rbnn_print(commands[i].word);
    if (commands[i].arguments[0] != 0) rbnn_print(" ");
    rbnn_print(commands[i].arguments);
    rbnn_print(": ");
    rbnn_print_packed(commands[i].text);
    rbnn_print_close();
  }
  return RBNN_OK;
}
