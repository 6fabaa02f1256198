/* SPDX-License-Identifier: Apache-2.0 */
#include "link/words.h"

#include <string.h>

bool rbnn_words_number(const char **words, uint32_t *number)
{
  const char *at = *words;
  uint32_t value = 0;
  do {
    if (*at < '0' || *at > '9') return false;
    const uint32_t digit = (uint32_t)(*at++ - '0');
    if (value > (UINT32_MAX - digit) / 10u) return false;
    value = value * 10u + digit;
  } while (*at != ' ' && *at != 0);
  while (*at == ' ') at++;
  *words = at;
  *number = value;
  return true;
}

bool rbnn_words_take(const char **words, const char *word)
{
  const size_t size = strlen(word);
  if (strncmp(*words, word, size) != 0) return false;
  const char *at = *words + size;
  if (*at != ' ' && *at != 0) return false;
  while (*at == ' ') at++;
  *words = at;
  return true;
}

/* All ones when low <= value <= high, for values below 256. */
static uint32_t between(uint32_t value, uint32_t low, uint32_t high)
{
  return (((value - low) | (high - value)) >> 31) - 1u;
}

bool rbnn_words_hex(const char *text, uint8_t *data, uint32_t bytes)
{
  uint32_t valid = UINT32_MAX;
  for (uint32_t i = 0; i < bytes; i++) {
    uint32_t value = 0;
    for (uint32_t j = 0; j < 2; j++) {
      const uint32_t digit = (uint8_t)text[2u * i + j];
      const uint32_t lower = digit | 0x20u;
      const uint32_t decimal = between(digit, '0', '9');
      const uint32_t letter = between(lower, 'a', 'f');
      valid &= decimal | letter;
      value = (value << 4) | ((digit - '0') & decimal) | ((lower - 'a' + 10u) & letter);
    }
    data[i] = (uint8_t)value;
  }
  return valid != 0;
}
