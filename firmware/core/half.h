/* SPDX-License-Identifier: Apache-2.0 */
/* Half a word, for memory that is written in words and read in halves, or the other way round: the
 * compiler takes neither for memory of its own, whatever it assumes of other types. */
#ifndef RBNN_CORE_HALF_H
#define RBNN_CORE_HALF_H

#include <stdint.h>

typedef int16_t rbnn_half __attribute__((may_alias));
typedef uint16_t rbnn_half_bits __attribute__((may_alias));

#endif
