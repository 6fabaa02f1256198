/* SPDX-License-Identifier: Apache-2.0 */
/* The outer code of the secure sketch: binary BCH(255, 187), corrects 9 errors.
 *
 * Constant time throughout: GF(256) products are shifts and masks, not log tables indexed by
 * secrets; Berlekamp-Massey runs all 18 rounds with masked choices and without inversion; the
 * root search visits all 255 positions. More than 9 errors go unnoticed here: the sketch's tag
 * tells. Source: Lin and Costello, "Error Control Coding", chapter 6; Sarwate and Shanbhag, IEEE
 * Trans. VLSI Systems 9(5), 2001 (inversionless Berlekamp-Massey). */
#ifndef RBNN_PUF_BCH_H
#define RBNN_PUF_BCH_H

#include "spec/rbnn_spec.h"

#define RBNN_BCH_CHECK_WORDS 3u

/* Coefficients of b(x) mod g(x), constant term in bit 0 of word 0. `bits[i]` (0 or 1) is the
 * coefficient of x^i in b(x). */
void rbnn_bch_remainder(const uint8_t bits[RBNN_PUF_BCH_LENGTH],
                        uint32_t remainder[RBNN_BCH_CHECK_WORDS]);

/* Flip in `bits` the errors whose polynomial e(x) has the remainder `difference`. */
void rbnn_bch_correct(uint8_t bits[RBNN_PUF_BCH_LENGTH],
                      const uint32_t difference[RBNN_BCH_CHECK_WORDS]);

#endif
