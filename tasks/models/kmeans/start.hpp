#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/learn/rows/shard_rows.hpp"
#include "kernmill/tasks/models/kmeans/settings.hpp"

namespace kernmill::tasks {

/// Centers to begin with, k x features, all of them rows. `restart` draws others. Collective; the same bits
/// on any number of ranks.
///
/// `parallel` is k-means|| (Bahmani, Moseley, Vattani, Kumar, Vassilvitskii, Scalable k-means++, 2012) with
/// five rounds that draw 2 k rows each, and a weighted k-means++ among what they drew. `plus_plus` is
/// k-means++ (Arthur and Vassilvitskii 2007): a pass over the rows for each center.
std::vector<double> kmeans_start(const KMeansSettings& settings, const Communicator& comm, ShardRows& rows,
                                 std::uint64_t restart);

}  // namespace kernmill::tasks
