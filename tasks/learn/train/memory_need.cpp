#include "kernmill/tasks/learn/train/memory_need.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/tasks/learn/parallel/batch_cuts.hpp"
#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"
#include "kernmill/tasks/learn/train/sampled_hessian.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr double number = sizeof(double);

std::uint64_t parameters_of(const NetworkShape& shape) {
  return parameters_in(shape).value();
}

std::string size_text(double bytes) {
  constexpr std::array<const char*, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  return fmt::format("{:.3g} {}", bytes, units.at(unit));
}

/// Groups of ranks that have rows of their own.
double groups_of_rows(const MemoryLayout& layout) {
  return layout.layers.is_plain() ? layout.ranks : static_cast<double>(layout.layers.data);
}

/// What a rank has of the network: all of it, or the largest stage's part.
struct Held {
  double parameters = 0;
  double outputs = 0;  ///< of all layers, as often as micro-batches are on their way through the stage
};

/// Layers without weights that go row by row behind a hidden one.
std::uint64_t layers_behind(const NetworkShape& shape) {
  const bool activates = shape.cell == Cell::none && !shape.fuses_activation();
  return (shape.layer_norm ? 1 : 0) + (activates ? 1 : 0) + (shape.dropout > 0 ? 1 : 0);
}

Held held(const NetworkShape& shape, const LayerCut& layer, bool is_hidden) {
  const std::uint64_t outputs = layer.slice_outputs() * (layer.output_is_whole() ? 1 : layer.slices);
  Held own{static_cast<double>(layer.parameters()), static_cast<double>(outputs)};
  if (!is_hidden) return own;
  own.outputs *= static_cast<double>(1 + layers_behind(shape));
  if (shape.layer_norm) own.parameters += 2 * static_cast<double>(layer.biases());
  // A step's gates, and its states.
  if (layer.sequence)
    own.outputs += static_cast<double>(layer.sequence->steps * layer.slices * layer.slice_units() *
                                       (gates_of(layer.sequence->cell) + 1));
  return own;
}

Held held(const NetworkShape& shape, const Layout& layout) {
  Held most;
  for (std::uint64_t stage = 0; stage < layout.pipeline; ++stage) {
    Held part;
    std::size_t at = stages_of(shape, layout.pipeline)[stage].begin;
    for (const LayerCut& layer : layers_of(shape, layout, {0, 0, stage})) {
      const Held own = held(shape, layer, ++at < shape.layer_count());
      part.parameters += own.parameters;
      part.outputs += own.outputs;
    }
    most.parameters = std::max(most.parameters, part.parameters);
    most.outputs = std::max(most.outputs, part.outputs * static_cast<double>(layout.pipeline - stage));
  }
  return most;
}

/// Rows that go through the network together: a chunk; of a batch a micro-batch of a pipeline, else all
/// pieces of a rank.
double rows_under_way(const OptimizerSettings& optimizer, const NetworkShape& shape, const RowsSize& rows,
                      const MemoryLayout& layout) {
  constexpr double shards = 64;
  const auto all = static_cast<double>(rows.count);
  if (optimizer.is_full_batch())
    return std::min(std::ceil(all / shards), static_cast<double>(Network::chunk_rows));
  const auto pieces = static_cast<double>(micro_batches(optimizer.batch_size, parameters_of(shape)));
  const double batch = std::min(static_cast<double>(optimizer.batch_size), std::max(1.0, all));
  const double groups = layout.layers.pipeline > 1 ? pieces : std::min(groups_of_rows(layout), pieces);
  return std::ceil(batch / groups);
}

double kept_rows(const OptimizerSettings& optimizer, const RowsSize& rows, const MemoryLayout& layout) {
  const double row = static_cast<double>(rows.row_bytes) + number;
  const double ahead = 2 * row * static_cast<double>(Network::chunk_rows);
  const auto share = [&](std::uint64_t count, double groups) {
    return std::ceil(static_cast<double>(count) / groups) * row;
  };
  const auto kept = [&](std::uint64_t count) {
    const double own = share(count, layout.ranks);
    return own <= layout.cache ? own : std::min(own, ahead);
  };
  if (optimizer.is_full_batch()) return kept(rows.count);
  const double batches = 2 * share(std::min(optimizer.batch_size, rows.count), groups_of_rows(layout));
  return batches + (optimizer.early_stopping ? kept(rows.held_out) : 0);
}

/// Vectors of the model's size that a checkpoint has.
double vectors_kept(const OptimizerSettings& optimizer) {
  if (optimizer.type == OptimizerType::gradient_descent) return 1;
  if (optimizer.is_full_batch()) return 2 * static_cast<double>(optimizer.history) + 2;
  return optimizer.early_stopping ? 4 : 3;
}

/// The largest batch that is a half, a quarter, ... of this one and fits; 0: none does.
std::uint64_t batch_that_fits(OptimizerSettings optimizer, const NetworkShape& shape, const RowsSize& rows,
                              const MemoryLayout& layout) {
  if (optimizer.is_full_batch()) return 0;
  for (optimizer.batch_size /= 2; optimizer.batch_size > 0; optimizer.batch_size /= 2)
    if (memory_need(optimizer, shape, rows, layout).all() <= layout.limit()) return optimizer.batch_size;
  return 0;
}

