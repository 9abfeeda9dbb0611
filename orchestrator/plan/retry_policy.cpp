#include "kernmill/plan/retry_policy.hpp"

#include <algorithm>

namespace kernmill {
namespace {

bool is_continued(const Ended& ended) {
  const bool stopped = ended.how == Ended::How::stopped;
  if (stopped && ended.cause == Cause::preempted) return true;
  return ended.new_checkpoint && (stopped || ended.cause == Cause::timeout);
}

bool is_named(const Retries& policy, Cause cause) {
  return std::find(policy.on.begin(), policy.on.end(), to_string(cause)) != policy.on.end();
}

}  // namespace

Retry retry_after(const Retries& policy, const EarlierTries& earlier, const Ended& ended) {
  Retry retry{Retry::What::again, true, earlier.mem_factor, earlier.time_factor};
  if (ended.how == Ended::How::stopped && ended.cause == Cause::cancelled)
    return {Retry::What::give_way, false};
  if (is_continued(ended)) {
    retry.counts = false;
    return retry;
  }
  if (!is_named(policy, ended.cause) || earlier.failures >= policy.max) return {Retry::What::none};
  if (ended.cause == Cause::oom) retry.mem_factor *= policy.mem_factor;
  if (ended.cause == Cause::timeout) retry.time_factor *= policy.time_factor;
  return retry;
}

}  // namespace kernmill
