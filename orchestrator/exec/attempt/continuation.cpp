#include "kernmill/exec/attempt/continuation.hpp"

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_mode.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
constexpr const char* checkpoints_variable = "KERNMILL_CHECKPOINTS";

}  // namespace

bool has_progress(const Attempt& attempt) {
  std::error_code none;
  return fs::directory_iterator(attempt.checkpoints(), none) != fs::directory_iterator();
}

bool takes_restart(const Attempt& attempt, const std::string& restart) {
  if (restart.empty()) return false;
  const bool needs_something = restart.find(checkpoints_variable) != std::string::npos;
  return (attempt.earlier_attempt_started && !needs_something) || has_progress(attempt);
}

void make_checkpoints(const Attempt& attempt) {
  const fs::path folder = attempt.checkpoints(), instance = folder.parent_path();
  const mode_t mode = mode_of_files_in(attempt.run.root().c_str()) == 0640 ? 0750 : 0700;
  if (!fs::is_directory(instance.parent_path())) make_directories(instance.parent_path(), mode);
  make_directory(instance, mode);
  make_directory(folder, mode);
}

void add_continuation(Environment& environment, const Attempt& attempt) {
  set(environment, checkpoints_variable, attempt.checkpoints().string());
  set(environment, "KERNMILL_RESUMED", has_progress(attempt) ? "1" : "0");
}

void set_deadline(Environment& environment, std::chrono::system_clock::time_point end) {
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(end.time_since_epoch());
  set(environment, "KERNMILL_DEADLINE", std::to_string(since.count()));
}

}  // namespace kernmill::exec
