/* SPDX-License-Identifier: Apache-2.0 */
/* What a test program asks of the machine it runs on. */
#ifndef RBNN_TESTS_COMPUTER_H
#define RBNN_TESTS_COMPUTER_H

#include <stdint.h>

/* Print a line on the test's standard output. */
void computer_print(const char *line);

/* Instructions executed so far, modulo 2^32; 0 where nobody counts. Ask at least once in half a
 * million instructions. */
uint32_t computer_count(void);

#endif
