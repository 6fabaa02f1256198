/* SPDX-License-Identifier: Apache-2.0 */
/* What the portable kernel of Larq Compute Engine uses of TensorFlow Lite, ruy and FlatBuffers. */
#ifndef LARQ_NEEDS_H
#define LARQ_NEEDS_H

#include <algorithm>
#include <cmath>
#include <cstdint>

#define TFLITE_DCHECK(condition)
#define TFLITE_DCHECK_EQ(a, b)
#define TFLITE_DCHECK_GE(a, b)
#define FLATBUFFERS_LITTLEENDIAN 1

enum TfLitePadding { kTfLitePaddingUnknown, kTfLitePaddingSame, kTfLitePaddingValid };

struct TfLitePaddingValues {
  int width, height, width_offset, height_offset;
};

namespace tflite
{
template <class T> T TfLiteRound(T value)
{
  return std::round(value);
}
} // namespace tflite

struct RuntimeShape {
  std::int32_t sizes[4];
  std::int32_t Dims(int i) const
  {
    return sizes[i];
  }
};

namespace ruy
{
namespace profiler
{
struct ScopeLabel {
  explicit ScopeLabel(const char *)
  {
  }
};
} // namespace profiler
} // namespace ruy

#endif
