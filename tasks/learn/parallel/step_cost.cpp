#include "kernmill/tasks/learn/parallel/step_cost.hpp"

#include <algorithm>
#include <cmath>

#include "kernmill/kernels/tree_fold.hpp"
#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"
#include "kernmill/tasks/learn/parallel/schedule.hpp"

namespace kernmill::tasks {
namespace {

constexpr double losses_length = 2, loss_bytes = 8;

double real(std::uint64_t number) {
  return static_cast<double>(number);
}

double ceiling(std::uint64_t number, std::uint64_t parts) {
  return real((number + parts - 1) / parts);
}

/// What a stage does with some rows, and says to the other ranks of its layers meanwhile.
struct Stage {
  StageTime compute, talk;
  double parameters = 0;
  double transfer = 0;  ///< of what it makes to the next stage
};

/// How a rank's rows come: so many passes, each of some pieces, that go together.
struct Passes {
  std::uint64_t count = 1;
  double pieces = 1, rows = 1;
};

class Predictor {
 public:
  Predictor(const Machine& machine, const TrainingStep& step, const Layout& layout)
      : machine_(machine), step_(step), layout_(layout) {
    const std::uint64_t parameters = dense_parameters(step.widths);
    is_fast_ = step.summing == Summing::fast && layout.is_plain();
    pieces_ = is_fast_ ? layout.data : micro_batches(step.batch_size, parameters);
    const double own = ceiling(pieces_, layout.data), rows = ceiling(step.batch_size, pieces_);
    passes_ =
        layout.pipeline == 1 ? Passes{1, own, own * rows} : Passes{static_cast<std::uint64_t>(own), 1, rows};
    for (std::uint64_t i = 0; i < layout.pipeline; ++i) stages_.push_back(stage(i));
  }

  [[nodiscard]] StepCost cost() const {
    std::vector<StageTime> alone, together;
    std::vector<double> transfers;
    double most = 0, part = 0;
    for (const Stage& stage : stages_) {
      most = std::max(most, stage.compute.forward + stage.compute.backward);
      part = std::max(part, stage.parameters);
      alone.push_back(stage.compute);
      together.push_back(
          {stage.compute.forward + stage.talk.forward, stage.compute.backward + stage.talk.backward});
      transfers.push_back(stage.transfer);
    }
    const double without_talk = schedule_seconds(alone, std::vector<double>(transfers.size()), passes_.count);
    StepCost cost;
    cost.compute = crowd() * real(passes_.count) * most;
    cost.bubble = crowd() * without_talk - cost.compute;
    cost.communication = schedule_seconds(together, transfers, passes_.count) - without_talk + agreement() +
                         (is_fast_ ? fast_sum(part, cost.compute) : exact_sum(part));
    cost.update = machine_.update * own_parameters(part) * std::max(1.0, ranks_here() / real(machine_.cores));
    return cost;
  }

 private:
  /// Sum of the partial sums of all slices (TensorGroup::sum): each rank adds up a part, which all get.
  [[nodiscard]] double slices_sum(double elements) const {
    const Link& link = machine_.link(layout_.tensor);
    return alltoall(link, layout_.tensor, elements * step_.bytes) +
           allgather(link, layout_.tensor, elements * step_.bytes);
  }

  /// Of three products of a row and its weights one is forward; nobody wants the gradient by the features.
  [[nodiscard]] Stage stage(std::uint64_t index) const {
    Stage out;
    const double row = layout_.pipeline == 1 ? machine_.row : machine_.lone_row;
    const auto layers = layers_of({.widths = step_.widths}, layout_, {0, 0, index});
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const LayerCut& layer = layers[i];
      const bool is_first = index == 0 && i == 0, by_inputs = layer.cut == Cut::inputs;
      const double product = passes_.rows * real(layer.weights()) * row / 3;
      out.compute.forward += product;
      out.compute.backward +=
          (is_first ? 1 : 2) * product +
          passes_.pieces * (real(layer.parameters()) * machine_.piece + real(layer.slices) * machine_.call);
      out.parameters += real(layer.parameters());
      if (by_inputs) out.talk.forward += slices_sum(passes_.rows * real(layer.outputs));
      const double inputs = passes_.rows * real(layer.inputs);
      if (!is_first && layer.cut == Cut::outputs) out.talk.backward += slices_sum(inputs);
      if (!is_first && by_inputs && layer.input_is_whole)
        out.talk.backward += allgather(machine_.link(layout_.tensor), layout_.tensor, inputs * step_.bytes);
      if (index + 1 < layout_.pipeline || i + 1 < layers.size()) add_entries(layer, out);
    }
    if (index + 1 < layout_.pipeline) out.transfer = transfer_of(layers.back());
    return out;
  }

  /// Of what stands behind a hidden layer. A row's moments and their gradient are sums over all of its units.
  void add_entries(const LayerCut& layer, Stage& stage) const {
    const double one_way = passes_.rows * real(layer.biases()) * machine_.entry / 2;
    stage.compute.forward += one_way;
    stage.compute.backward += one_way;
    if (!step_.layer_norm || layer.cut != Cut::outputs) return;
    stage.talk.forward += 2 * slices_sum(passes_.rows);
    stage.talk.backward += slices_sum(2 * passes_.rows);
  }

  /// A message for each slice that the rank has of a layer's outputs.
  [[nodiscard]] double transfer_of(const LayerCut& layer) const {
    const Link& link = machine_.link(layout_.ranks());
    const double messages = layer.cut == Cut::outputs ? real(layer.slices) : 1;
    return link.message(passes_.rows * messages * real(layer.slice_outputs()) * step_.bytes) +
           (messages - 1) * std::max(link.gap, link.overhead);
  }

