/* SPDX-License-Identifier: Apache-2.0 */
/* The container that `rbnn export` wrote as a C array into firmware/model/. */
#ifndef RBNN_CORE_MODEL_IMAGE_H
#define RBNN_CORE_MODEL_IMAGE_H

#include <stdint.h>

extern const uint8_t rbnn_model_image[]; /* 16-byte aligned */
extern const uint32_t rbnn_model_image_bytes;

#endif
