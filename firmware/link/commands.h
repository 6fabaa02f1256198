/* SPDX-License-Identifier: Apache-2.0 */
/* One handler a word of the grammar. `words` is what follows that word and its spaces,
 * zero-terminated. A handler prints its answer lines. The dispatcher prints `e-[...]` for any
 * status but RBNN_OK; m-ready ends the line's answer in line.c. */
#ifndef RBNN_LINK_COMMANDS_H
#define RBNN_LINK_COMMANDS_H

#include "link/link.h"

#define RBNN_DECLARE(word, arguments, text) \
  rbnn_status rbnn_link_##word(rbnn_link *link, const char *words);
RBNN_COMMAND_LIST(RBNN_DECLARE)
RBNN_DEVELOPMENT_COMMAND_LIST(RBNN_DECLARE)
RBNN_AUDIO_COMMAND_LIST(RBNN_DECLARE)
RBNN_PARTITION_COMMAND_LIST(RBNN_DECLARE)
#undef RBNN_DECLARE

/* Answer one zero-terminated line. */
void rbnn_link_dispatch(rbnn_link *link, const char *line);

/* Read `TASK HEX`: the name of a task, which may have spaces, and 64 hex digits. RBNN_ARGUMENT,
 * RBNN_UNKNOWN_TASK, or why there is no model. */
rbnn_status rbnn_link_take_task(const rbnn_link *link, const char *words, uint32_t *task,
                                uint8_t bytes[RBNN_KEY_BYTES]);

/* Empty the buffer: what was loaded before a refused load must not be taken for the new input. */
void rbnn_link_drop_input(rbnn_link *link);

/* Empty the buffer, and wipe it. */
void rbnn_link_forget_input(rbnn_link *link);

/* Check that the buffer holds `bytes` bytes and all that was announced. RBNN_BUFFER_INCOMPLETE. */
rbnn_status rbnn_link_check_input(rbnn_link *link, uint32_t bytes);

/* Print `e-[name: text]`; of RBNN_CONTAINER_LAYER, with the layer after the text, and of
 * RBNN_BUFFER_INCOMPLETE, with the bytes that were expected and received. */
void rbnn_link_print_error(const rbnn_link *link, rbnn_status status);

#endif
