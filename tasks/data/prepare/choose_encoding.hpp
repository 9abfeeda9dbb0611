#pragma once
#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"
#include "kernmill/tasks/data/prepare/transform.hpp"

namespace kernmill::tasks {

/// A feature of a row that the type of a `precision` does not hold.
struct Misfit {
  std::uint64_t row = 0;
  std::size_t feature = 0;
};

/// Collective. How the features that `transform` makes of the samples lie in a dataset so that nothing of
/// them is lost, and they take little room: what has come as bytes, float32 or int32 stays so where no other
/// number needs more, and is scaled by whoever reads it; zeros and ones, and unscaled columns of whole
/// numbers from 0 to 255, are bytes.
storage::Encoding lossless_encoding(const Communicator& comm, const Samples& samples,
                                    const Transform& transform);

/// Collective. All features as that type: a float that is rounded, or whole numbers, which are scaled by
/// whoever reads them. `misfit` is the first one that it does not hold.
storage::Encoding encoding_of(const Communicator& comm, const Samples& samples, const Transform& transform,
                              storage::Element type, std::optional<Misfit>& misfit);

/// What a type holds. Floats are rounded, so that their lowest and highest are what matters.
Limits limits_of(storage::Element type);

}  // namespace kernmill::tasks
