#include <bit>

#include <fmt/format.h>

#include "kernmill/tasks/learn/parallel/network_part.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

void require_slices(const Layout& layout, const NetworkShape& shape) {
  if (!std::has_single_bit(layout.slices))
    throw TaskError(
        fmt::format("layers cannot be cut into {} slices: their number is a power of two", layout.slices), {},
        "make parallel.tensor, or parallel.slices where it is given, 2, 4, 8, ...");
  if (layout.slices % layout.tensor != 0)
    throw TaskError(fmt::format("{} slice{} cannot be shared by {} tensor ranks", layout.slices,
                                layout.slices == 1 ? "" : "s", layout.tensor),
                    {}, "parallel.slices is a power of two, and parallel.tensor one that divides it");
  const auto width = undivided_width(shape, layout.slices);
  if (width && shape.layer_count() == 1)
    throw TaskError(fmt::format("{} features cannot be cut into {} slices", *width, layout.slices), {},
                    "ask for slices that divide the features, or share rows alone: data");
  if (width)
    throw TaskError(fmt::format("a layer of {} units cannot be cut into {} slices", *width, layout.slices),
                    {}, "give model.hidden widths that parallel.slices divides, or ask for fewer slices");
}

}  // namespace

void require_fit(const Layout& layout, const NetworkShape& shape, std::uint64_t ranks) {
  if (layout.ranks() != ranks)
    throw TaskError(fmt::format("data: {} x tensor: {} x pipeline: {} of 'parallel' make {} ranks, and there "
                                "are {}",
                                layout.data, layout.tensor, layout.pipeline, layout.ranks(), ranks),
                    {},
                    "give the stage as many ranks (resources: {ntasks: ...}), or leave parallel.data out");
  if (layout.pipeline > shape.layer_count())
    throw TaskError(fmt::format("a pipeline of {} stages is longer than the network: of layers it has {}",
                                layout.pipeline, shape.layer_count()),
                    {}, "each stage needs a layer: make parallel.pipeline smaller, or the network deeper");
  require_slices(layout, shape);
}

}  // namespace kernmill::tasks
