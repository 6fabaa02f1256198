/* SPDX-License-Identifier: Apache-2.0 */
/* One handler per word of the grammar. `arguments` is what follows the word and its spaces,
 * zero-terminated. A handler prints its answer lines; the dispatcher prints `e-[...]` for any
 * status but RBNN_OK, and m-ready after both. */
#ifndef RBNN_LINK_COMMANDS_H
#define RBNN_LINK_COMMANDS_H

#include "link/link.h"

#define RBNN_DECLARE(word, arguments, text) \
  rbnn_status rbnn_link_##word(rbnn_link *link, const char *words);
RBNN_COMMAND_LIST(RBNN_DECLARE)
#undef RBNN_DECLARE

/* Answer one zero-terminated line. */
void rbnn_link_dispatch(rbnn_link *link, const char *line);

/* Print `e-[name: text]`; of RBNN_CONTAINER_LAYER, with the layer behind the text. */
void rbnn_link_print_error(const rbnn_link *link, rbnn_status status);

/* Print `m-results-[...]` from the link's scores. */
void rbnn_link_print_results(const rbnn_link *link);

/* Wipe what the active task left in RAM: keys, parameters, tables, activations, scores. */
void rbnn_link_leave_task(rbnn_link *link);

/* Print `m-public-[...]`. */
void rbnn_link_print_public(const rbnn_link *link);

#endif
