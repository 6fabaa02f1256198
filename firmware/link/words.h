/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the arguments of a command. */
#ifndef RBNN_LINK_WORDS_H
#define RBNN_LINK_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* Take one decimal number and the spaces after it. False, with `*words` and `*number` as they
 * were, when there is none or it does not fit 32 bits. */
bool rbnn_words_number(const char **words, uint32_t *number);

/* Whether the first word is `word`; if so, skip it and the spaces after it. */
bool rbnn_words_take(const char **words, const char *word);

/* Decode `bytes` bytes from exactly that many pairs of hex digits at `text`; nothing is read
 * after them. False when one is no hex digit; then `data` is undefined. Constant time for valid
 * digits (keys pass through here). */
bool rbnn_words_hex(const char *text, uint8_t *data, uint32_t bytes);

#endif
