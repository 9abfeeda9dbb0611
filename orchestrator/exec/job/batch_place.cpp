#include "kernmill/exec/job/batch_place.hpp"

#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace kernmill::exec {
namespace {

template <typename Number>
Number number_in(const Environment& environment, const std::string& name, Number otherwise) {
  const std::string text = value_of(environment, name);
  if (text.empty()) return otherwise;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument(fmt::format("{} is '{}', which is no number", name, text));
  return value;
}

constexpr std::uint64_t megabyte = 1024 * 1024;

}  // namespace

std::string BatchPlace::name() const {
  return is_array ? fmt::format("{}_{}", job, element) : job;
}

std::uint64_t BatchPlace::memory() const {
  return mem > 0 ? mem : mem_per_cpu * static_cast<std::uint64_t>(cpus);
}

BatchPlace batch_place(const Environment& environment) {
  BatchPlace place;
  place.job = value_of(environment, "SLURM_ARRAY_JOB_ID");
  place.is_array = !place.job.empty();
  if (!place.is_array) place.job = value_of(environment, "SLURM_JOB_ID");
  if (place.job.empty())
    throw std::invalid_argument(
        "--array and --close are for jobs of Slurm, but SLURM_JOB_ID is not set: this is none");
  if (place.is_array) place.element = number_in<std::uint32_t>(environment, "SLURM_ARRAY_TASK_ID", 0);
  place.restart = number_in<unsigned>(environment, "SLURM_RESTART_COUNT", 0);
  place.nodes = number_in<int>(environment, "SLURM_JOB_NUM_NODES", 1);
  place.mem = megabyte * number_in<std::uint64_t>(environment, "SLURM_MEM_PER_NODE", 0);
  place.mem_per_cpu = megabyte * number_in<std::uint64_t>(environment, "SLURM_MEM_PER_CPU", 0);
  place.cpus = number_in<int>(environment, "SLURM_CPUS_ON_NODE", 0);
  place.node = value_of(environment, "SLURMD_NODENAME");
  return place;
}

}  // namespace kernmill::exec
