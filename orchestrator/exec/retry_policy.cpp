#include "kernmill/exec/retry_policy.hpp"

#include <algorithm>

namespace kernmill::exec {

Retry retry_after(const Retries& policy, const EarlierTries& earlier, const Ended& ended) {
  Retry retry{Retry::What::again, true, earlier.mem, earlier.time, false};
  const bool stopped = ended.what == Outcome::What::stopped;
  if (stopped && ended.cause == Cause::cancelled) return {Retry::What::give_way};
  const bool continues = ended.got_further && (stopped || ended.cause == Cause::timeout);
  if (continues || (stopped && ended.cause == Cause::preempted)) {
    retry.counts = false;
    return retry;
  }
  const bool listed =
      std::find(policy.on.begin(), policy.on.end(), to_string(ended.cause)) != policy.on.end();
  if (!listed || earlier.failures >= policy.max) return {Retry::What::none};
  if (ended.cause == Cause::oom) retry.mem *= policy.mem_factor;
  if (ended.cause == Cause::timeout) retry.time *= policy.time_factor;
  retry.elsewhere = ended.cause == Cause::node_fail;
  return retry;
}

}  // namespace kernmill::exec
