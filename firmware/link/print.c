/* SPDX-License-Identifier: Apache-2.0 */
#include "link/print.h"

#include <string.h>

#include "core/divide.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"

static const char digits[] = "0123456789abcdef";

void rbnn_print(const char *text)
{
  rbnn_port_write(text, (uint32_t)strlen(text));
}

/* A byte of a packed text: itself, or the two that it stands for. */
static void print_byte(uint8_t byte)
{
  static const uint8_t pairs[][2] = RBNN_PACKED_PAIRS;
  if (byte < RBNN_PACKED_FIRST) {
    rbnn_port_write((const char *)&byte, 1);
    return;
  }
  print_byte(pairs[byte - RBNN_PACKED_FIRST][0]);
  print_byte(pairs[byte - RBNN_PACKED_FIRST][1]);
}

void rbnn_print_packed(const char *text)
{
  while (*text != 0) print_byte((uint8_t)*text++);
}

void rbnn_print_padded(const uint8_t *text, uint32_t capacity)
{
  uint32_t size = 0;
  while (size < capacity && text[size] != 0) size++;
  rbnn_port_write((const char *)text, size);
}

void rbnn_print_number(uint64_t number)
{
  char text[20];
  uint32_t at = sizeof text;
  do {
    uint32_t digit;
    number = rbnn_divide(number, 10, &digit);
    text[--at] = digits[digit];
  } while (number != 0);
  rbnn_port_write(text + at, (uint32_t)sizeof text - at);
}

void rbnn_print_hex(const uint8_t *bytes, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    const char text[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15u]};
    rbnn_port_write(text, 2);
  }
}

void rbnn_print_hex_line(const char *prefix, const uint8_t *bytes, uint32_t size)
{
  rbnn_print(prefix);
  rbnn_print_hex(bytes, size);
  rbnn_print_close();
}

void rbnn_print_hex32(uint32_t value)
{
  const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                            (uint8_t)value};
  rbnn_print_hex(bytes, 4);
}

void rbnn_print_ppm(uint32_t ppm)
{
  char text[8] = "0.000000";
  text[0] = digits[ppm / RBNN_SCORE_PPM];
  uint32_t rest = ppm % RBNN_SCORE_PPM;
  for (uint32_t at = 7; at > 1; at--) {
    text[at] = digits[rest % 10u];
    rest /= 10u;
  }
  rbnn_port_write(text, sizeof text);
}

void rbnn_print_lap(uint64_t ticks)
{
  /* Whole seconds apart, so that the product does not overflow. */
  const uint32_t hz = rbnn_port_ticks_hz();
  rbnn_print("m-lap-us-");
  uint32_t rest;
  const uint64_t seconds = rbnn_divide(ticks, hz, &rest);
  rbnn_print_number(seconds * 1000000u + rbnn_divide((uint64_t)rest * 1000000u, hz, NULL));
  rbnn_print_end();
}

void rbnn_print_end(void)
{
  rbnn_port_write("\r\n", 2);
}

void rbnn_print_close(void)
{
  rbnn_print("]");
  rbnn_print_end();
}
