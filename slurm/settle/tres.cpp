#include "kernmill/slurm/settle/tres.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kernmill::slurm {
namespace {

/// "a100:2" -> "gres/gpu:a100=2", "2" -> "gres/gpu=2".
std::string counted(const std::string& gpus) {
  const std::size_t colon = gpus.rfind(':');
  if (colon == std::string::npos) return "gres/gpu=" + gpus;
  return fmt::format("gres/gpu:{}={}", gpus.substr(0, colon), gpus.substr(colon + 1));
}

}  // namespace

std::string with_prefix(const std::string& prefix, const std::string& list) {
  std::string result;
  for (std::size_t start = 0; start < list.size();) {
    const std::size_t comma = std::min(list.find(',', start), list.size());
    const std::string part = list.substr(start, comma - start);
    result += fmt::format("{}{}{}", result.empty() ? "" : ",", part.starts_with(prefix) ? "" : prefix, part);
    start = comma + 1;
  }
  return result;
}

std::string gpu_prefix(const Dialect& dialect) {
  return dialect.slash_tres ? "gres/gpu:" : "gres:gpu:";
}

std::string tres_per_task(const JobRequest& request, const Dialect& dialect) {
  if (!dialect.counts_per_task) return with_prefix(gpu_prefix(dialect), request.gpus_per_task);
  std::string list = request.cpus_per_task ? fmt::format("cpu={}", *request.cpus_per_task) : "";
  if (!request.gpus_per_task.empty()) list += (list.empty() ? "" : ",") + counted(request.gpus_per_task);
  return list;
}

std::string tres_bind(const JobRequest& request, const Dialect& dialect) {
  if (!request.tres_bind.empty()) return request.tres_bind;
  if (!request.gpu_bind.empty()) return (dialect.slash_tres ? "gres/gpu:" : "gpu:") + request.gpu_bind;
  if (!dialect.counts_per_task || request.gpus_per_task.empty()) return {};
  return "gres/gpu:per_task:" + request.gpus_per_task.substr(request.gpus_per_task.rfind(':') + 1);
}

}  // namespace kernmill::slurm
