#include "kernmill/tasks/learn/train/training_layout.hpp"

#include <array>

#include <fmt/format.h>

#include "kernmill/tasks/learn/parallel/choose_layout.hpp"
#include "kernmill/tasks/learn/parallel/network_part.hpp"
#include "kernmill/tasks/learn/train/measure_machine.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// Throws TaskError: why ranks cannot share the layers of this training.
void require_shared_layers(const TrainSettings& settings, const Rows& rows, const Network& network) {
  const auto refuse = [](const char* what, const char* help) {
    throw TaskError(fmt::format("'parallel' cannot share the layers of a training with {}", what), {}, help);
  };
  if (!network.shape().can_be_shared())
    refuse("layers other than fully connected ones", "share rows alone: data");
  if (rows.is_sparse())
    refuse("sparse rows", "store the rows densely in the preprocess stage, or share rows alone: data");
  if (settings.balancing == Balancing::dynamic)
    refuse("balance: dynamic", "leave 'balance' out, or share rows alone: data");
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
    const MemoryNeed need = memory_need(settings.optimizer, network.layers(), size_of(data), memory);
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
  require_fit({ranks, 1, 1, wanted.slices}, network.shape().widths, ranks);
  if (!may_share_layers(settings, data.rows, network) && wanted.slices == 1) {
    if (wanted.tensor == 0) wanted.tensor = 1;
    if (wanted.pipeline == 0) wanted.pipeline = 1;
  }
  const auto layouts = layouts_of(wanted, ranks, network.shape().widths.size() - 1);
  if (layouts.empty())
    throw TaskError(
        fmt::format("no layout of {} ranks has what 'parallel' says", ranks), {},
        "leave data, tensor and pipeline out beside layout: auto, or give slices that tensor divides");
  if (layouts.size() == 1) {
    if (session.talks() && comm.is_root())
      fmt::print("layout: {}, the only one possible\n", text_of(layouts.front()));
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

bool may_share_layers(const TrainSettings& settings, const Rows& rows, const Network& network) {
  return network.shape().can_be_shared() && !rows.is_sparse() && settings.balancing == Balancing::even;
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
  if (!layout.is_plain()) require_shared_layers(settings, data.rows, network);
  require_fit(layout, network.shape().widths, ranks);
  return layout;
}

}  // namespace kernmill::tasks
