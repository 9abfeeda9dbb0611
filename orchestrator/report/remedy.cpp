#include "kernmill/report/remedy.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/report/quantity.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace {

constexpr double more = 2;  // times as much

std::uint64_t scaled(std::uint64_t bytes, double factor) {
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(bytes) * factor));
}

/// In whole megabytes, as people write it.
std::string memory_to_ask_for(std::uint64_t bytes) {
  constexpr std::uint64_t megabyte = std::uint64_t{1} << 20;
  return spell_memory((bytes + megabyte - 1) / megabyte * megabyte);
}

std::string more_memory(const std::string& set, const AttemptLimits& limits, std::uint64_t peak,
                        int cpus_per_node) {
  const std::string used = peak == 0 ? "" : fmt::format("its largest process had {}", bytes_text(peak));
  if (limits.mem == 0)
    return peak == 0 ? ""
                     : fmt::format("{}, and its stage asks for no memory of its own: {}mem={}", used, set,
                                   memory_to_ask_for(scaled(peak, more)));
  const bool is_far_beyond = peak > scaled(limits.mem, 1.5);  // before anybody looked
  const std::uint64_t wanted = scaled(is_far_beyond ? peak : limits.mem, more);
  const std::string what =
      fmt::format("it had {}{}", spell_memory(limits.mem), used.empty() ? "" : ", and " + used);
  if (!limits.mem_by_cpu) return fmt::format("{}: {}mem={}", what, set, memory_to_ask_for(wanted));
  return fmt::format("{}: {}mem_per_cpu={}", what, set,
                     memory_to_ask_for(wanted / static_cast<std::uint64_t>(std::max(1, cpus_per_node))));
}

}  // namespace

AttemptLimits limits_of(const Plan& plan, InstanceId id, const InstanceRecord& known, std::size_t attempt) {
  const Resources resources = plan.resources(id);
  AttemptLimits limits{resources.mem, resources.time, false};
  if (limits.mem == 0 && resources.mem_per_cpu > 0) {
    limits.mem = resources.mem_per_cpu * static_cast<std::uint64_t>(std::max(1, resources.cores()));
    limits.mem_by_cpu = true;
  }
  if (attempt == 0 || attempt > known.attempts.size()) return limits;
  const AttemptRecord& before = known.attempts[attempt - 1];
  if (before.state != AttemptState::retrying) return limits;
  limits.mem = scaled(limits.mem, before.mem_factor);
  limits.time = std::chrono::round<std::chrono::seconds>(limits.time * before.time_factor);
  return limits;
}

std::string remedy(const std::string& run, const Plan& plan, InstanceId id, const InstanceRecord& known) {
  if (known.attempts.empty() || known.committed) return {};
  const AttemptRecord& last = known.attempts.back();
  const AttemptLimits limits = limits_of(plan, id, known, known.attempts.size() - 1);
  const std::string set =
      fmt::format("kernmill resume {} --set {}.resources.", run, plan.stage(id.stage).name);
  if (last.cause == Cause::oom) return more_memory(set, limits, last.peak_memory, plan.resources(id).cores());
  if (last.cause == Cause::timeout && limits.time.count() > 0)
    return fmt::format("its time limit was {}: {}time={}", spell_time(limits.time), set,
                       spell_time(std::chrono::round<std::chrono::seconds>(limits.time * more)));
  return {};
}

}  // namespace kernmill
