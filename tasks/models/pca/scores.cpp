#include <optional>

#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/rows/shard_rows.hpp"
#include "kernmill/tasks/learn/score/own_scores.hpp"
#include "kernmill/tasks/models/pca/model.hpp"
#include "kernmill/tasks/models/pca/projection.hpp"

namespace kernmill::tasks {
namespace {

/// What is lost when rows are told by their components alone.
class PcaScores : public OwnScores {
 public:
  void take(const storage::Model& model) override { projection_.emplace(model); }
  void add(const Communicator& comm, const Rows& rows) override {
    ShardRows shards(comm, rows, 0);  // one pass: nothing to keep
    LeafSum<kernels::Host> fold(comm, shard_count, 2);
    const auto sums = fold([&](std::uint64_t shard, const kernels::Vector<kernels::Host>& out) {
      Kokkos::deep_copy(out, 0.0);
      for (const auto& chunk : shards.chunks_of(shard)) {
        projection_->project(shards.features_of(chunk));
        for (const auto& row : projection_->residuals()) {
          out(0) += row.left;
          out(1) += row.all;
        }
      }
    });
    left_ += sums[0];
    all_ += sums[1];
    rows_ += rows.count();
  }
  Json metrics(const Communicator&, Json*) override {
    Json metrics = {{"reconstruction_error", left_ / static_cast<double>(rows_)}};
    if (all_ > 0) metrics["explained_variance"] = 1 - left_ / all_;
    metrics["components"] = projection_->components();
    metrics["rows"] = rows_;
    return metrics;
  }

 private:
  std::optional<Projection> projection_;
  double left_ = 0, all_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<OwnScores> pca_scores() {
  return std::make_unique<PcaScores>();
}

}  // namespace kernmill::tasks
