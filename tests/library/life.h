/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RBNN_TESTS_LIFE_H
#define RBNN_TESTS_LIFE_H

/* Prints what came of each step; 0. */
int rbnn_life(void);

#endif
