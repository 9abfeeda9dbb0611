#pragma once
#include <cstdint>
#include <span>

#include "kernmill/kernels/sparse.hpp"
#include "kernmill/storage/dataset/encoding.hpp"

namespace kernmill::tasks {

/// The rows where kernels take them; where that is the host's memory, a view of `rows`.
kernels::SparseRows<kernels::Device> on_device(const storage::SparseRows& rows);
kernels::SparseRows<kernels::Device> on_device(std::span<const std::uint64_t> begins,
                                               std::span<const std::uint32_t> columns,
                                               std::span<const double> values);

}  // namespace kernmill::tasks
