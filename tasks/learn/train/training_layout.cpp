#include "kernmill/tasks/learn/train/training_layout.hpp"

#include <array>

#include <fmt/format.h>

#include "kernmill/tasks/learn/parallel/choose_layout.hpp"
#include "kernmill/tasks/learn/parallel/network_part.hpp"
#include "kernmill/tasks/learn/train/measure_machine.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// Whether predict() knows what a step takes: of dense rows through dense layers.
bool is_priced(const TrainSettings& settings, const Rows& rows, const Network& network) {
  return may_share_layers(settings) && !rows.is_sparse() && network.shape().cell == Cell::none;
}

std::vector<Candidate> candidates_of(const TrainSettings& settings, const FitData& data,
                                     const Network& network, MemoryLayout memory,
                                     const std::vector<Layout>& layouts, const Communicator& comm) {
  const NetworkShape& shape = network.shape();
  const Machine machine = settings.single_precision
                              ? measure_machine<float>(comm, shape, settings.optimizer)
                              : measure_machine<double>(comm, shape, settings.optimizer);
  const TrainingStep step{shape.widths, settings.optimizer.batch_size,
                          settings.single_precision ? double{sizeof(float)} : double{sizeof(double)},
                          settings.exact ? Summing::exact : Summing::fast, shape.layer_norm};
  std::vector<Candidate> candidates;
  for (const Layout& layout : layouts) {
    memory.layers = layout;
    const MemoryNeed need = memory_need(settings.optimizer, network.shape(), size_of(data), memory);
    candidates.push_back({layout, predict(machine, step, layout), need.all()});
  }
  return candidates;
}

/// Rank 0's choice, for all. The slices are the settings', so that no measurement shows in a model.
Layout chosen_layout(const TrainSettings& settings, const FitData& data, const Network& network,
                     const MemoryLayout& memory, const Session& session) {
  const Communicator& comm = session.comm();
  const auto ranks = static_cast<std::uint64_t>(comm.size());
  Layout wanted = settings.layout;
  require_fit({ranks, 1, 1, wanted.slices}, network.shape(), ranks);
  const bool priced = is_priced(settings, data.rows, network);
  if (!priced) {
    if (wanted.tensor == 0) wanted.tensor = 1;
    if (wanted.pipeline == 0) wanted.pipeline = 1;
  }
  const auto layouts = layouts_of(wanted, ranks, network.shape().layer_count());
  if (layouts.empty())
    throw TaskError(
        fmt::format("no layout of {} ranks has what 'parallel' says", ranks), {},
        "leave data, tensor and pipeline out beside layout: auto, or give slices that tensor divides");
  if (layouts.size() == 1) {
    if (session.talks() && comm.is_root())
      fmt::print("layout: {}, {}\n", text_of(layouts.front()),
                 priced || !may_share_layers(settings)
                     ? "the only one possible"
                     : "as steps of recurrent layers and of sparse rows are not predicted");
    return layouts.front();
  }
  const auto all = ranked(candidates_of(settings, data, network, memory, layouts, comm), memory.limit());
  if (session.talks() && comm.is_root())
    for (const std::string& line : reasons(all, memory.limit())) fmt::print("{}\n", line);
  Layout chosen = all.front().layout;
  std::array<std::uint64_t, 3> shares{chosen.data, chosen.tensor, chosen.pipeline};
  comm.bcast(std::span<std::uint64_t>(shares));
  return {shares[0], shares[1], shares[2], wanted.slices};
}

}  // namespace

bool may_share_layers(const TrainSettings& settings) {
  return settings.balancing == Balancing::even;
}

RowsSize size_of(const FitData& data) {
  const std::uint64_t weight = data.rows.is_weighted() ? sizeof(double) : 0;
  return {data.rows.count(), data.rows.row_bytes() + weight, data.held_out.count()};
}

Layout layout_of(const TrainSettings& settings, const FitData& data, const Network& network,
                 const MemoryLayout& memory, const Session& session) {
  const auto ranks = static_cast<std::uint64_t>(session.comm().size());
  Layout layout = settings.layout;
  if (settings.chooses_layout) {
    layout = chosen_layout(settings, data, network, memory, session);
  } else if (layout.data == 0) {
    layout.data = std::max<std::uint64_t>(ranks / (layout.tensor * layout.pipeline), 1);
  }
  if (!layout.is_plain() && !may_share_layers(settings))
    throw TaskError("'parallel' cannot share the layers of a training with balance: dynamic", {},
                    "leave 'balance' out, or share rows alone: data");
  require_fit(layout, network.shape(), ranks);
  return layout;
}

}  // namespace kernmill::tasks
