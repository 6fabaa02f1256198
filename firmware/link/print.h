/* SPDX-License-Identifier: Apache-2.0 */
/* Text for the serial line, without printf, which would bring a heap with it. */
#ifndef RBNN_LINK_PRINT_H
#define RBNN_LINK_PRINT_H

#include <stdint.h>

/* Zero-terminated text. */
void rbnn_print(const char *text);

/* Zero-terminated text that the specification has packed. */
void rbnn_print_packed(const char *text);

/* Text of at most `capacity` bytes that ends at the first zero byte or there. */
void rbnn_print_padded(const uint8_t *text, uint32_t capacity);

/* Decimal. */
void rbnn_print_number(uint64_t number);

/* Two lower-case digits a byte, without separators. */
void rbnn_print_hex(const uint8_t *bytes, uint32_t size);

/* A prefix, hex, and the end of the line. */
void rbnn_print_hex_line(const char *prefix, const uint8_t *bytes, uint32_t size);

/* Eight lower-case digits. */
void rbnn_print_hex32(uint32_t value);

/* "0.123456" for 123456 parts per million. */
void rbnn_print_ppm(uint32_t ppm);

/* "m-lap-us-<microseconds>" and the end of the line. */
void rbnn_print_lap(uint64_t ticks);

/* CR LF. */
void rbnn_print_end(void);

/* "]" and CR LF. */
void rbnn_print_close(void);

#endif
