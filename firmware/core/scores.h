/* SPDX-License-Identifier: Apache-2.0 */
/* From logits to scores. */
#ifndef RBNN_CORE_SCORES_H
#define RBNN_CORE_SCORES_H

#include <stdint.h>

/* Scores in parts per million that sum to RBNN_SCORE_PPM (rbnn/spec/scores.py).
 * `classes` is 1 .. RBNN_MAX_CLASSES. Timing is not constant. */
void rbnn_scores_softmax(const int32_t *logits, uint32_t classes, uint32_t *ppm);

#endif
