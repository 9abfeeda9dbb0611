#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// Leaves word that somebody wants the run to be cancelled: whoever submits it gives up soon, and frees the
/// conductor's lock. It only makes things quicker: whoever cancels ends all jobs once the lock is theirs.
void wish_to_cancel(const RunDirectory& run);
[[nodiscard]] bool is_cancel_wished(const RunDirectory& run);
/// For the holder of the conductor's lock: what was wished before does not concern what comes now.
void forget_wish(const RunDirectory& run);

struct CancellationOptions {
  /// How long jobs may take to end, and a controller that does not answer is asked again.
  std::chrono::milliseconds patience{60'000};
  /// How long a request of somebody who died while submitting may be on its way still.
  std::chrono::milliseconds late_requests{2'000};
  std::function<void(std::chrono::milliseconds)> pause;  ///< waits between two looks at the queue
};

struct Cancellation {
  std::size_t jobs = 0;  ///< that were ended
  std::vector<std::string>
      still_ending;  ///< were told to, and had not when patience was over; {}: it has stopped
};

/// Ends all jobs of the run that the cluster knows, by their comment and whoever submitted them, and looks
/// until it knows of none. Only then the run is journalled as cancelled, unless it had ended before and
/// nothing was left. The caller holds the conductor's lock. Throws ClusterError when the cluster does not
/// answer in time.
Cancellation cancel_jobs(const RunDirectory& run, Cluster& cluster, JournalWriter& journal,
                         const CancellationOptions& options);

}  // namespace kernmill
