#include "kernmill/cli/inspect.hpp"

#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "kernmill/cli/run_root.hpp"
#include "kernmill/run/conductor_lock.hpp"

namespace kernmill::cli {
namespace {

std::string now_text() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
  return text;
}

/// The journal has the message; error.json knows the place and the way out, too.
void add_error_file(InstanceStatus& instance) {
  const std::filesystem::path file = std::filesystem::path(instance.directory) / "error.json";
  if (instance.state != State::failed || !std::filesystem::exists(file)) return;
  const Json error = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!error.is_object()) return;
  const std::string where = error.value("where", "");
  if (!where.empty() && instance.message.find(where) == std::string::npos)
    instance.message = where + ": " + instance.message;
  const std::string help = error.value("help", "");
  if (instance.message.find(help) == std::string::npos) instance.help = help;
}

}  // namespace

RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunRecord& record, bool everything) {
  const bool alive = lock_holder(run.lock()).has_value();
  RunStatus status =
      run_status(run, plan, record, {.alive = alive, .now = now_text(), .everything = everything});
  for (InstanceStatus& instance : status.instances) add_error_file(instance);
  return status;
}

RunStatus inspect(const RunDirectory& run, bool everything) {
  const auto plan = plan_of(run);
  if (plan) return inspect(run, *plan, fold_journal(run.journal()), everything);
  RunStatus status;
  status.name = run.name();
  status.directory = run.root().string();
  status.state = "preparing";
  return status;
}

}  // namespace kernmill::cli