/// The most ranks a node that fit, when the others are left out; 0: not even one does.
int ranks_that_fit(const OptimizerSettings& optimizer, const NetworkShape& shape, const RowsSize& rows,
                   const MemoryLayout& layout) {
  for (int on_node = layout.ranks_on_node - 1; on_node > 0; --on_node) {
    MemoryLayout fewer = layout;
    fewer.ranks = std::max(1, layout.ranks * on_node / layout.ranks_on_node);
    fewer.ranks_on_node = on_node;
    if (memory_need(optimizer, shape, rows, fewer).all() <= fewer.limit()) return on_node;
  }
  return 0;
}

/// The fewest ranks that layers have to be cut for, where the data ranks become fewer; 0: none do.
std::uint64_t tensor_that_fits(const OptimizerSettings& optimizer, const NetworkShape& shape,
                               const RowsSize& rows, const MemoryLayout& layout) {
  const auto ranks = static_cast<std::uint64_t>(layout.ranks);
  for (std::uint64_t tensor = 2; layout.may_cut_layers && tensor <= ranks; tensor *= 2) {
    if (ranks % tensor != 0 || undivided_width(shape, tensor)) continue;
    MemoryLayout cut = layout;
    cut.layers = {ranks / tensor, tensor, 1, tensor};
    if (memory_need(optimizer, shape, rows, cut).all() <= cut.limit()) return tensor;
  }
  return 0;
}

std::string what_would_fit(const OptimizerSettings& optimizer, const NetworkShape& shape,
                           const RowsSize& rows, const MemoryLayout& layout) {
  std::vector<std::string> ways;
  MemoryLayout without = layout;
  without.cache = 0;
  if (memory_need(optimizer, shape, rows, without).all() <= layout.limit())
    ways.push_back(fmt::format("cache: {} (rows beyond are read when they are wanted)",
                               std::max<std::uint64_t>(1, static_cast<std::uint64_t>(layout.limit() / 4))));
  if (const std::uint64_t batch = batch_that_fits(optimizer, shape, rows, layout); batch > 0)
    ways.push_back(fmt::format("optimizer: {{batch_size: {}}}", batch));
  if (const int ranks = ranks_that_fit(optimizer, shape, rows, layout); ranks > 0)
    ways.push_back(fmt::format("{} rank{} a node (ntasks_per_node)", ranks, ranks == 1 ? "" : "s"));
  if (const std::uint64_t tensor = tensor_that_fits(optimizer, shape, rows, layout); tensor > 0)
    ways.push_back(fmt::format("parallel: {{tensor: {}}}, ranks that share each layer", tensor));
  const double all = memory_need(optimizer, shape, rows, layout).all() * layout.ranks_on_node;
  ways.push_back(fmt::format("{} of memory a node (mem)", size_text(1.1 * all)));
  if (ways.size() == 1) ways.emplace_back("smaller hidden layers: each rank holds the whole model");
  return fmt::format("what would fit: {}", fmt::join(ways, "; or "));
}

}  // namespace

MemoryNeed memory_need(const OptimizerSettings& optimizer, const NetworkShape& shape, const RowsSize& rows,
                       const MemoryLayout& layout) {
  constexpr double of_sums = 8, of_batches = 6, beside_history = 8;
  constexpr double whole_in_a_layout = 4;  // start and end of a training, and what is gathered for its files
  const double vector = number * static_cast<double>(parameters_of(shape));
  const Held own = held(shape, layout.layers);
  const double vectors =
      optimizer.is_full_batch() ? 2 * static_cast<double>(optimizer.history) + beside_history : of_batches;
  MemoryNeed need;
  need.model = number * own.parameters * (vectors + of_sums);
  if (optimizer.type == OptimizerType::newton)
    need.model += SampledHessian::bytes(parameters_of(shape), shape.widths.back(), layout.ranks);
  if (!layout.layers.is_plain()) need.model += vector * whole_in_a_layout;
  need.activations = 2 * own.outputs * number * rows_under_way(optimizer, shape, rows, layout);
  need.rows = kept_rows(optimizer, rows, layout);
  if (layout.keeps_checkpoints) need.checkpoints = 2 * vector * vectors_kept(optimizer);
  return need;
}

std::string text_of(const MemoryNeed& need, const MemoryLayout& layout) {
  return fmt::format(
      "memory: about {} a rank, of {} (model and optimizer {}, activations {}, rows {}, checkpoints {})",
      size_text(need.all()), size_text(layout.limit()), size_text(need.model), size_text(need.activations),
      size_text(need.rows), size_text(need.checkpoints));
}

void require_room(const OptimizerSettings& optimizer, const NetworkShape& shape, const RowsSize& rows,
                  const MemoryLayout& layout) {
  const MemoryNeed need = memory_need(optimizer, shape, rows, layout);
  if (need.all() <= layout.limit()) return;
  throw TaskError(
      fmt::format("this training needs about {} of memory on each rank (model and optimizer {}, activations "
                  "{}, rows {}, checkpoints {}), and each may have {}",
                  size_text(need.all()), size_text(need.model), size_text(need.activations),
                  size_text(need.rows), size_text(need.checkpoints), size_text(layout.limit())),
      {}, what_would_fit(optimizer, shape, rows, layout));
}

}  // namespace kernmill::tasks