  [[nodiscard]] double ranks_here() const { return real(std::min(machine_.ranks_on_node, layout_.ranks())); }
  /// How many ranks that have rows there are to a core of a node, 1 at least. One that waits looks for
  /// messages all the time: its core is nobody else's.
  [[nodiscard]] double crowd() const {
    const double with_rows = std::min(1.0, real(pieces_) / real(layout_.data));
    return std::max(1.0, ranks_here() * with_rows / real(machine_.cores));
  }

  [[nodiscard]] const Link& data_link() const { return machine_.link(layout_.tensor * layout_.data); }
  [[nodiscard]] bool cuts(double parameters) const {
    return !is_fast_ && layout_.data > 1 && parameters >= real(long_gradient);
  }
  [[nodiscard]] double own_parameters(double parameters) const {
    return cuts(parameters) ? parameters / real(layout_.data) : parameters;
  }
  [[nodiscard]] double losses(double leaves) const {
    return (leaves * losses_length + real(layout_.data)) * loss_bytes;
  }

  /// GradientSum's: each rank has a few whole subtrees of the pieces; a long gradient is summed slice by
  /// slice, and the updated parameters are gathered; of a short one everybody gets all, and sums it up.
  [[nodiscard]] double exact_sum(double parameters) const {
    if (layout_.data == 1) return 0;
    double nodes = 0, most = 0;  // of all ranks, and of the one that has most
    for (std::uint64_t rank = 0; rank < std::min(layout_.data, pieces_); ++rank) {
      const auto own = storage::even_share(pieces_, static_cast<int>(rank), static_cast<int>(layout_.data));
      const auto count = static_cast<double>(kernels::whole_subtrees(own.begin, own.end).size());
      nodes += count;
      most = std::max(most, count);
    }
    const double bytes = parameters * step_.bytes, own = own_parameters(parameters);
    const double added = nodes * own * machine_.piece;
    if (!cuts(parameters))
      return allgather(data_link(), layout_.data, nodes * bytes + losses(real(pieces_))) + added;
    return alltoall(data_link(), layout_.data, most * bytes) + added +
           allgather(data_link(), layout_.data, losses(real(pieces_))) +
           allgather(data_link(), layout_.data, bytes);
  }

  /// Buckets are summed while the backward pass goes on, two thirds of all; the last one is left at its end.
  [[nodiscard]] double fast_sum(double parameters, double compute) const {
    const double buckets = std::ceil(parameters / real(gradient_bucket));
    const double one = allreduce(data_link(), layout_.data, parameters / buckets * step_.bytes);
    return std::max(one, buckets * one - compute * 2 / 3) +
           allgather(data_link(), layout_.data, losses(real(layout_.data)));
  }

  /// NetworkPart::agree: the last stage's losses for the ranks of the same rows.
  [[nodiscard]] double agreement() const {
    const std::uint64_t ranks = layout_.tensor * layout_.pipeline;
    return allgather(machine_.link(layout_.ranks()), ranks, real(ranks) * (losses_length + 1) * loss_bytes);
  }

  const Machine& machine_;
  const TrainingStep& step_;
  Layout layout_;
  bool is_fast_ = false;
  std::uint64_t pieces_ = 1;
  Passes passes_;
  std::vector<Stage> stages_;
};

}  // namespace

double schedule_seconds(std::span<const StageTime> stages, std::span<const double> transfer,
                        std::uint64_t micro_batches) {
  constexpr double not_yet = -1;
  const std::size_t count = stages.size();
  std::vector<std::vector<Turn>> turns;
  std::vector<std::vector<double>> forward(count, std::vector<double>(micro_batches, not_yet)),
      backward = forward;
  for (std::size_t i = 0; i < count; ++i) turns.push_back(one_forward_one_backward(i, count, micro_batches));
  std::vector<double> clock(count, 0);
  std::vector<std::size_t> done(count, 0);
  // When what a stage needs for its next turn is there; not yet, where nobody has made it.
  const auto there = [&](std::size_t stage, const Turn& turn) {
    const bool from_outside = turn.forward ? stage == 0 : stage + 1 == count;
    if (from_outside) return 0.0;
    const double made =
        turn.forward ? forward[stage - 1][turn.micro_batch] : backward[stage + 1][turn.micro_batch];
    return made == not_yet ? not_yet : made + transfer[turn.forward ? stage - 1 : stage];
  };
  while (done[0] < turns[0].size())  // the first stage's last backward pass is the step's
    for (std::size_t i = 0; i < count; ++i)
      while (done[i] < turns[i].size()) {
        const Turn& turn = turns[i][done[i]];
        const double begin = there(i, turn);
        if (begin == not_yet) break;
        clock[i] = std::max(clock[i], begin) + (turn.forward ? stages[i].forward : stages[i].backward);
        (turn.forward ? forward : backward)[i][turn.micro_batch] = clock[i];
        ++done[i];
      }
  return *std::max_element(clock.begin(), clock.end());
}

std::uint64_t dense_parameters(std::span<const std::uint64_t> widths) {
  std::uint64_t parameters = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) parameters += (widths[i] + 1) * widths[i + 1];
  return parameters;
}

StepCost predict(const Machine& machine, const TrainingStep& step, const Layout& layout) {
  return Predictor(machine, step, layout).cost();
}

}  // namespace kernmill::tasks
