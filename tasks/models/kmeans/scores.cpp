#include <algorithm>
#include <cmath>
#include <optional>

#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/score/own_scores.hpp"
#include "kernmill/tasks/models/kmeans/agreement.hpp"
#include "kernmill/tasks/models/kmeans/centers.hpp"
#include "kernmill/tasks/models/kmeans/model.hpp"
#include "kernmill/tasks/models/kmeans/nearest_rows.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Host;
using Sums = kernels::Vector<Host>;

/// Sums over rows: squared distances, simplified silhouettes, then rows by class and cluster. Agreement with
/// classes is told model by model, since clusters of the same number have nothing in common.
class KMeansScores : public OwnScores {
 public:
  void take(const storage::Model& model) override {
    close_table();
    features_ = model.schema.features.size();
    const std::vector<double> centers = kmeans_centers(model);
    k_ = centers.size() / features_;
    nearest_.emplace(centers, features_);
    sizes_.assign(k_, 0);
  }
  void add(const Communicator& comm, const Rows& rows) override;
  Json metrics(const Communicator& comm, Json* report) override;

 private:
  void add_chunk(HostRows& chunk, std::uint64_t rows, std::size_t classes, const Sums& out);
  void close_table();

  std::uint64_t features_ = 0, rows_ = 0, judged_rows_ = 0;
  std::size_t k_ = 0;
  std::optional<NearestRows> nearest_;
  double inertia_ = 0, silhouette_ = 0;
  double rand_ = 0, information_ = 0;  ///< times the rows that they are of
  std::vector<std::uint64_t> sizes_;
  std::vector<std::uint64_t> table_;  ///< of this model: classes x k; empty where no class is known
  std::vector<std::string> classes_;
};

/// Of a row at distance a from its center and b from the next one, (b - a) / max(a, b) (Vendramin, Campello,
/// Hruschka 2010); 0 of a row alone with one center.
double simplified_silhouette(double squared, double other) {
  const double own = std::sqrt(squared), most = std::fmax(own, other);
  return most > 0 && std::isfinite(other) ? (other - own) / most : 0.0;
}

void KMeansScores::add_chunk(HostRows& chunk, std::uint64_t rows, std::size_t classes, const Sums& out) {
  nearest_->find(features_on_device(chunk.features, features_));
  for (std::uint64_t i = 0; i < rows; ++i) {
    const double squared = nearest_->squared()[i];
    out(0) += squared;
    out(1) += simplified_silhouette(squared, nearest_->other()[i]);
    const std::size_t label = classes > 1 ? static_cast<std::size_t>(chunk.target[i]) : 0;
    out(2 + label * k_ + static_cast<std::size_t>(nearest_->labels()[i])) += 1;
  }
}

void KMeansScores::add(const Communicator& comm, const Rows& rows) {
  const storage::Schema& schema = rows.schema();
  const bool has_classes = schema.target_kind == storage::TargetKind::classes && schema.classes.size() > 1;
  const std::size_t classes = has_classes ? schema.classes.size() : 1;
  LeafSum<Host> fold(comm, shard_count, 2 + classes * k_);
  HostRows read;
  const auto sums = fold([&](std::uint64_t leaf, const Sums& out) {
    Kokkos::deep_copy(out, 0.0);
    std::vector<storage::IndexRange> chunks;
    append_chunks(shard_of(rows.count(), leaf), 4096, chunks);
    for (const storage::IndexRange& range : chunks) {
      read.read(rows, range);
      add_chunk(read, range.count(), classes, out);
    }
  });
  inertia_ += sums[0];
  silhouette_ += sums[1];
  rows_ += rows.count();
  const auto counts = sums.subspan(2);
  for (std::size_t i = 0; i < counts.size(); ++i) sizes_[i % k_] += static_cast<std::uint64_t>(counts[i]);
  if (!has_classes) return;
  classes_ = schema.classes;
  table_.resize(counts.size(), 0);
  for (std::size_t i = 0; i < counts.size(); ++i) table_[i] += static_cast<std::uint64_t>(counts[i]);
}

void KMeansScores::close_table() {
  if (table_.empty()) return;
  std::uint64_t rows = 0;
  for (const std::uint64_t count : table_) rows += count;
  const Agreement agreement = agreement_of(table_, k_);
  rand_ += static_cast<double>(rows) * agreement.adjusted_rand;
  information_ += static_cast<double>(rows) * agreement.mutual_information;
  judged_rows_ += rows;
  table_.clear();
}

Json KMeansScores::metrics(const Communicator&, Json* report) {
  const auto n = static_cast<double>(rows_);
  Json metrics = {{"inertia", inertia_}, {"inertia_per_row", inertia_ / n}};
  if (k_ > 1) metrics["silhouette"] = silhouette_ / n;
  if (report != nullptr) {
    metrics["cluster_sizes"] = sizes_;
    if (!table_.empty()) {
      (*report)["classes"] = classes_;
      Json& table = (*report)["clusters_by_class"] = Json::array();
      for (std::size_t at = 0; at < table_.size(); at += k_)
        table.push_back(std::vector<std::uint64_t>(table_.begin() + static_cast<std::ptrdiff_t>(at),
                                                   table_.begin() + static_cast<std::ptrdiff_t>(at + k_)));
    }
  }
  close_table();
  if (judged_rows_ > 0) {
    metrics["adjusted_rand"] = rand_ / static_cast<double>(judged_rows_);
    metrics["normalized_mutual_information"] = information_ / static_cast<double>(judged_rows_);
  }
  metrics["rows"] = rows_;
  return metrics;
}

}  // namespace

std::unique_ptr<OwnScores> kmeans_scores() {
  return std::make_unique<KMeansScores>();
}

}  // namespace kernmill::tasks
