/* SPDX-License-Identifier: Apache-2.0 */
/* The C library's functions over strings, small: the library's own are made for long strings and
 * take five times the flash. Here they see names, commands and answers, and copies of records: what
 * layers copy has a fixed size, which the compiler copies in place. */
#include <stdint.h>
#include <string.h>

/* Or the compiler finds that strlen's loop is a call of strlen. */
#define AS_WRITTEN __attribute__((optimize("no-tree-loop-distribute-patterns")))

AS_WRITTEN size_t strlen(const char *text)
{
  const char *end = text;
  while (*end != 0) end++;
  return (size_t)(end - text);
}

AS_WRITTEN int strncmp(const char *a, const char *b, size_t size)
{
  for (; size > 0; size--, a++, b++) {
    if (*a != *b || *a == 0) return (unsigned char)*a - (unsigned char)*b;
  }
  return 0;
}

AS_WRITTEN int memcmp(const void *a, const void *b, size_t size)
{
  const unsigned char *x = a, *y = b;
  for (; size > 0; size--, x++, y++) {
    if (*x != *y) return *x - *y;
  }
  return 0;
}

AS_WRITTEN void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
  uint8_t *x = to;
  const uint8_t *y = from;
  /* Word by word, at any address: the cores that we build for can. */
  for (; size >= 4; size -= 4, x += 4, y += 4) *(uint32_t *)x = *(const uint32_t *)y;
  for (; size > 0; size--) *x++ = *y++;
  return to;
}
